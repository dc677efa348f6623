package googletest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// Chromium makes no session of some configurations. The cookie is set all the same.
func TestBoundBrowserConfigurations(t *testing.T) {
	credential := func(name, attributes string) []any {
		return []any{map[string]any{"type": "cookie", "name": name, "attributes": attributes}}
	}
	for _, tt := range []struct {
		name, member string
		value        any    // nil removes the member
		refused      string // "" if a session is made
	}{
		{"unchanged", "unknown", 1, ""},
		{"continue", "continue", true, ""},
		{"continue false", "continue", false, "the server ended it"},
		{"no identifier", "session_identifier", "", "session_identifier"},
		{"relative path", "refresh_url", "refresh", ""},
		{"absolute URL", "refresh_url", googletest.Origin + "/dbsc/refresh", ""},
		{"another origin", "refresh_url", "https://elsewhere.test/dbsc/refresh", "refresh_url"},
		{"not secure", "refresh_url", "http://app.test/dbsc/refresh", "refresh_url"},
		{"not a URL", "refresh_url", "https://[", "refresh_url"},
		{"no scope", "scope", nil, "include_site"},
		{"no include_site", "scope", map[string]any{}, "include_site"},
		{"scope of another type", "scope", "all", "not JSON"},
		{"origin", "scope", map[string]any{"include_site": true, "origin": googletest.Origin}, ""},
		{"another scope", "scope", map[string]any{"include_site": true, "origin": "https://elsewhere.test"}, "origin"},
		{"rule without a type", "scope", map[string]any{"include_site": true, "scope_specification": []any{map[string]any{}}}, "type"},
		{"rule without a path", "scope", map[string]any{"include_site": true, "scope_specification": []any{map[string]any{"type": "include", "path": ""}}}, "path"},
		{"no credentials", "credentials", nil, "credentials"},
		{"empty credentials", "credentials", []any{}, "credentials"},
		{"another type", "credentials", []any{map[string]any{"type": "token", "name": "__Host-bound"}}, "type"},
		{"no name", "credentials", credential("", boundAttributes), "not a cookie"},
		{"Max-Age", "credentials", credential("__Host-bound", boundAttributes+"; Max-Age=600"), "max-age"},
		{"Expires", "credentials", credential("__Host-bound", boundAttributes+"; expires=Thu, 01 Jan 2099 00:00:00 GMT"), "expires"},
		{"host and http", "credentials", credential("__Host-Http-bound", boundAttributes), "__Host-Http-"},
		{"http", "credentials", credential("__Http-bound", boundAttributes), ""},
		{"secure", "credentials", credential("__Secure-bound", boundAttributes), ""},
		{"prefix", "credentials", credential("__Host-bound", "Path=/; HttpOnly"), "Secure"},
		{"domain", "credentials", credential("bound", "Domain=elsewhere.test"), "domain"},
		{"initiators", "allowed_refresh_initiators", []any{1}, "not JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
				s.editConfig = func(config map[string]any) {
					config[tt.member] = tt.value
					if tt.value == nil {
						delete(config, tt.member)
					}
				}
				ada := signIn(t, b)
				require.Len(t, b.Jar().Cookies(&url.URL{Scheme: "https", Host: "app.test", Path: "/"}), 2)
				require.Len(t, b.History(), 1)
				if tt.refused == "" {
					require.Len(t, b.Sessions(), 1, "%v", b.History())
					return
				}
				require.Empty(t, b.Sessions())
				require.Contains(t, b.History()[0], tt.refused)
				require.Equal(t, "200 unbound", page(t, ada))
				after(11 * time.Minute)
				require.Equal(t, "200 unbound", page(t, ada))
			})
		})
	}
}

