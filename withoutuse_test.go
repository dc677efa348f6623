package googlesession_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A page that polls every minute does not keep its session live. Every poll is one call to
// the store.
func TestWithoutUse(t *testing.T) {
	s := newSite(t, nil)
	other := newSite(t, func(c *googlesession.Config) { c.Sessions = s.store })
	m := s.manager
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := googlesession.UserFrom(r.Context()); !ok {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	anybody := m.Require(func(context.Context, googlesession.Session) error { return nil })
	for _, tt := range []struct {
		name   string
		h      http.Handler
		polls  int // how many the session lives for, of at most 60
		warned bool
	}{
		{"RequireUser", m.WithoutUse(m.RequireUser(hello)), 30, false},
		{"Load", m.WithoutUse(m.Load(hello)), 30, false},
		{"Require", m.WithoutUse(anybody(hello)), 30, false},
		{"Load and guards", m.WithoutUse(m.Load(m.RequireUser(anybody(hello)))), 30, false},
		{"around part of the guards again", m.WithoutUse(m.Load(m.WithoutUse(m.RequireUser(hello)))), 30, false},
		{"the routes", m.WithoutUse(http.StripPrefix("/api", m.Handler())), 30, false},
		{"inside another Manager's", m.WithoutUse(other.manager.WithoutUse(m.RequireUser(hello))), 30, false},
		{"no WithoutUse", m.RequireUser(hello), 60, false},
		{"inside a guard", m.RequireUser(m.WithoutUse(m.RequireUser(hello))), 60, true},
		{"another Manager's", other.manager.WithoutUse(m.RequireUser(hello)), 60, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token := cookie(t, s.signIn(t, alice), sessionCookie)
				s.events = nil
				logged, asked, polls := len(s.log.String()), s.store.count(), 0
				for open := true; open && polls < 60; polls++ {
					advance(time.Minute)
					open = serve(t, tt.h, http.MethodGet, "/api/user", "", "Cookie", sessionCookie+"="+token).status == http.StatusOK
				}
				require.Equal(t, tt.polls, polls)
				require.Equal(t, tt.polls, s.store.count()-asked, "calls to the store")
				require.Equal(t, tt.polls == 60, slices.Contains(s.kinds(), googlesession.EventTouched))
				require.Equal(t, tt.warned, strings.Contains(s.log.String()[logged:], "Manager.WithoutUse is inside a guard"))
			})
		})
	}
}

// A use outside of WithoutUse counts as always.
func TestUseBesidesPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.signIn(t, alice)
		poll := s.manager.WithoutUse(s.manager.RequireUser(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		polled := func() int {
			return serve(t, poll, http.MethodGet, "/poll", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie)).status
		}
		advance(20 * time.Minute)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		for range 30 {
			require.Equal(t, http.StatusOK, polled())
			advance(time.Minute)
		}
		require.Equal(t, http.StatusUnauthorized, polled())
		require.NotContains(t, s.log.String(), "WithoutUse")
	})
}

// The request that opens a stream does not count as a use inside WithoutUse, so a page that
// opens its stream again and again does not keep the session live.
func TestStreamWithoutUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		token := cookie(t, s.signIn(t, alice), sessionCookie)
		hello := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		stream := s.manager.WithoutUse(s.manager.EndWithSession(0)(s.manager.RequireUser(hello)))
		for range 30 {
			require.Equal(t, http.StatusOK, serve(t, stream, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+token).status)
			advance(time.Minute)
		}
		require.Equal(t, http.StatusUnauthorized, serve(t, stream, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+token).status)
	})
}
