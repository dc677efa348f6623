package googlesession_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// marked is part of everything that must not reach the log.
const marked = "Marked7secret"

// edited posts a token with changed claims.
func edited(t *testing.T, s *site, change func(claims map[string]any)) answer {
	t.Helper()
	c := s.google.Browser(s)
	d := s.google.Draft(alice, begin(t, c))
	change(d.Claims)
	return do(t, c, http.MethodPost, "/api/login?q="+marked, `{"credential":"`+s.google.Mint(d)+`"}`,
		"Content-Type", "application/json", "Origin", origin, "Cookie", "other="+marked)
}

// postBadly posts a text that is not a token, from a client without cookies of the library.
func postBadly(t *testing.T, s *site, header ...string) answer {
	t.Helper()
	return serve(t, s, http.MethodPost, "/api/login?q="+marked, `{"credential":"`+marked+`"}`,
		append([]string{"Content-Type", "application/json", "Cookie", "other=" + marked}, header...)...)
}

// operatorCases has requests that are refused because of the configuration, a proxy, the
// front end or a clock.
var operatorCases = []struct {
	name   string
	edit   func(*googlesession.Config)
	send   func(*testing.T, *site) answer
	status int
	want   logLine // attributes; "" means that the line must not have it
	errHas string
	hint   string // a part of it
}{
	{
		name: "token for another client ID",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { c["aud"] = "other.apps.googleusercontent.com" })
		},
		status: 401, want: logLine{"code": "token_refused", "reason": "token_refused:audience", "method": "POST", "path": "/api/login", "origin": origin},
		errHas: "issued for another client ID", hint: "googletoken.Config.ClientIDs",
	},
	{
		name: "token requested by another client",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { c["azp"] = "app.apps.googleusercontent.com" })
		},
		status: 401, want: logLine{"code": "token_refused", "reason": "token_refused:party", "method": "POST", "path": "/api/login", "origin": origin},
		errHas: "requested by another client (azp)", hint: "googletoken.Config.AuthorizedParties",
	},
	{
		name: "Google's clock ahead",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { c["iat"] = time.Now().Add(2 * time.Minute).Unix() })
		},
		status: 401, want: logLine{"code": "token_refused", "reason": "token_refused:time", "method": "POST", "path": "/api/login", "origin": origin},
		errHas: "issued 2m0s in the future by this server's clock; at most 1m0s is allowed", hint: "NTP",
	},
	{
		name: "valid later",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { c["nbf"] = time.Now().Add(3 * time.Minute).Unix() })
		},
		status: 401, want: logLine{"code": "token_refused", "reason": "token_refused:time"},
		errHas: "not valid for another 3m0s by this server's clock; at most 1m0s is allowed", hint: "NTP",
	},
	{
		name: "Google's clock far behind",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { c["iat"] = time.Now().Add(-12 * time.Minute).Unix() })
		},
		status: 401, want: logLine{"code": "token_refused", "reason": "token_refused:time"},
		errHas: "issued 12m0s ago by this server's clock; at most 10m0s is allowed", hint: "NTP",
	},
	{
		name: "expired",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) {
				c["iat"], c["exp"] = time.Now().Add(-2*time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
			})
		},
		status: 401, want: logLine{"code": "token_refused", "reason": "token_refused:time"},
		errHas: "expired 1h0m0s ago by this server's clock", hint: "NTP",
	},
	{
		name: "page that passes no nonce",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { delete(c, "nonce") })
		},
		status: 401, want: logLine{"code": "nonce_mismatch", "reason": "nonce_mismatch:nonce"},
		errHas: "no nonce claim, so the page did not pass a nonce to Google", hint: "does not pass the nonce of GET /login",
	},
	{
		name: "cached nonce",
		send: func(t *testing.T, s *site) answer {
			return edited(t, s, func(c map[string]any) { c["nonce"] = strings.Repeat("A", 43) })
		},
		status: 401, want: logLine{"code": "nonce_mismatch", "reason": "nonce_mismatch:nonce"},
		errHas: "nonce is not that of this browser", hint: "a cache answers GET /login",
	},
	{
		name: "without TLS",
		send: func(t *testing.T, s *site) answer {
			s.Handler = asHost(s.Handler, "app.lan")
			return postBadly(t, s, "Origin", "http://app.lan")
		},
		status: 401, want: logLine{"code": "nonce_mismatch", "method": "POST", "path": "/api/login", "origin": "http://app.lan", "host": "app.lan"},
		errHas: "no nonce cookie, from a page without https", hint: "over https",
	},
	{
		name: "page of another site",
		edit: func(c *googlesession.Config) { c.TrustedOrigins = []string{"http://127.0.0.1:5173"} },
		send: func(t *testing.T, s *site) answer {
			s.Handler = asHost(s.Handler, "localhost:8080")
			return postBadly(t, s, "Origin", "http://127.0.0.1:5173", "Sec-Fetch-Site", "cross-site")
		},
		status: 401, want: logLine{"code": "nonce_mismatch", "origin": "http://127.0.0.1:5173", "host": "localhost:8080", "sec_fetch_site": "cross-site"},
		errHas: "from a page of another site", hint: "from one site",
	},
	{
		name: "cookies lost",
		send: func(t *testing.T, s *site) answer {
			return postBadly(t, s, "Origin", origin, "Sec-Fetch-Site", "same-origin")
		},
		status: 401, want: logLine{"code": "nonce_mismatch", "origin": origin, "host": "app.test", "sec_fetch_site": "same-origin"},
		errHas: "no nonce cookie", hint: "removes Set-Cookie",
	},
	{
		name: "two nonce cookies",
		send: func(t *testing.T, s *site) answer {
			return postBadly(t, s, "Cookie", loginCookie+"="+marked+"; "+loginCookie+"=2")
		},
		status: 401, want: logLine{"code": "nonce_mismatch", "method": "POST", "path": "/api/login"},
		errHas: "more than one nonce cookie", hint: "sibling host",
	},
	{
		name: "two session cookies",
		send: func(t *testing.T, s *site) answer {
			return serve(t, s, http.MethodGet, "/private?q="+marked, "", "Cookie", sessionCookie+"="+marked+"; "+sessionCookie+"=2")
		},
		status: 401, want: logLine{"code": "no_session", "method": "GET", "path": "/private", "host": "app.test"},
		errHas: "more than one session cookie", hint: "sibling host",
	},
	{
		name: "session cookie of another application on localhost",
		edit: func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true },
		send: func(t *testing.T, s *site) answer {
			s.Handler = localhost(s.Handler)
			return serve(t, s, http.MethodGet, "/private", "", "Cookie", "session="+marked)
		},
		status: 401, want: logLine{"code": "no_session", "path": "/private", "host": "localhost:8080"},
		errHas: "not one of this application", hint: "another application on localhost",
	},
	{
		name: "TrustedOrigins missing, at the sign-in",
		send: func(t *testing.T, s *site) answer {
			return postBadly(t, s, "Origin", "https://front.app.test", "Sec-Fetch-Site", "same-site")
		},
		status: 403, want: logLine{"code": "cross_origin", "method": "POST", "path": "/api/login", "origin": "https://front.app.test", "host": "app.test", "sec_fetch_site": "same-site"},
		errHas: "page of another origin", hint: "Config.TrustedOrigins",
	},
	{
		name: "TrustedOrigins missing, at a guard",
		send: func(t *testing.T, s *site) answer {
			return serve(t, s, http.MethodDelete, "/private?q="+marked, "", "Origin", "https://front.app.test", "Sec-Fetch-Site", "same-site")
		},
		status: 403, want: logLine{"code": "cross_origin", "method": "DELETE", "path": "/private", "origin": "https://front.app.test"},
		errHas: "page of another origin", hint: "Config.TrustedOrigins",
	},
	{
		name: "TrustedOrigins missing, at the sign-out",
		send: func(t *testing.T, s *site) answer {
			return serve(t, s, http.MethodPost, "/api/logout?q="+marked, "", "Origin", "https://front.app.test", "Sec-Fetch-Site", "same-site")
		},
		status: 403, want: logLine{"code": "cross_origin", "method": "POST", "path": "/api/logout", "origin": "https://front.app.test"},
		errHas: "page of another origin", hint: "Config.TrustedOrigins",
	},
	{
		name: "proxy that changes Host",
		send: func(t *testing.T, s *site) answer {
			s.Handler = asHost(s.Handler, "backend:8080")
			return postBadly(t, s, "Origin", origin)
		},
		status: 403, want: logLine{"code": "cross_origin", "origin": origin, "host": "backend:8080", "sec_fetch_site": ""},
		errHas: "Origin and Host of the request differ", hint: "a proxy changes Host",
	},
	{
		name:   "hidden origin",
		send:   func(t *testing.T, s *site) answer { return postBadly(t, s, "Origin", "null") },
		status: 403, want: logLine{"code": "cross_origin", "origin": "null"},
		errHas: "Origin: null", hint: "RedirectMode needs https",
	},
	{
		name:   "Google's form without RedirectMode",
		send:   func(t *testing.T, s *site) answer { return postBadly(t, s, "Origin", "https://accounts.google.com") },
		status: 403, want: logLine{"code": "cross_origin", "origin": "https://accounts.google.com"},
		errHas: "Config.RedirectMode is not set", hint: "Set Config.RedirectMode",
	},
	{
		name: "Google's form without its cookie",
		edit: func(c *googlesession.Config) { c.RedirectMode = true },
		send: func(t *testing.T, s *site) answer {
			return serve(t, s, http.MethodPost, "/api/login", "credential="+marked+"&g_csrf_token="+marked,
				"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://accounts.google.com")
		},
		status: 403, want: logLine{"code": "cross_origin", "origin": "https://accounts.google.com"},
		errHas: "g_csrf_token", hint: "needs the same host",
	},
	{
		name: "another host with DangerouslyAllowHTTP",
		edit: func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true },
		send: func(t *testing.T, s *site) answer {
			s.Handler = asHost(s.Handler, "app.lan")
			return serve(t, s, http.MethodGet, "/api/login?q="+marked, "")
		},
		status: 421, want: logLine{"code": "misdirected_request", "method": "GET", "path": "/api/login", "host": "app.lan", "origin": ""},
		errHas: "Host is not localhost", hint: "Unset Config.DangerouslyAllowHTTP",
	},
	{
		name: "faulty verifier",
		edit: func(c *googlesession.Config) { c.Verifier = spaced{} },
		send: func(t *testing.T, s *site) answer {
			return postBadly(t, s, "Cookie", loginCookie+"="+strings.Repeat("A", 43))
		},
		status: 401, want: logLine{"code": "token_refused"},
		errHas: "invalid subject", hint: "Config.Verifier is faulty",
	},
}