// A header that Chromium cannot use makes no registration.
func TestBoundBrowserRegistrationHeaders(t *testing.T) {
	for _, tt := range []struct {
		name, old, next, end string
		registers            bool
	}{
		{"unchanged", "", "", "", true},
		{"a space after the semicolon", ";", "; ", "", true},
		{"spaces in the list", "(ES256 RS256)", "( RS256  ES256 )", "", true},
		{"flag", ";path", ";flag;path", "", true},
		{"authorization", ";path", `;authorization="a\"b";path`, "", true},
		{"relative path", "/dbsc/register", "../dbsc/register", "", true},
		{"two members", "(ES256", "(RS256);x, (ES256", "", true},
		{"RS256 only", "ES256 ", "", "", false},
		{"no path", ";path", ";other", "", false},
		{"no challenge", ";challenge", ";other", "", false},
		{"another origin", "/dbsc", "https://elsewhere.test/dbsc", "", false},
		{"no parenthesis", ")", "", "", false},
		{"no quote", `path="`, `path="\`, "", false},
		{"comma", "(", ", (", "", false},
		{"comma at the end", "", "", ",", false},
		{"space at the end", "", "", " ", true},
		{"not ASCII", "/dbsc", "/dbsé", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
				s.editRegistration = func(header string) string {
					return strings.Replace(header, tt.old, tt.next, 1) + tt.end
				}
				ada := signIn(t, b)
				require.Equal(t, tt.registers, len(b.Sessions()) == 1, "%v", b.History())
				require.NotEmpty(t, b.History())
				require.Equal(t, tt.registers, page(t, ada) == "200 bound")
			})
		})
	}
}

// A refusal of the registration leaves the session unbound.
func TestBoundBrowserRegistrationRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		s.editRegistration = func(header string) string { return strings.Replace(header, `challenge="`, `challenge="x`, 1) }
		ada := signIn(t, b)
		require.Equal(t, []string{"not registered: status 400"}, b.History())
		require.Equal(t, "200 unbound", page(t, ada))
	})
}

// A cookie with other attributes than the configuration says is refreshed each time.
func TestBoundBrowserOtherAttributes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		s.setCookie = "Path=/; Secure; HttpOnly; SameSite=Strict"
		ada := signIn(t, b)
		for range 3 {
			s.taken()
			require.Equal(t, "200 bound", page(t, ada))
			require.Contains(t, s.taken(), "POST /dbsc/refresh 200 proof")
		}
		require.Empty(t, s.skipped)
	})
}

// Only requests in the scope, and from pages that may, refresh.
func TestBoundBrowserScope(t *testing.T) {
	navigate := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}
	for _, tt := range []struct {
		name      string
		config    string // replaces members of the configuration
		header    []string
		refreshes bool
		cookies   int // how many cookies the refresh has
	}{
		{"address bar", `{"allowed_refresh_initiators":[]}`, []string{"Sec-Fetch-Site", "none"}, true, 2},
		{"same origin", `{"allowed_refresh_initiators":[]}`, []string{"Sec-Fetch-Site", "same-origin"}, true, 2},
		{"same site", `{"allowed_refresh_initiators":[]}`, []string{"Sec-Fetch-Site", "same-site"}, false, 0},
		{"same site, any", `{}`, []string{"Sec-Fetch-Site", "same-site"}, true, 2},
		{"link from elsewhere", `{"allowed_refresh_initiators":[]}`, navigate, false, 0},
		{"link from elsewhere, any", `{}`, navigate, true, 0},
		{"link from another host", `{"allowed_refresh_initiators":["*.mail.test"]}`, append(navigate, "Referer", "https://chat.test/"), false, 0},
		{"link from the host", `{"allowed_refresh_initiators":["*.mail.test"]}`, append(navigate, "Referer", "https://my.mail.test/"), true, 0},
		{"fetch from elsewhere", `{}`, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, false, 0},
		{"fetch from elsewhere that gets", `{}`, []string{"Sec-Fetch-Site", "cross-site"}, false, 0},
		{"link from elsewhere, strict cookie", `{"credentials":[{"type":"cookie","name":"__Host-bound","attributes":"Path=/; Secure; HttpOnly; SameSite=Strict"}]}`, navigate, false, 0},
		{"credential of another path", `{"credentials":[{"type":"cookie","name":"bound"}]}`, nil, false, 0},
		{"excluded", `{"scope":{"include_site":false,"scope_specification":[{"type":"exclude","path":"/hello"}]}}`, nil, false, 0},
		{"included again", `{"scope":{"include_site":true,"scope_specification":[{"type":"exclude","path":"/"},{"type":"include","domain":"app.test","path":"/hello"}]}}`, nil, true, 2},
		{"another path", `{"scope":{"include_site":true,"scope_specification":[{"type":"exclude","path":"/hell"}]}}`, nil, true, 2},
		{"another host", `{"scope":{"include_site":true,"scope_specification":[{"type":"exclude","domain":"*.app.test"}]}}`, nil, true, 2},
		{"the refresh URL", `{"refresh_url":"/hello"}`, nil, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
				s.editConfig = func(config map[string]any) { _ = json.Unmarshal([]byte(tt.config), &config) }
				ada := signIn(t, b)
				require.Len(t, b.Sessions(), 1, "%v", b.History())
				after(30 * time.Second) // the cookie is still there
				s.posts = nil
				s.taken()
				page(t, ada, tt.header...)
				log := s.taken()
				require.Contains(t, log[len(log)-1], "GET /hello")
				require.Equal(t, tt.refreshes, len(log) > 1)
				for _, r := range s.posts {
					require.Len(t, r.Cookies(), tt.cookies)
				}
			})
		})
	}
}

// A sign-in by a form of another site registers without cookies, so the server refuses.
func TestBoundBrowserFormOfAnotherSite(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		r := newRequest(t, http.MethodPost, nil)
		r.URL.Path = "/api/login"
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := b.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Empty(t, s.posts[0].Cookies())
		require.Empty(t, b.Sessions())
	})
}
