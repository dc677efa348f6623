package googlesession_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// The export has everything that the stores have about the user, and nothing about others.
func TestExport(t *testing.T) {
	s := newSite(t, nil)
	s.signIn(t, "bob@gmail.com")
	c := s.signIn(t, alice)
	other := s.signIn(t, alice)
	_, err := s.manager.SetUserData(t.Context(), s.google.Subject(alice), `{"plan":"pro"}`)
	require.NoError(t, err)
	a := get(t, c, "/api/user/export")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, `attachment; filename="account.json"`, a.header.Get("Content-Disposition"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	var e googlesession.UserExport
	require.NoError(t, json.Unmarshal([]byte(a.body), &e))
	u := s.user(t, alice)
	require.Equal(t, googlesession.ExportedUser{
		ID: u.ID, Email: u.Email, Name: u.Name, Picture: u.Picture, Data: `{"plan":"pro"}`,
		CreatedAt: u.CreatedAt, SeenAt: u.SeenAt, Version: u.Version,
	}, e.User)
	require.Len(t, e.Sessions, 2)
	require.Len(t, e.Browsers, 2)
	for _, x := range e.Sessions {
		require.NotEmpty(t, x.IP)
		require.Equal(t, "cookie", x.Kind)
	}
	for _, secret := range []*http.Client{c, other} {
		require.NotContains(t, a.body, cookie(t, secret, sessionCookie))
		require.NotContains(t, a.body, cookie(t, secret, "__Host-Http-device"))
	}
	require.NotContains(t, a.body, "bob@gmail.com")
	require.Equal(t, http.StatusUnauthorized, get(t, s.google.Browser(s), "/api/user/export").status)
	_, err = s.manager.Export(t.Context(), "unknown")
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	for _, method := range []string{"User", "Sessions", "Browsers"} {
		s.store.failing(method, errors.New("down"))
		require.Equal(t, http.StatusServiceUnavailable, get(t, c, "/api/user/export").status, method)
		s.store.failing(method, nil)
	}
}

func newDeletionSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, func(c *googlesession.Config) {
		c.Admins, c.SelfDeletion = []string{adminEmail}, true
	})
}

// Users delete themselves with a recent sign-in. All of their sessions end.
func TestSelfDeletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newDeletionSite(t)
		c, phone := s.signIn(t, alice), s.signIn(t, alice)
		id := s.google.Subject(alice)
		a := do(t, c, http.MethodDelete, "/api/user", "", "Sec-Fetch-Site", "cross-site")
		require.Equal(t, googlesession.CodeCrossOrigin, a.code(t))
		advance(10*time.Minute + time.Second)
		a = do(t, c, http.MethodDelete, "/api/user", "")
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Equal(t, googlesession.CodeReauthNeeded, a.code(t))
		require.Equal(t, http.StatusOK, again(t, c, s.google.Token(alice, begin(t, c))).status)

		s.events = nil
		a = do(t, c, http.MethodDelete, "/api/user", "")
		require.Equal(t, http.StatusNoContent, a.status, a.body)
		require.Len(t, a.header["Set-Cookie"], 2)
		for _, browser := range []*http.Client{c, phone} {
			require.Equal(t, http.StatusUnauthorized, get(t, browser, "/private").status)
		}
		_, err := s.store.User(t.Context(), id)
		require.ErrorIs(t, err, googlesession.ErrNotFound)
		e := s.events[0]
		require.Equal(t, googlesession.EventUserDeleted, e.Kind)
		require.Equal(t, []string{id, id, "own account"}, []string{e.Actor, e.UserID, e.Reason})
	})
}

// The last administrator stays, an outage deletes no user, and the route is off by default.
func TestSelfDeletionRefused(t *testing.T) {
	s := newDeletionSite(t)
	admin := s.signIn(t, adminEmail)
	a := do(t, admin, http.MethodDelete, "/api/user", "")
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, googlesession.CodeLastAdmin, a.code(t))
	c := s.signIn(t, alice)
	s.store.failing("DeleteUser", errors.New("down"))
	a = do(t, c, http.MethodDelete, "/api/user", "")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Empty(t, a.header["Set-Cookie"])
	s.store.failing("DeleteUser", nil)
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)

	s.store.failing("DeleteUser", googlesession.ErrNotFound) // deleted meanwhile
	a = do(t, c, http.MethodDelete, "/api/user", "")
	require.Equal(t, http.StatusUnauthorized, a.status)

	off := newSite(t, nil)
	a = do(t, off.signIn(t, alice), http.MethodDelete, "/api/user", "")
	require.Equal(t, http.StatusMethodNotAllowed, a.status)
	require.Equal(t, "GET, HEAD", a.header.Get("Allow"))
}