// If the user cannot change the cause of a refusal, the operator gets a warning. It says
// where the refusal happened, what the cause is, and what to do.
func TestRefusalsThatNeedTheOperator(t *testing.T) {
	for _, tt := range operatorCases {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the amounts are exact
				s, lines := newQuietSite(t, tt.edit)
				a := tt.send(t, s)
				require.Equal(t, tt.status, a.status, a.body)
				list := lines(t)
				require.Len(t, list, 1)
				l := list[0]
				require.Equal(t, "WARN", l["level"])
				require.Contains(t, []string{"googlesession: request refused", "googlesession: sign-in refused"}, l["msg"])
				for key, want := range tt.want {
					require.Equal(t, want, l.text(key), key)
				}
				require.Contains(t, l.text("error"), tt.errHas)
				require.Contains(t, l.text("hint"), tt.hint)
				requireNothingHidden(t, list, s)
				if a.header.Get("Content-Type") == "application/problem+json" {
					require.Equal(t, tt.want["code"], string(a.code(t)))
				}
			})
		})
	}
}

// spaced is a verifier that returns a subject that cannot be a user ID.
type spaced struct{}

func (spaced) ClientID() string { return clientID }

func (spaced) Verify(context.Context, string, string) (googlesession.Identity, error) {
	return googlesession.Identity{Subject: "a b"}, nil
}

// requireNothingHidden fails if the log has a part of a query, a cookie, a token or a body,
// or a claim.
func requireNothingHidden(t *testing.T, lines []logLine, s *site) {
	t.Helper()
	text := fmt.Sprint(lines)
	for _, secret := range []string{marked, "?", "eyJ", alice, "Alice", "lh3.googleusercontent", "other.apps", "app.apps"} {
		require.NotContains(t, strings.ReplaceAll(text, origin, ""), secret)
	}
	for _, at := range []int64{time.Now().Unix(), time.Now().Add(time.Minute).Unix(), time.Now().Add(time.Hour).Unix()} {
		require.NotContains(t, text, fmt.Sprint(at), "a claim")
	}
	require.NotContains(t, text, s.google.KeyID())
}
