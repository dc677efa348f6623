package googlesession_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// The document names every route. The tests of the example compare the answers with it,
// because they may import a reader of YAML.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) {
		c.SelfDeletion, c.Bearer, c.DeviceBinding = true, true, googlesession.BindOffer
		c.SecurityEventVerifier = struct {
			googlesession.SecurityEventVerifier
		}{}
	})
	line := regexp.MustCompile(`(?m)^(?:  (/\S*)|    (get|put|post|delete|options|head|patch|trace)):$`)
	var documented []string
	var path string
	for _, m := range line.FindAllStringSubmatch(string(googlesession.OpenAPI()), -1) {
		if m[1] != "" {
			path = m[1]
			continue
		}
		documented = append(documented, strings.ToUpper(m[2])+" "+path)
	}
	require.ElementsMatch(t, s.manager.Routes(), documented)
}

func TestOpenAPIIsTheCallers(t *testing.T) {
	clear(googlesession.OpenAPI())
	require.True(t, bytes.HasPrefix(googlesession.OpenAPI(), []byte("openapi: 3.1.")))
}
