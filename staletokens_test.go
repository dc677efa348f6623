package googlesession_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// onBothLayouts runs a test in a synctest bubble, with sessions and users in one store
// and in two. The site receives Google's security events.
func onBothLayouts(t *testing.T, test func(t *testing.T, s *site, users googlesession.UserStore)) {
	t.Helper()
	for name, apart := range map[string]bool{"one store": false, "two stores": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var users googlesession.UserStore
				s := newSite(t, func(c *googlesession.Config) {
					c.SecurityEventVerifier = c.Verifier.(googlesession.SecurityEventVerifier)
					users = c.Sessions.(googlesession.UserStore)
					if apart {
						users = &spy{store: memstore.New(nil)}
						c.Users = users
					}
				})
				test(t, s, users)
			})
		})
	}
}

func TestDeletedUserStaysOutWithAnEarlierToken(t *testing.T) {
	onBothLayouts(t, func(t *testing.T, s *site, users googlesession.UserStore) {
		c := s.google.Browser(s)
		token := s.google.Token(alice, begin(t, c))
		require.Equal(t, http.StatusOK, post(t, c, token).status)
		advance(time.Second)
		require.NoError(t, s.manager.DeleteUser(t.Context(), s.google.Subject(alice)))

		for _, d := range []time.Duration{0, time.Minute, 8 * time.Minute} {
			advance(d)
			a := post(t, c, token)
			require.Equal(t, http.StatusUnauthorized, a.status)
			require.Equal(t, googlesession.CodeTokenRefused, a.code(t))
			require.Empty(t, a.header["Set-Cookie"])
		}
		_, err := users.User(t.Context(), s.google.Subject(alice))
		require.ErrorIs(t, err, googlesession.ErrNotFound)
		require.Contains(t, s.log.String(), "token_refused:time")

		require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status, "a newer token")
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
	})
}

// A sign-in that was admitted before the deletion does not create a session after it.
func TestSignInInFlightDoesNotBringADeletedUserBack(t *testing.T) {
	onBothLayouts(t, func(t *testing.T, s *site, users googlesession.UserStore) {
		const loops = 4
		for range 20 {
			c := s.google.Browser(s)
			token := s.google.Token(alice, begin(t, c))
			require.Equal(t, http.StatusOK, post(t, c, token).status)
			advance(time.Millisecond)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for range loops {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							browser := *c
							_, _ = s.postQuietly(&browser, token)
							advance(time.Microsecond)
						}
					}
				})
			}
			advance(10 * time.Microsecond)
			err := s.manager.DeleteUser(context.WithoutCancel(t.Context()), s.google.Subject(alice))
			advance(10 * time.Microsecond)
			close(stop)
			wg.Wait()
			require.NoError(t, err)
			_, err = users.User(t.Context(), s.google.Subject(alice))
			require.ErrorIs(t, err, googlesession.ErrNotFound)
			list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
			require.NoError(t, err)
			require.Empty(t, list)
			advance(time.Second) // so that the next token has another second
		}
	})
}

func TestSecurityEventRefusesEarlierTokens(t *testing.T) {
	onBothLayouts(t, func(t *testing.T, s *site, users googlesession.UserStore) {
		hijacker, late := s.google.Browser(s), s.google.Browser(s)
		first, second := s.google.Token(alice, begin(t, hijacker)), s.google.Token(alice, begin(t, late))
		advance(5 * time.Second)
		report := event(s.google, googlesession.ChangeAccountDisabled, alice, "hijacking")
		advance(62 * time.Second)
		require.Equal(t, http.StatusOK, post(t, hijacker, first).status, "Google has not delivered its report yet")
		advance(time.Second)
		require.Equal(t, http.StatusAccepted, deliver(t, s, report).status)
		require.Equal(t, http.StatusUnauthorized, get(t, hijacker, "/private").status)
		for _, c := range []*http.Client{hijacker, late} {
			for _, token := range []string{first, second} {
				require.NotEqual(t, http.StatusOK, post(t, c, token).status)
			}
		}
		u, err := users.User(t.Context(), s.google.Subject(alice))
		require.NoError(t, err)
		require.False(t, u.TokensAfter.IsZero())

		owner := s.signIn(t, alice)
		require.Equal(t, http.StatusAccepted, deliver(t, s, report).status, "Google repeats itself")
		require.Equal(t, http.StatusOK, get(t, owner, "/private").status, "the owner signed in with a newer token")
	})
}

// The report may come before the account has signed in for the first time.
func TestSecurityEventAboutAStranger(t *testing.T) {
	onBothLayouts(t, func(t *testing.T, s *site, _ googlesession.UserStore) {
		c := s.google.Browser(s)
		token := s.google.Token(mallory, begin(t, c))
		advance(5 * time.Second)
		require.Equal(t, http.StatusAccepted, deliver(t, s, s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, mallory)).status)
		require.Equal(t, googlesession.CodeTokenRefused, post(t, c, token).code(t))
		advance(time.Second)
		require.Equal(t, http.StatusOK, post(t, c, s.google.Token(mallory, begin(t, c))).status)
	})
}

// A sign-in that had read the user when the report came creates no session.
func TestSecurityEventBeatsASignInInFlight(t *testing.T) {
	onBothLayouts(t, func(t *testing.T, s *site, _ googlesession.UserStore) {
		c := s.google.Browser(s)
		token := s.google.Token(alice, begin(t, c))
		advance(time.Second)
		report, busy := s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice), false
		s.store.hook = func(method string) {
			if method == "CreateSession" && !busy {
				busy = true
				s.store.mu.Unlock() // the hook runs with this lock held
				require.Equal(t, http.StatusAccepted, deliver(t, s, report).status)
				s.store.mu.Lock()
			}
		}
		require.Equal(t, googlesession.CodeTokenRefused, post(t, c, token).code(t))
		require.True(t, busy)
	})
}

// A session of a stale token is refused even if a broken store or a server of an older
// version has created it.
func TestSessionOfAStaleTokenIsRefused(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Sessions = forgetful{c.Sessions.(store)} })
	c := s.signIn(t, alice)
	require.Equal(t, googlesession.CodeNoSession, get(t, c, "/private").code(t))
}

// forgetful is a broken store that does not apply TokensAfter.
type forgetful struct{ store }

func (f forgetful) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	session, err := f.store.CheckSession(ctx, r, d)
	session.User.TokensAfter = session.TokenIssuedAt
	return session, err
}

func TestDeletedUserLeavesNoProfileInTheSessionStore(t *testing.T) {
	users := memstore.New(nil)
	s := newSite(t, func(c *googlesession.Config) { c.Users = users })
	s.signIn(t, alice)
	disabled := true
	off, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), googlesession.AccessChange{Disabled: &disabled})
	require.NoError(t, err)
	var told []googlesession.User
	s.store.told = func(u googlesession.User) { told = append(told, u) }
	require.NoError(t, s.manager.DeleteUser(t.Context(), s.google.Subject(alice)))
	require.NotEmpty(t, told)
	last := told[len(told)-1]
	require.Equal(t, s.google.Subject(alice), last.ID)
	require.Empty(t, last.Email+last.Name+last.Picture)
	require.True(t, last.Disabled)
	require.Greater(t, last.Version, off.Version, "the store does not apply a version that it knows")
}
