package googlesession_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// A refusal that a user has caused is not logged for the operator.
func TestOrdinaryRefusalsAreQuiet(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*googlesession.Config)
		send func(*testing.T, *site) answer
		code googlesession.Code
	}{
		{"no session", nil, func(t *testing.T, s *site) answer { return serve(t, s, "GET", "/private", "") }, googlesession.CodeNoSession},
		{"malformed cookie", nil, func(t *testing.T, s *site) answer {
			return serve(t, s, "GET", "/private", "", "Cookie", sessionCookie+"=x")
		}, googlesession.CodeNoSession},
		{"not an administrator", nil, func(t *testing.T, s *site) answer { return get(t, s.signIn(t, alice), "/admin") }, googlesession.CodeNotAdmin},
		{"disabled", nil, func(t *testing.T, s *site) answer {
			s.signIn(t, alice)
			_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), disable)
			require.NoError(t, err)
			c := s.google.Browser(s)
			return post(t, c, s.google.Token(alice, begin(t, c)))
		}, googlesession.CodeUserDisabled},
		{"domain", func(c *googlesession.Config) { c.HostedDomains = []string{"example.com"} }, func(t *testing.T, s *site) answer {
			c := s.google.Browser(s)
			return post(t, c, s.google.Token(alice, begin(t, c)))
		}, googlesession.CodeNotAdmitted},
		{"too many sessions", func(c *googlesession.Config) { c.MaxSessions, c.RefuseOverMax = 1, true }, func(t *testing.T, s *site) answer {
			s.signIn(t, alice)
			c := s.google.Browser(s)
			return post(t, c, s.google.Token(alice, begin(t, c)))
		}, googlesession.CodeTooManySessions},
		{"not a token", nil, func(t *testing.T, s *site) answer {
			c := s.google.Browser(s)
			begin(t, c)
			return post(t, c, "x.y")
		}, googlesession.CodeTokenRefused},
		{"token from before a deletion", nil, func(t *testing.T, s *site) answer {
			c := s.signIn(t, alice)
			token := s.google.Token(alice, begin(t, c))
			require.NoError(t, s.manager.DeleteUser(t.Context(), s.google.Subject(alice)))
			return post(t, c, token)
		}, googlesession.CodeTokenRefused},
		{"old token at a re-authentication", nil, func(t *testing.T, s *site) answer {
			c := s.signIn(t, alice)
			d := s.google.Draft(alice, begin(t, c))
			d.Claims["iat"] = time.Now().Add(-5 * time.Second).Unix()
			return again(t, c, s.google.Mint(d))
		}, googlesession.CodeTokenRefused},
		{"another account", nil, func(t *testing.T, s *site) answer {
			c := s.signIn(t, alice)
			return again(t, c, s.google.Token("bob@gmail.com", begin(t, c)))
		}, googlesession.CodeWrongAccount},
		{"signing in again without a session", nil, func(t *testing.T, s *site) answer {
			c := s.google.Browser(s)
			return again(t, c, s.google.Token(alice, begin(t, c)))
		}, googlesession.CodeNoSession},
		{"malformed body", nil, func(t *testing.T, s *site) answer {
			return serve(t, s, "POST", "/api/login", "{", "Content-Type", "application/json")
		}, googlesession.CodeBadRequest},
		{"no such route", nil, func(t *testing.T, s *site) answer { return serve(t, s, "GET", "/api/nothing", "") }, googlesession.CodeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, lines := newQuietSite(t, tt.edit)
				require.Equal(t, tt.code, tt.send(t, s).code(t))
				for _, l := range lines(t) {
					require.Contains(t, []string{"DEBUG", "INFO"}, l["level"], l)
					require.Equal(t, "googlesession: sign-in refused", l["msg"])
					require.Equal(t, "/api/login", l["path"])
					require.Empty(t, l["hint"])
				}
			})
		})
	}
}

