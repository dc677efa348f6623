package googlesession_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// The limit ends the least recently used session, or refuses the sign-in.
func TestMaxSessions(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.MaxSessions = 2 })
	first, second := s.signIn(t, alice), s.signIn(t, alice)
	third := s.signIn(t, alice)
	require.Equal(t, http.StatusUnauthorized, get(t, first, "/private").status)
	require.Equal(t, http.StatusOK, get(t, second, "/private").status)
	require.Equal(t, http.StatusOK, get(t, third, "/private").status)
	require.Equal(t, http.StatusOK, get(t, s.signIn(t, "bob@gmail.com"), "/private").status, "of each user")
}

func TestRefuseOverMax(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.MaxSessions, c.RefuseOverMax = 2, true })
	phone, laptop := s.signIn(t, alice), s.signIn(t, alice)
	third := s.google.Browser(s)
	a := post(t, third, s.google.Token(alice, begin(t, third)))
	require.Equal(t, http.StatusForbidden, a.status)
	require.Equal(t, googlesession.CodeTooManySessions, a.code(t))
	require.Empty(t, cookie(t, third, sessionCookie))
	require.Equal(t, http.StatusOK, get(t, phone, "/private").status)
	require.Equal(t, http.StatusOK, get(t, laptop, "/private").status)

	require.Equal(t, http.StatusNoContent, do(t, phone, http.MethodPost, "/api/logout", "").status)
	require.Equal(t, http.StatusOK, post(t, third, s.google.Token(alice, begin(t, third))).status, "there is room again")
}

// A browser that signs in again replaces its own session, and the limit ends no session of
// another browser. That holds for a limit of one, and for a re-authentication.
func TestSignInAgainReplacesSession(t *testing.T) {
	for name, refuse := range map[string]bool{"end one": false, "refuse": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *googlesession.Config) { c.MaxSessions, c.RefuseOverMax = 2, refuse })
			phone, laptop := s.signIn(t, alice), s.signIn(t, alice)
			for range 3 {
				require.Equal(t, http.StatusOK, post(t, laptop, s.google.Token(alice, begin(t, laptop))).status)
				require.Equal(t, http.StatusOK, again(t, laptop, s.google.Token(alice, begin(t, laptop))).status)
			}
			require.Equal(t, http.StatusOK, get(t, phone, "/private").status, "the least recently used one stays")
			require.Len(t, listSessions(t, phone).Sessions, 2)

			// Replacing another user's session makes no room for alice.
			shared := s.signIn(t, "bob@gmail.com")
			a := post(t, shared, s.google.Token(alice, begin(t, shared)))
			if refuse {
				require.Equal(t, googlesession.CodeTooManySessions, a.code(t))
				require.Equal(t, http.StatusOK, get(t, shared, "/private").status, "and bob's goes on")
				return
			}
			require.Equal(t, http.StatusOK, a.status)
			require.Len(t, listSessions(t, shared).Sessions, 2)
		})
	}
}

// Sign-ins at the same time do not exceed the limit.
func TestMaxSessionsAtOnce(t *testing.T) {
	for name, refuse := range map[string]bool{"end one": false, "refuse": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *googlesession.Config) { c.MaxSessions, c.RefuseOverMax = 3, refuse })
			var wg sync.WaitGroup
			for range 30 {
				c := s.google.Browser(s)
				token := s.google.Token(alice, begin(t, c))
				wg.Go(func() { post(t, c, token) })
			}
			wg.Wait()
			list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
			require.NoError(t, err)
			require.Len(t, list, 3)
		})
	}
}
