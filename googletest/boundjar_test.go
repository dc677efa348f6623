package googletest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// The jar keeps and sends cookies as browsers do.
func TestBoundBrowserCookies(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  []string
		sent string // to /a/b, two seconds later
	}{
		{"session cookie", []string{"c=1"}, "c=1"},
		{"Max-Age", []string{"c=1; Max-Age=3", "d=1; Max-Age=2"}, "c=1"},
		{"Max-Age before Expires", []string{"c=1; Max-Age=3; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, "c=1"},
		{"Expires", []string{"c=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "d=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT"}, "d=1"},
		{"replaced", []string{"c=1", "d=1", "c=2"}, "c=2; d=1"},
		{"removed", []string{"c=1", "d=1", "c=; Max-Age=0"}, "d=1"},
		{"longer path first", []string{"c=1; Path=/", "c=2; Path=/a", "c=3; Path=/a/"}, "c=3; c=2; c=1"},
		{"another path", []string{"c=1; Path=/a/c", "d=1; Path=/a/b/"}, ""},
		{"default path", []string{"c=1", "c=2; Path=/a", "d=1; Path=relative", "d=2; Path=/a"}, "c=2; d=2"},
		{"domain", []string{"c=1; Domain=.App.test", "d=1; Domain=elsewhere.test", "e=1; Domain=test"}, "c=1"},
		{"prefixes", []string{"__Host-c=1; Path=/", "__Host-d=1; Path=/; Secure", "__Http-e=1; Secure"}, "__Host-d=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent string
				b := googletest.NewGoogle(client).BoundBrowser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if sent = r.Header.Get("Cookie"); r.URL.Path == "/a/set" {
						w.Header()["Set-Cookie"] = tt.set
					}
				}))
				for _, path := range []string{"/a/set", "/a/b"} {
					res, err := b.Client().Get(googletest.Origin + path)
					require.NoError(t, err)
					require.NoError(t, res.Body.Close())
					after(2 * time.Second)
				}
				require.Equal(t, tt.sent, sent)
				res, err := b.Steal().Get(googletest.Origin + "/c")
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
			})
		})
	}
}

// The cookies of other origins are ignored, and no request reaches them.
func TestBoundBrowserOtherOrigins(t *testing.T) {
	b := googletest.NewGoogle(client).BoundBrowser(http.NotFoundHandler())
	for _, c := range []*http.Client{b.Client(), b.Steal()} {
		_, err := c.Post("http://app.test/", "text/plain", io.NopCloser(strings.NewReader("body")))
		require.ErrorContains(t, err, "nothing but https://app.test can be reached")
	}
	other := &url.URL{Scheme: "https", Host: "elsewhere.test", Path: "/"}
	b.Jar().SetCookies(other, []*http.Cookie{{Name: "c", Value: "1"}})
	require.Empty(t, b.Jar().Cookies(other))
}
