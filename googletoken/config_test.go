package googletoken_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// The caller may change a Config after New has returned.
func TestConfigIsCopied(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	client := g.Client()
	c := googletoken.Config{ClientIDs: []string{clientID}, AuthorizedParties: []string{clientID}, HTTPClient: client}
	v, err := googletoken.New(c)
	require.NoError(t, err)
	c.ClientIDs[0], c.AuthorizedParties[0], client.Transport = "another", "another", nil
	_, err = v.Verify(t.Context(), g.Token(email, nonce), nonce)
	require.NoError(t, err)
	require.Equal(t, clientID, v.ClientID())
	require.Nil(t, client.CheckRedirect, "the caller's client is left alone")
	require.Zero(t, g.Requests(googletest.IAPCertsURL))
}

// New accepts the extreme values of a Config, and has an error for each mistake.
func TestConfigEdges(t *testing.T) {
	good := func() googletoken.Config { return googletoken.Config{ClientIDs: []string{"a", "b"}} }
	c := good()
	c.Leeway, c.MaxAge, c.AuthorizedParties = 5*time.Minute, time.Hour, []string{"c"}
	v, err := googletoken.New(c)
	require.NoError(t, err)
	require.Equal(t, "a", v.ClientID())

	for want, spoil := range map[string]func(c *googletoken.Config){
		"googletoken: Config.ClientIDs is required":                                                 func(c *googletoken.Config) { c.ClientIDs = nil },
		"googletoken: Config.ClientIDs[1] is empty or has characters that no client ID has":         func(c *googletoken.Config) { c.ClientIDs[1] = "" },
		"googletoken: Config.ClientIDs[0] is empty or has characters that no client ID has":         func(c *googletoken.Config) { c.ClientIDs[0] = "a\n" },
		"googletoken: Config.ClientIDs[1] is a duplicate":                                           func(c *googletoken.Config) { c.ClientIDs[1] = "a" },
		"googletoken: Config.AuthorizedParties[0] is empty or has characters that no client ID has": func(c *googletoken.Config) { c.AuthorizedParties = []string{""} },
		"googletoken: Config.AuthorizedParties[1] is a duplicate":                                   func(c *googletoken.Config) { c.AuthorizedParties = []string{"a", "a"} },
		"googletoken: Config.Leeway is 5m0.000000001s, not between 0 and 5m0s":                      func(c *googletoken.Config) { c.Leeway = 5*time.Minute + 1 },
		"googletoken: Config.Leeway is -1ns, not between 0 and 5m0s":                                func(c *googletoken.Config) { c.Leeway = -1 },
		"googletoken: Config.MaxAge is 1h0m0.000000001s, not between 0 and 1h0m0s":                  func(c *googletoken.Config) { c.MaxAge = time.Hour + 1 },
		"googletoken: Config.MaxAge is -1ns, not between 0 and 1h0m0s":                              func(c *googletoken.Config) { c.MaxAge = -1 },
	} {
		c := good()
		spoil(&c)
		v, err := googletoken.New(c)
		require.EqualError(t, err, want)
		require.Nil(t, v)
	}
}

// If idtoken refuses the environment, New reports it, not the first sign-in.
func TestNewInABadEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "certificates.json")
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	t.Setenv("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true")
	t.Setenv("GOOGLE_API_CERTIFICATE_CONFIG", file)
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}})
	require.ErrorContains(t, err, "googletoken: ")
	require.Nil(t, v)
}
