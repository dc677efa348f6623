package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// Table L: what a guard answers, by what the store says. The cookie is left alone
// in every case.
func TestGuardStatuses(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   googlesession.Code
	}{
		{"no session", googlesession.ErrNoSession, 401, googlesession.CodeNoSession},
		{"wrapped", fmt.Errorf("store: %w", googlesession.ErrNoSession), 401, googlesession.CodeNoSession},
		{"expired", googlesession.ErrSessionExpired, 401, googlesession.CodeSessionExpired},
		{"revoked", googlesession.ErrSessionRevoked, 401, googlesession.CodeSessionRevoked},
		{"disabled", googlesession.ErrUserDisabled, 403, googlesession.CodeUserDisabled},
		{"outage first", errors.Join(googlesession.ErrNoSession, googlesession.ErrUnavailable), 503, googlesession.CodeUnavailable},
		{"outage", googlesession.ErrUnavailable, 503, googlesession.CodeUnavailable},
		{"any other error", errors.New("pq: password authentication failed"), 503, googlesession.CodeUnavailable},
		{"deadline", context.DeadlineExceeded, 503, googlesession.CodeUnavailable},
		{"cancelled by the store", context.Canceled, 503, googlesession.CodeUnavailable},
		{"no such user is no 401", googlesession.ErrNotFound, 503, googlesession.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.store.failing("CheckSession", tt.err)
			defer s.store.failing("CheckSession", nil)
			for _, target := range []string{"/private", "/admin", "/both", "/api/user", "/api/sessions"} {
				a := get(t, c, target)
				require.Equal(t, tt.status, a.status, target)
				require.Equal(t, tt.code, a.code(t), target)
				require.Empty(t, a.header["Set-Cookie"], "the cookie is left alone")
				require.Equal(t, "no-store", a.header.Get("Cache-Control"))
				require.Equal(t, tt.status == 503, a.header.Get("Retry-After") != "")
				require.NotContains(t, a.body, "password")
			}
			a := get(t, c, "/public")
			require.Equal(t, http.StatusOK, a.status)
			require.Equal(t, "nobody", a.body, "an outage admits nobody")
		})
	}
	require.Equal(t, alice, get(t, c, "/private").body, "and the session goes on")
}

// C-2, C-13: what is no cookie of ours never reaches the store.
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

// C-15, G-11, G-33: unsafe methods from another site, on every route.
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
			require.Equal(t, tt.refused, a.body == "nobody", "Load shows no user to another site's request")

			for _, target := range []string{"/private", "/api/user", "/api/sessions"} {
				require.Equal(t, http.StatusOK, get(t, c, target, header...).status, "GET is safe")
			}

			// The two routes that write cookies, with browsers of their own.
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

func TestLoginPage(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	s.Handler = func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", next)
		mux.Handle("/login", s.manager.RequireUser(next)) // a mistake that must not loop
		mux.Handle("/app/", http.StripPrefix("/app", next))
		return mux
	}(s.Handler)
	const to = "/login?code=no_session&next="
	for _, tt := range []struct {
		name, method, target string
		header               []string
		want                 string // "" = problem+json
	}{
		{"a page", "GET", "/private?q=1&r=2", []string{"Sec-Fetch-Mode", "navigate"}, to + "%2Fprivate%3Fq%3D1%26r%3D2"},
		{"an old browser", "GET", "/private", []string{"Accept", "text/html,*/*"}, to + "%2Fprivate"},
		{"under a prefix", "GET", "/app/private", []string{"Sec-Fetch-Mode", "navigate"}, to + "%2Fapp%2Fprivate"},
		{"fetch", "GET", "/private", []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, ""},
		{"a script", "GET", "/private", nil, ""},
		{"a form", "POST", "/private", []string{"Sec-Fetch-Mode", "navigate"}, ""},
		{"the login page itself", "GET", "/login", []string{"Sec-Fetch-Mode", "navigate"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t, s, tt.method, tt.target, "", tt.header...)
			require.Equal(t, tt.want, a.header.Get("Location"))
			require.Equal(t, tt.want == "", a.status == http.StatusUnauthorized, "%d", a.status)
			if tt.want != "" {
				require.Equal(t, http.StatusSeeOther, a.status)
			}
		})
	}
	c := s.signIn(t, alice)
	a := get(t, c, "/admin", "Sec-Fetch-Mode", "navigate")
	require.Equal(t, http.StatusForbidden, a.status, "a redirect would hide it")
	s.store.failing("CheckSession", errors.New("down"))
	a = get(t, c, "/private", "Sec-Fetch-Mode", "navigate")
	require.Equal(t, http.StatusServiceUnavailable, a.status, "an outage throws nobody out")
}

