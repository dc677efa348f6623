package googletoken_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// A response that is not a key set is an outage, and never replaces keys.
func TestStrangeAnswers(t *testing.T) {
	answer := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"status 500": fail,
		"status 404": http.NotFound,
		"redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"no answer":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs":      func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"HTML":       answer("text/html", "<html>"),
		"not JSON":   answer("application/json", "<html>"),
		"no keys":    answer("application/json", `{"keys":[]}`),
		"other JSON": answer("application/json", `{"error":"sorry"}`),
		"keys twice": answer("application/json", `{"keys":[],"keys":[]}`),
		"useless key": answer("application/json",
			`{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"1","n":"AQAB","e":"AQAB"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
				g.Respond(h)
				began := time.Now()
				requireUnavailable(t, verify())
				require.LessOrEqual(t, time.Since(began), 10*time.Second)
				g.Respond(nil)
				advance(10 * time.Second)
				require.NoError(t, verify())
				g.Respond(h)
				advance(24 * time.Hour)
				require.NoError(t, verify(), "the good keys are kept")
				require.Empty(t, g.Strays(), "redirects are not followed")
			})
		})
	}
}

// Good keys in a response that Google would not send are not used.
func TestGoodKeysInAStrangeAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		contentType, after string
		ok                 bool
	}{
		"unchanged":        {"application/json; charset=UTF-8", "", true},
		"JWK set":          {"application/jwk-set+json", " \n", true},
		"text":             {"text/plain", "", false},
		"JSON sequence":    {"application/json-seq", "", false},
		"no content type":  {"", "", false},
		"more than 1 MiB":  {"application/json", strings.Repeat(" ", 1<<20), false},
		"followed by more": {"application/json", "{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
				keys := certs(t, g)
				g.Respond(func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Content-Type"] = []string{tt.contentType}
					_, _ = io.WriteString(w, string(keys)+tt.after)
				})
				if tt.ok {
					require.NoError(t, verify())
					return
				}
				requireUnavailable(t, verify())
			})
		})
	}
}

func TestFreshness(t *testing.T) {
	const least, most = 5 * time.Minute, 24 * time.Hour
	for _, tt := range []struct {
		cacheControl []string
		age          string
		want         time.Duration
	}{
		{nil, "", least},
		{[]string{"public, max-age=21600, must-revalidate"}, "", 6 * time.Hour},
		{[]string{`max-age="21600"`}, "", 6 * time.Hour},
		{[]string{"public", "MAX-AGE=21600"}, "", 6 * time.Hour},
		{[]string{"max-age=21600"}, "3600", 5 * time.Hour},
		{[]string{"max-age=21600"}, "99999", least},
		{[]string{"max-age=21600"}, "-1", least},
		{[]string{"max-age=0"}, "", least},
		{[]string{"max-age=299"}, "", least},
		{[]string{"max-age=301"}, "", 301 * time.Second},
		{[]string{"max-age=86401"}, "", most},
		{[]string{"max-age=99999999999999999999"}, "", most},
		{[]string{"max-age=3600, max-age=7200"}, "", least},
		{[]string{"max-age=3600", "max-age=3600"}, "", time.Hour},
		{[]string{"max-age=-1"}, "", least},
		{[]string{"max-age"}, "", least},
		{[]string{"no-store, max-age=3600"}, "", least},
		{[]string{"no-cache, max-age=3600"}, "", least},
		{[]string{"s-maxage=3600"}, "", least},
	} {
		h := http.Header{"Cache-Control": tt.cacheControl}
		if tt.age != "" {
			h.Set("Age", tt.age)
		}
		require.Equal(t, tt.want, googletoken.Freshness(h), "%v %s", tt.cacheControl, tt.age)
	}
}
