package googlesession_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestRedirectReauthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRedirectSite(t, nil)
		c := s.signIn(t, alice)
		advance(time.Hour / 4)
		page := toGoogle(t, c, "?next=/private&reauth=true")
		require.Equal(t, alice, parameter(t, page, "login_hint"))
		require.Equal(t, "select_account", parameter(t, page, "prompt"))
		old := cookie(t, c, sessionCookie)

		a := comeBack(t, c, atGoogle(t, s, page, bob))
		require.Equal(t, http.StatusForbidden, a.status)
		require.Equal(t, googlesession.CodeWrongAccount, a.code(t))
		require.Equal(t, old, cookie(t, c, sessionCookie), "the session goes on")
		_, err := s.store.User(t.Context(), s.google.Subject(bob))
		require.ErrorIs(t, err, googlesession.ErrNotFound, "it has left no user behind")

		a = comeBack(t, c, atGoogle(t, s, toGoogle(t, c, "?next=/private&reauth=true"), alice))
		require.Equal(t, "/private", a.header.Get("Location"))
		require.NotEqual(t, old, cookie(t, c, sessionCookie))
		require.Len(t, listSessions(t, c).Sessions, 1)
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Equal(t, "again", s.events[len(s.events)-1].Reason)
	})
}

// Without a live session there is no account to compare with, so the person signs in.
func TestRedirectReauthenticationWithoutASession(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	page := toGoogle(t, c, "?next=/private&reauth=true")
	require.Empty(t, parameter(t, page, "login_hint"))
	require.Equal(t, "/private", comeBack(t, c, atGoogle(t, s, page, alice)).header.Get("Location"))

	page = toGoogle(t, c, "?next=/private&reauth=true")
	require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, "/api/logout", "").status)
	a := comeBack(t, c, atGoogle(t, s, page, alice))
	require.Equal(t, googlesession.CodeNonceMismatch, a.code(t), "a sign-out ends what its browser has begun")
	require.Empty(t, cookie(t, c, sessionCookie))

	s.store.failing("CheckSession", errors.New("down"))
	c = s.google.Browser(s)
	require.Equal(t, http.StatusSeeOther, get(t, c, beginPath+"?reauth=true").status, "no cookie, no question to the store")
	s.store.failing("CheckSession", nil)
	c = s.signIn(t, alice)
	s.store.failing("CheckSession", errors.New("down"))
	require.Equal(t, http.StatusServiceUnavailable, get(t, c, beginPath+"?reauth=true").status)
	require.Equal(t, http.StatusSeeOther, get(t, c, beginPath).status, "only a re-authentication asks")
}

// A session that was revoked while its user was at Google does not come back.
func TestRedirectReauthenticationOfARevokedSession(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.signIn(t, alice)
	back := atGoogle(t, s, toGoogle(t, c, "?reauth=true"), alice)
	_, err := s.manager.RevokeUser(t.Context(), s.google.Subject(alice))
	require.NoError(t, err)
	a := comeBack(t, c, back)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, 1, s.store.count("CreateSession"), "that of the first sign-in")
}

// A user whose session is refused because it is not bound signs in again by a link to a
// re-authentication, too.
func TestRedirectReauthenticationOfUnboundSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRedirectSite(t, func(c *googlesession.Config) { c.DeviceBinding = googlesession.BindEverybody })
		c := s.signIn(t, alice)
		advance(3 * time.Minute)
		require.Equal(t, http.StatusForbidden, get(t, c, "/private").status)
		page := toGoogle(t, c, "?next=/private&reauth=true")
		require.Empty(t, parameter(t, page, "login_hint"))
		a := comeBack(t, c, atGoogle(t, s, page, alice))
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status, "two more minutes")
	})
}