func TestDeny(t *testing.T) {
	var got googlesession.Denial
	s := newSite(t, func(c *googlesession.Config) {
		c.Deny = func(w http.ResponseWriter, _ *http.Request, d googlesession.Denial) {
			got = d
			w.WriteHeader(http.StatusTeapot)
		}
	})
	require.Equal(t, http.StatusTeapot, get(t, s.google.Browser(s), "/private").status)
	require.Equal(t, http.StatusUnauthorized, got.Status)
	require.Equal(t, googlesession.CodeNoSession, got.Code)
	require.NotEmpty(t, got.Detail)
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
	require.Equal(t, "nobody", get(t, s.google.Browser(s), "/public").body)
	require.Zero(t, s.store.count()-before, "no cookie, no call")
}

func TestUserFromWithoutAGuard(t *testing.T) {
	_, ok := googlesession.UserFrom(t.Context())
	require.False(t, ok)
	_, ok = googlesession.SessionFrom(t.Context())
	require.False(t, ok)
}

// The answer of one Manager must not pass another one's guard.
func TestLoadOfAnotherManager(t *testing.T) {
	a, b := newSite(t, nil), newSite(t, nil)
	c := a.signIn(t, alice)
	mixed := a.manager.Load(b.manager.RequireUser(http.NotFoundHandler()))
	got := serve(t, mixed, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
	require.Equal(t, http.StatusUnauthorized, got.status)
}

// A store that forgets to check must not admit.
func TestManagerDistrustsTheStore(t *testing.T) {
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

type lying struct {
	googlesession.SessionStore
	edit func(*googlesession.Session)
}

func (l *lying) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	s, err := l.SessionStore.CheckSession(ctx, r, d)
	l.edit(&s)
	return s, err
}

// A client that has gone is neither an outage nor a refusal.
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

// C-4, C-5: both timeouts, to the millisecond, through the front door.
func TestTimeouts(t *testing.T) {
	edit := func(c *googlesession.Config) {
		c.IdleTimeout, c.MaxLifetime, c.TouchEvery = time.Minute, 10*time.Minute, time.Second
	}
	inBubble(t, "idle, 1 ms before", edit, func(t *testing.T, s *site) {
		c := s.signIn(t, alice)
		time.Sleep(time.Minute - time.Millisecond) //nolint:forbidigo // synctest
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
	})
	inBubble(t, "idle", edit, func(t *testing.T, s *site) {
		c := s.signIn(t, alice)
		time.Sleep(time.Minute) //nolint:forbidigo // synctest
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	})
	inBubble(t, "absolute, however much it is used", edit, func(t *testing.T, s *site) {
		c := s.signIn(t, alice)
		for range 11 {
			time.Sleep(50 * time.Second) //nolint:forbidigo // synctest
			require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		}
		time.Sleep(50*time.Second - time.Millisecond) //nolint:forbidigo // synctest
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		time.Sleep(time.Millisecond) //nolint:forbidigo // synctest
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	})
}

// inBubble runs a subtest on a fake clock.
func inBubble(t *testing.T, name string, edit func(*googlesession.Config), run func(*testing.T, *site)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { run(t, newSite(t, edit)) })
	})
}

// 1000 reads record nothing within TouchEvery, and once after it.
func TestReadsDoNotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.signIn(t, alice)
		seen := func() time.Time {
			list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
			require.NoError(t, err)
			require.Len(t, list, 1)
			return list[0].SeenAt
		}
		start := seen()
		for range 1000 {
			time.Sleep(59 * time.Millisecond) //nolint:forbidigo // synctest
			require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		}
		require.Equal(t, start, seen(), "within the minute")
		time.Sleep(time.Second) //nolint:forbidigo // synctest
		for range 10 {
			get(t, c, "/private")
		}
		require.Equal(t, time.Minute, seen().Sub(start), "after it, once")
	})
}

// G-22, G-23: a session ended while one of its requests runs stays dead.
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

// A late answer for an old cookie must not delete the new one.
func TestLateAnswerLeavesTheNewCookie(t *testing.T) {
	s := newSite(t, nil)
	running, finish := make(chan struct{}), make(chan struct{})
	inner := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			running <- struct{}{}
			<-finish
			s.manager.RequireUser(http.NotFoundHandler()).ServeHTTP(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
	c := s.signIn(t, alice)
	var wg sync.WaitGroup
	var late answer
	wg.Go(func() { late = get(t, c, "/late") })
	<-running
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status)
	fresh := cookie(t, c, sessionCookie)
	close(finish)
	wg.Wait()
	require.Equal(t, http.StatusUnauthorized, late.status, "the old session is over")
	require.Equal(t, fresh, cookie(t, c, sessionCookie))
	require.Equal(t, alice, get(t, c, "/private").body)
}