// Texts from a request are shortened in the log, and cannot forge a line.
func TestTextsFromOutsideAreBounded(t *testing.T) {
	out := new(bytes.Buffer)
	s := newSite(t, func(c *googlesession.Config) { c.Events, c.Logger = nil, slog.New(slog.NewTextHandler(out, nil)) })
	s.Handler = asHost(s.Handler, "h\u202e\n"+strings.Repeat("h", 5000))
	serve(t, s, http.MethodPost, "/private/"+strings.Repeat("p", 5000), "", "Origin", "null\u202e")
	serve(t, s, http.MethodPost, "/private", "", "Origin", "https://o\u202e\nlevel=ERROR "+strings.Repeat("o", 5000), "User-Agent", strings.Repeat("u", 5000))
	require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
	require.Less(t, out.Len(), 2500)
	require.NotContains(t, out.String(), "\u202e")
}

// A refused security event is logged once, and a burst is summarized.
func TestRefusedSecurityEventsAreSummarized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lines := jsonLogger(slog.LevelDebug)
		s := newSite(t, func(c *googlesession.Config) {
			c.Logger, c.Events = l, googlesession.LogEvents(l)
			c.SecurityEventVerifier = c.Verifier.(googlesession.SecurityEventVerifier)
		})
		other := googletest.NewGoogle("other.apps.googleusercontent.com")
		for range 5 {
			require.Equal(t, 400, deliver(t, s, other.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)).status)
		}
		require.Len(t, lines(t), 1)
		first := lines(t)[0]
		require.Equal(t, "googlesession: security event refused", first["msg"])
		require.Equal(t, "security_event:audience", first["reason"])
		require.Equal(t, "/api/security-events", first["path"])
		require.Contains(t, first["hint"], "every client ID of the project")
		advance(time.Minute + time.Millisecond)
		require.Len(t, lines(t), 2)
		require.InDelta(t, 4, lines(t)[1]["suppressed"], 0)
	})
}

// A user with a listed address who does not become an administrator is named at each
// sign-in, with the reason.
func TestListedAddressThatGoogleDoesNotVouchFor(t *testing.T) {
	for _, tt := range []struct {
		name, reason string
		change       func(claims map[string]any)
	}{
		{"not verified", "Google has not verified the address", func(c map[string]any) { c["email_verified"] = false }},
		{"consumer account", "the account has no hosted domain, and the address is not at gmail.com", func(c map[string]any) { delete(c, "hd") }},
		{"another Workspace", "the account's hosted domain is not the domain of the address", func(c map[string]any) { c["hd"] = "other.example" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, lines := newQuietSite(t, func(c *googlesession.Config) { c.Admins = []string{adminEmail} })
				sign := func() {
					c := s.google.Browser(s)
					d := s.google.Draft(adminEmail, begin(t, c))
					tt.change(d.Claims)
					require.Equal(t, 200, post(t, c, s.google.Mint(d)).status)
				}
				sign()
				require.Len(t, lines(t), 1)
				l := lines(t)[0]
				require.Equal(t, "WARN", l["level"])
				require.Equal(t, tt.reason, l["reason"])
				require.Equal(t, s.google.Subject(adminEmail), l["user"])
				require.Contains(t, l["hint"], "Manager.SetAccess")
				require.NotContains(t, fmt.Sprint(l), "example")
				advance(2 * time.Minute)
				sign()
				require.Len(t, lines(t), 2, "again at the next sign-in")
				_, err := s.manager.SetAccess(t.Context(), s.google.Subject(adminEmail), promote)
				require.NoError(t, err)
				advance(2 * time.Minute)
				sign()
				require.Len(t, lines(t), 2, "an administrator already")
			})
		})
	}
}

// An application that calls SignOut or BeginSignIn itself need not log the refusal.
func TestRefusedCallsAreReported(t *testing.T) {
	s, lines := newQuietSite(t, func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true })
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/signout?q="+marked, nil)
	r.Host = "app.lan"
	_, err := s.manager.BeginSignIn(httptest.NewRecorder(), r)
	require.Error(t, err)
	r.Host = "localhost"
	r.Header.Set("Origin", "https://front.app.test")
	require.Error(t, s.manager.SignOut(httptest.NewRecorder(), r))
	list := lines(t)
	require.Len(t, list, 2)
	require.Equal(t, "misdirected_request", list[0]["code"])
	require.Equal(t, "cross_origin", list[1]["code"])
	require.Equal(t, "/signout", list[1]["path"])
	require.Equal(t, "WARN", list[1]["level"])
	requireNothingHidden(t, list, s)
}

