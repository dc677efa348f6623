package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A guard's answer follows from the store's. It never changes the cookie.
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
			require.Equal(t, "no user", a.body, "an outage does not admit")
		})
	}
	require.Equal(t, alice, get(t, c, "/private").body, "and the session goes on")
}

func TestLoginPage(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	s.Handler = func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", next)
		mux.Handle("/login", s.manager.RequireUser(next)) // a mistake, which must not loop
		mux.Handle("/app/", http.StripPrefix("/app", next))
		return mux
	}(s.Handler)
	const to = "/login?code=no_session&next="
	for _, tt := range []struct {
		name, method, target string
		header               []string
		want                 string // "" = no redirect
	}{
		{"a page", "GET", "/private?q=1&r=2", []string{"Sec-Fetch-Mode", "navigate"}, to + "%2Fprivate%3Fq%3D1%26r%3D2"},
		{"an old browser", "GET", "/private", []string{"Accept", "text/html,*/*"}, to + "%2Fprivate"},
		{"under a prefix", "GET", "/app/private", []string{"Sec-Fetch-Mode", "navigate"}, to + "%2Fapp%2Fprivate"},
		{"fetch", "GET", "/private", []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, ""},
		{"a script", "GET", "/private", nil, ""},
		{"a form", "POST", "/private", []string{"Sec-Fetch-Mode", "navigate"}, to + "%2F"},
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
	require.Equal(t, http.StatusServiceUnavailable, a.status, "an outage signs no user out")
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

type lying struct {
	googlesession.SessionStore
	edit func(*googlesession.Session)
}

func (l *lying) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	s, err := l.SessionStore.CheckSession(ctx, r, d)
	l.edit(&s)
	return s, err
}

// Both timeouts hold to the millisecond, from the request's point of view.
func TestTimeouts(t *testing.T) {
	edit := func(c *googlesession.Config) {
		c.IdleTimeout, c.MaxLifetime, c.TouchEvery = time.Minute, 10*time.Minute, time.Second
	}
	inBubble(t, "idle, 1 ms before", edit, func(t *testing.T, s *site) {
		c := s.signIn(t, alice)
		advance(time.Minute - time.Millisecond)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
	})
	inBubble(t, "idle", edit, func(t *testing.T, s *site) {
		c := s.signIn(t, alice)
		advance(time.Minute)
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	})
	inBubble(t, "absolute, however much it is used", edit, func(t *testing.T, s *site) {
		c := s.signIn(t, alice)
		for range 11 {
			advance(50 * time.Second)
			require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		}
		advance(50*time.Second - time.Millisecond)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		advance(time.Millisecond)
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	})
}

// inBubble runs a subtest in a synctest bubble.
func inBubble(t *testing.T, name string, edit func(*googlesession.Config), run func(*testing.T, *site)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { run(t, newSite(t, edit)) })
	})
}

// A thousand requests within TouchEvery record no use, and the next one after it records one.
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
			advance(59 * time.Millisecond)
			require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		}
		require.Equal(t, start, seen(), "within the minute")
		advance(time.Second)
		for range 10 {
			get(t, c, "/private")
		}
		require.Equal(t, time.Minute, seen().Sub(start), "after it, once")
	})
}

// A late answer about an old cookie does not delete the new cookie.
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
