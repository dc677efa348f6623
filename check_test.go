package googlesession_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A malformed cookie is refused without a call to the store.
func TestMalformedCookies(t *testing.T) {
	s := newSite(t, nil)
	good, _ := s.manager.NewToken("x")
	for _, tt := range []struct{ name, cookie string }{
		{"none", ""},
		{"empty", sessionCookie + "="},
		{"short", sessionCookie + "=" + good[:58]},
		{"long", sessionCookie + "=" + good + "A"},
		{"alphabet", sessionCookie + "=" + strings.Repeat("+", 59)},
		{"bits after the end", sessionCookie + "=" + strings.Repeat("A", 58) + "B"},
		{"two", sessionCookie + "=" + good + "; " + sessionCookie + "=" + good},
		{"without prefix", "session=" + good},
		{"other case", strings.ToLower(sessionCookie) + "=" + good},
		{"jar overflow", strings.Repeat("a=b; ", 4000) + sessionCookie + "=" + good},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t, s, http.MethodGet, "/private", "", "Cookie", tt.cookie)
			require.Equal(t, http.StatusUnauthorized, a.status)
			require.Equal(t, googlesession.CodeNoSession, a.code(t))
		})
	}
	require.Zero(t, s.store.count())
}

// Every route refuses an unsafe method from another site.
func TestCrossOrigin(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.TrustedOrigins = []string{"https://front.app.test"} })
	c := s.signIn(t, alice)
	for _, tt := range []struct {
		name, site, origin string
		refused            bool
	}{
		{"same origin", "same-origin", "https://app.test", false},
		{"typed in", "none", "", false},
		{"cross-site", "cross-site", "https://evil.example", true},
		{"sibling host", "same-site", "https://evil.app.test", true},
		{"null origin", "cross-site", "null", true},
		{"no origin", "cross-site", "", true},
		{"unknown value", "SAME-ORIGIN", "https://app.test", true},
		{"trusted", "same-site", "https://front.app.test", false},
		{"trusted, other scheme", "cross-site", "http://front.app.test", true},
		{"Google's page without RedirectMode", "cross-site", "https://accounts.google.com", true},
		{"plain HTTP, same origin", "", "https://app.test", false},
		{"plain HTTP, other origin", "", "https://evil.example", true},
		{"plain HTTP, null", "", "null", true},
		{"no browser", "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var header []string
			if tt.site != "" {
				header = append(header, "Sec-Fetch-Site", tt.site)
			}
			if tt.origin != "" {
				header = append(header, "Origin", tt.origin)
			}
			for _, target := range []string{"POST /private", "PUT /private", "PATCH /private", "DELETE /private", "POST /both", "DELETE /api/sessions", "DELETE /api/sessions/x"} {
				method, path, _ := strings.Cut(target, " ")
				a := do(t, c, method, path, "", header...)
				require.Equal(t, tt.refused, a.status == http.StatusForbidden, "%s: %d", target, a.status)
				if tt.refused {
					require.Equal(t, googlesession.CodeCrossOrigin, a.code(t))
				}
			}
			a := do(t, c, http.MethodPost, "/public", "", header...)
			require.Equal(t, http.StatusOK, a.status)
			require.Equal(t, tt.refused, a.body == "no user", "Load shows no user to another site's request")

			for _, target := range []string{"/private", "/api/user", "/api/sessions"} {
				require.Equal(t, http.StatusOK, get(t, c, target, header...).status, "GET is safe")
			}

			// These two routes write cookies, so each gets a new browser.
			b := s.google.Browser(s)
			a = post(t, b, s.google.Token(alice, begin(t, b)), header...)
			require.Equal(t, tt.refused, a.status == http.StatusForbidden, "login: %d", a.status)
			require.Equal(t, tt.refused, cookie(t, b, sessionCookie) == "")
			b = s.signIn(t, alice)
			a = do(t, b, http.MethodPost, "/api/logout", "", header...)
			require.Equal(t, tt.refused, a.status == http.StatusForbidden, "logout: %d", a.status)
			require.Equal(t, tt.refused, cookie(t, b, sessionCookie) != "")
		})
	}
}

func TestOneStoreCallPerRequest(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	for _, target := range []string{"/private", "/public", "/both", "/admin", "/api/user"} {
		before := s.store.count()
		get(t, c, target)
		require.Equal(t, 1, s.store.count()-before, target)
	}
	before := s.store.count()
	require.Equal(t, "no user", get(t, s.google.Browser(s), "/public").body)
	require.Zero(t, s.store.count()-before, "no cookie, no call")
}

func TestUserFromWithoutAGuard(t *testing.T) {
	_, ok := googlesession.UserFrom(t.Context())
	require.False(t, ok)
	_, ok = googlesession.SessionFrom(t.Context())
	require.False(t, ok)
}

// The decision of one Manager does not count for the guard of another.
func TestLoadOfAnotherManager(t *testing.T) {
	a, b := newSite(t, nil), newSite(t, nil)
	c := a.signIn(t, alice)
	mixed := a.manager.Load(b.manager.RequireUser(http.NotFoundHandler()))
	got := serve(t, mixed, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
	require.Equal(t, http.StatusUnauthorized, got.status)
}

// A store that forgets a check does not let a request in.
func TestManagerChecksTheStoresAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		edit   func(*googlesession.Session)
		status int
	}{
		{"disabled user", func(s *googlesession.Session) { s.User.Disabled = true }, http.StatusForbidden},
		{"another user", func(s *googlesession.Session) { s.User.ID = "mallory" }, http.StatusUnauthorized},
		{"no user", func(s *googlesession.Session) { s.User = googlesession.User{} }, http.StatusUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, nil)
			c := s.signIn(t, alice)
			m, err := googlesession.New(googlesession.Config{Sessions: &lying{s.store, tt.edit}})
			require.NoError(t, err)
			a := serve(t, routes(m), http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
			require.Equal(t, tt.status, a.status)
		})
	}
}

// A client that has gone causes neither an outage nor a refusal.
func TestClientGone(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, origin+"/private", nil)
	r.Header.Set("Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
	events, log := len(s.kinds()), s.log.String()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.NotEqual(t, http.StatusOK, w.Code)
	require.Empty(t, w.Result().Header["Set-Cookie"])
	require.Len(t, s.kinds(), events, "no event")
	require.Equal(t, log, s.log.String(), "nothing is logged")
	require.Equal(t, alice, get(t, c, "/private").body)
}

// A session that ends while one of its requests runs stays ended.
func TestRevokedWhileARequestRuns(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.TouchEvery = time.Millisecond })
	running, finish := make(chan struct{}), make(chan struct{})
	slow := s.manager.RequireUser(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		running <- struct{}{}
		<-finish
	}))
	for range 1000 {
		c := s.signIn(t, alice)
		value := sessionCookie + "=" + cookie(t, c, sessionCookie)
		ref, ok := s.manager.RefOf(cookie(t, c, sessionCookie))
		require.True(t, ok)
		var wg sync.WaitGroup
		wg.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Cookie", value)
			slow.ServeHTTP(httptest.NewRecorder(), r)
		})
		<-running
		require.NoError(t, s.manager.Revoke(t.Context(), ref))
		finish <- struct{}{}
		wg.Wait()
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	}
}