// If RequireFresh refuses a session just after its sign-in, the log says that a clock is
// ahead.
func TestFreshAndTooOldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			age, later time.Duration // of the token at the sign-in, and of the session at the request
			warn       bool
		}{
			{2 * time.Minute, 3 * time.Second, true},
			{2 * time.Minute, time.Minute, false},
			{0, 2 * time.Minute, false},
		} {
			s, lines := newQuietSite(t, nil)
			c := s.google.Browser(s)
			d := s.google.Draft(alice, begin(t, c))
			d.Claims["iat"] = time.Now().Add(-tt.age).Unix()
			require.Equal(t, 200, post(t, c, s.google.Mint(d)).status)
			advance(tt.later)
			fresh := s.manager.RequireFresh(time.Minute)(http.NotFoundHandler())
			a := serve(t, fresh, http.MethodPost, "/pay", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
			require.Equal(t, googlesession.CodeReauthNeeded, a.code(t))
			if !tt.warn {
				require.Empty(t, lines(t))
				continue
			}
			require.Len(t, lines(t), 1)
			require.Equal(t, "reauth_needed", lines(t)[0]["code"])
			require.Contains(t, lines(t)[0]["error"], "the session is 3s old, and Google issued its token 2m3s ago by this server's clock")
			require.Contains(t, lines(t)[0]["hint"], "NTP")
		}
	})
}

// A server whose Config does not name the proxy in front of it logs that once, at a
// sign-in. A header that a stranger has sent logs nothing.
func TestProxyWithoutClientIP(t *testing.T) {
	for _, tt := range []struct {
		name, peer string
		edit       func(*googlesession.Config)
		header     []string
		warn       bool
	}{
		{"proxy on this host", "127.0.0.1:5000", nil, []string{"X-Forwarded-For", "198.51.100.7"}, true},
		{"proxy in this network", "10.0.0.7:5000", nil, []string{"X-Forwarded-For", "198.51.100.7"}, true},
		{"Unix socket", "@", nil, []string{"X-Forwarded-For", "198.51.100.7"}, true},
		{"stranger", "203.0.113.9:5000", nil, []string{"X-Forwarded-For", "198.51.100.7"}, false},
		{"no proxy", "127.0.0.1:5000", nil, nil, false},
		{"ClientIP lists the proxy", "127.0.0.1:5000", func(c *googlesession.Config) {
			c.ClientIP = googlesession.ClientIPBehind(netip.MustParsePrefix("127.0.0.1/32"))
		}, []string{"X-Forwarded-For", "198.51.100.7"}, false},
		{"ClientIP lists another proxy", "127.0.0.1:5000", func(c *googlesession.Config) {
			c.ClientIP = googlesession.ClientIPBehind(netip.MustParsePrefix("10.0.0.0/8"))
		}, []string{"X-Forwarded-For", "198.51.100.7"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, lines := newQuietSite(t, tt.edit)
			inner := s.Handler
			s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = tt.peer
				inner.ServeHTTP(w, r)
			})
			for range 3 {
				c := s.google.Browser(s)
				require.Equal(t, 200, post(t, c, s.google.Token(alice, begin(t, c)), tt.header...).status)
			}
			if !tt.warn {
				require.Empty(t, lines(t))
				return
			}
			require.Len(t, lines(t), 1)
			require.Equal(t, "WARN", lines(t)[0]["level"])
			require.Contains(t, lines(t)[0]["hint"], "ClientIPBehind")
		})
	}
}

