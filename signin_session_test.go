package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A sign-in creates a new session and ends the session that the browser had.
func TestSignInEndsThePresentedSession(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	old := cookie(t, c, sessionCookie)
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token("bob@gmail.com", begin(t, c))).status)
	require.NotEqual(t, old, cookie(t, c, sessionCookie))
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+old)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, "bob@gmail.com", get(t, c, "/private").body)
}

// A planted cookie never becomes a session.
func TestFixation(t *testing.T) {
	s := newSite(t, nil)
	planted, _ := s.manager.NewToken(s.google.Subject(alice))
	c := s.google.Browser(s)
	nonce := begin(t, c)
	a := serve(t, s, http.MethodPost, "/api/login", `{"credential":"`+s.google.Token(alice, nonce)+`"}`,
		"Content-Type", "application/json",
		"Cookie", loginCookie+"="+cookie(t, c, loginCookie)+"; "+sessionCookie+"="+planted)
	require.Equal(t, http.StatusOK, a.status)
	require.NotContains(t, a.header.Get("Set-Cookie"), planted)
	a = serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+planted)
	require.Equal(t, http.StatusUnauthorized, a.status)
}

func TestDisabledUserCannotSignIn(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	yes := true
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), googlesession.AccessChange{Disabled: &yes})
	require.NoError(t, err)
	a := post(t, c, s.google.Token(alice, begin(t, c)))
	require.Equal(t, http.StatusForbidden, a.status)
	require.Equal(t, googlesession.CodeUserDisabled, a.code(t))
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, 1, s.store.count("CreateSession"), "refused before a session is asked for")
}

// Whatever fails during a sign-in, the answer is 503 and has no cookie.
func TestSignInFaults(t *testing.T) {
	down := errors.New("connection refused to 10.1.2.3")
	for _, method := range []string{"SignIn", "CreateSession", "RevokeSession"} {
		for _, err := range []error{down, fmt.Errorf("%w: pool", googlesession.ErrUnavailable), context.DeadlineExceeded, googlesession.ErrNoSession} {
			t.Run(method+" "+err.Error(), func(t *testing.T) {
				s := newSite(t, nil)
				c := s.signIn(t, alice) // so that there is a session to replace
				old := cookie(t, c, sessionCookie)
				s.store.failing(method, err)
				a := post(t, c, s.google.Token(alice, begin(t, c)))
				require.Equal(t, http.StatusServiceUnavailable, a.status)
				require.Equal(t, googlesession.CodeUnavailable, a.code(t))
				require.NotEmpty(t, a.header.Get("Retry-After"))
				require.Empty(t, a.header["Set-Cookie"])
				require.NotContains(t, a.body, "10.1.2.3")

				s.store.failing(method, nil)
				require.Equal(t, old, cookie(t, c, sessionCookie))
				require.Equal(t, alice, get(t, c, "/private").body, "the old session goes on")
			})
		}
	}
}

func TestSignInEndsTheNewSessionIfTheOldOneStays(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	s.store.failing("RevokeSession", errors.New("down"))
	nonce := begin(t, c)
	var once sync.Once
	s.store.hook = func(method string) {
		if method == "RevokeSession" { // fails once, for the old session
			once.Do(func() { go s.store.failing("RevokeSession", nil) })
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, post(t, c, s.google.Token(alice, nonce)).status)
	require.GreaterOrEqual(t, s.store.count("RevokeSession"), 2, "the new session is revoked if the store answers")
}

// A terseStore returns a Session without fields when it has created one.
type terseStore struct{ *spy }

func (s terseStore) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	_, err := s.spy.CreateSession(ctx, n)
	return googlesession.Session{}, err
}

// The end of a replaced session does not depend on the Session that CreateSession returns.
func TestReplacedSessionDoesNotNeedTheStoresSession(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Sessions = terseStore{c.Sessions.(*spy)} })
	c := s.signIn(t, alice)
	subject := s.google.Subject(alice)
	s.events = nil
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status)
	require.Equal(t, googlesession.EventRevoked, s.events[0].Kind)
	require.Equal(t, subject, s.events[0].UserID)
	require.Equal(t, subject, s.events[0].Actor)

	s.store.failing("RevokeSession", errors.New("down"))
	s.store.hook = func(method string) {
		if method == "RevokeSession" && s.store.calls[method] > 2 { // only the first of this sign-in fails
			s.store.fail = nil
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, post(t, c, s.google.Token(alice, begin(t, c))).status)
	live, err := s.manager.Sessions(t.Context(), subject)
	require.NoError(t, err)
	require.Len(t, live, 1, "the session whose cookie was not handed out is ended")
}