// A login page behind a guard is logged, because no visitor can sign in. Another refused
// page is not logged.
func TestGuardedLoginPage(t *testing.T) {
	s, lines := newQuietSite(t, func(c *googlesession.Config) { c.LoginPage = "/app/login" })
	guarded := http.StripPrefix("/app", s.manager.RequireUser(http.NotFoundHandler()))
	for _, path := range []string{"/app/", "/app/login/other"} {
		require.Equal(t, 303, serve(t, guarded, http.MethodGet, path, "", "Sec-Fetch-Mode", "navigate").status)
	}
	require.Empty(t, lines(t))
	require.Equal(t, 401, serve(t, guarded, http.MethodGet, "/app/login?next=/app/&code=no_session", "", "Sec-Fetch-Mode", "navigate").status)
	require.Len(t, lines(t), 1)
	require.Equal(t, "/app/login", lines(t)[0]["path"])
	require.Contains(t, lines(t)[0]["hint"], "without a guard")
}

// A sign-in by redirect that begins outside of Config.BaseURL is logged. A proxy may have
// removed the beginning of the path.
func TestRedirectOutsideOfBaseURL(t *testing.T) {
	for base, warn := range map[string]bool{
		origin + "/api":           false,
		origin + "/behind/api":    false,
		origin:                    true,
		origin + "/auth":          true,
		origin + "/api/old":       true,
		origin + "/api/login/new": true,
	} {
		t.Run(base, func(t *testing.T) {
			s, lines := newQuietSite(t, func(c *googlesession.Config) {
				c.BaseURL, c.CodeExchanger = base, new(lateExchanger)
			})
			require.Equal(t, 303, serve(t, s, http.MethodGet, "/api/login/google/?next=/"+marked, "").status)
			if !warn {
				require.Empty(t, lines(t))
				return
			}
			require.Len(t, lines(t), 1)
			require.Equal(t, "/api/login/google/", lines(t)[0]["path"])
			require.Equal(t, base, lines(t)[0]["base_url"])
			requireNothingHidden(t, lines(t), s)
		})
	}
}

// Google's code does not get into the address of the login page if a guard gets the request
// that comes back from Google.
func TestCallbackAtAGuard(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	a := serve(t, s.manager.RequireUser(http.NotFoundHandler()), http.MethodGet, "/auth/login/google/callback?code="+marked+"&state=x", "", "Sec-Fetch-Mode", "navigate")
	require.Equal(t, "/login?code=no_session&next=%2F", a.header.Get("Location"))
	var denied string
	without := newSite(t, func(c *googlesession.Config) {
		c.Deny = func(_ http.ResponseWriter, r *http.Request, _ googlesession.Denial) {
			denied = r.URL.String() + " " + r.RequestURI
		}
	})
	serve(t, without.manager.RequireUser(http.NotFoundHandler()), http.MethodGet, "/auth/login/google/callback/?code="+marked+"&state=x", "", "Sec-Fetch-Mode", "navigate")
	require.Equal(t, origin+"/auth/login/google/callback/ /auth/login/google/callback/", denied)
	s.store.failing("CheckSession", errors.New("down"))
	a = serve(t, s.manager.RequireUser(http.NotFoundHandler()), http.MethodGet, "/auth/login/google/callback?code="+marked, "",
		"Sec-Fetch-Mode", "navigate", "Cookie", sessionCookie+"="+cookie(t, s.signIn(t, alice), sessionCookie))
	require.Equal(t, 503, a.status)
	require.NotContains(t, a.body, marked)
}

// Handler without http.StripPrefix answers 404 to everything, and the log says why.
func TestHandlerWithoutStripPrefix(t *testing.T) {
	s, lines := newQuietSite(t, nil)
	for _, path := range []string{"/api/nothing", "/api/login", "/v1/api/admin/users/7"} {
		a := serve(t, s.manager.Handler(), http.MethodGet, path+"?q="+marked, "")
		require.Equal(t, googlesession.CodeNotFound, a.code(t))
	}
	list := lines(t)
	require.Len(t, list, 1, "the second is counted")
	require.Equal(t, "INFO", list[0]["level"])
	require.Equal(t, "not_found", list[0]["code"])
	require.Contains(t, list[0]["hint"], "http.StripPrefix")
	requireNothingHidden(t, list, s)

	s, lines = newQuietSite(t, nil)
	serve(t, s, http.MethodGet, "/api/old/login", "")
	require.Empty(t, lines(t), "a prefix was removed, so the path is a stranger's")
}
