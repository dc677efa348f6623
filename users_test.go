package googlesession_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

func TestRoleChangeActsOnLiveSessions(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	s.signIn(t, adminEmail)
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject(adminEmail), promote)
	require.NoError(t, err)
	id := s.google.Subject(alice)
	_, err = s.manager.SetAccess(t.Context(), id, promote)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, get(t, c, "/admin").status)
	u, err := s.manager.SetAccess(t.Context(), id, demote)
	require.NoError(t, err)
	require.False(t, u.Admin)
	require.Equal(t, http.StatusForbidden, get(t, c, "/admin").status)
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)
}

func TestSetAccessErrors(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{adminEmail} })
	s.signIn(t, adminEmail)
	adminID := s.google.Subject(adminEmail)
	_, err := s.manager.SetAccess(t.Context(), adminID, demote)
	require.ErrorIs(t, err, googlesession.ErrConfiguredAdmin)
	_, err = s.manager.SetAccess(t.Context(), adminID, disable)
	require.ErrorIs(t, err, googlesession.ErrLastAdmin)
	require.ErrorIs(t, s.manager.DeleteUser(t.Context(), adminID), googlesession.ErrLastAdmin)
	_, err = s.manager.SetAccess(t.Context(), "no user", demote)
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	require.ErrorIs(t, s.manager.DeleteUser(t.Context(), "no user"), googlesession.ErrNotFound)
	require.True(t, s.user(t, adminEmail).Admin)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := s.store.count()
	_, err = s.manager.SetAccess(ctx, adminID, enable)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.manager.Revoke(ctx, googlesession.Ref{}), context.Canceled)
	require.ErrorIs(t, s.manager.DeleteUser(ctx, adminID), context.Canceled)
	require.Equal(t, before, s.store.count(), "a done context changes nothing")
}

// If the last administrator is not disabled or deleted, the administrator's session goes on.
func TestRefusedDisableEndsNothing(t *testing.T) {
	for name, users := range map[string]googlesession.UserStore{"one store": nil, "two stores": memstore.New(nil)} {
		s := newSite(t, func(c *googlesession.Config) { c.Users, c.Admins, c.SelfDeletion = users, []string{adminEmail}, true })
		c := s.signIn(t, adminEmail)
		id := s.google.Subject(adminEmail)
		_, err := s.manager.SetAccess(t.Context(), id, disable)
		require.ErrorIs(t, err, googlesession.ErrLastAdmin, name)
		require.ErrorIs(t, s.manager.DeleteUser(t.Context(), id), googlesession.ErrLastAdmin, name)
		require.Equal(t, googlesession.CodeLastAdmin, do(t, c, http.MethodDelete, "/api/user", "").code(t), name)
		require.Equal(t, http.StatusOK, get(t, c, "/admin").status, name)
	}
}

func TestWithoutUserStore(t *testing.T) {
	m, err := googlesession.New(googlesession.Config{Sessions: struct{ googlesession.SessionStore }{memstore.New(nil)}})
	require.NoError(t, err)
	_, err = m.SetAccess(t.Context(), "x", disable)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.ErrorIs(t, m.DeleteUser(t.Context(), "x"), googlesession.ErrUnavailable)
	require.NoError(t, m.Ready(t.Context()))
}

// If two administrators demote each other at the same time, one of them stays.
func TestTwoAdminsDemoteEachOther(t *testing.T) {
	for range 100 {
		s := newSite(t, nil)
		ids := []string{s.google.Subject(alice), s.google.Subject(adminEmail)}
		s.signIn(t, alice)
		s.signIn(t, adminEmail)
		for _, id := range ids {
			_, err := s.manager.SetAccess(t.Context(), id, promote)
			require.NoError(t, err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range ids {
			wg.Go(func() { _, errs[i] = s.manager.SetAccess(t.Context(), ids[i], demote) })
		}
		wg.Wait()
		require.NotEqual(t, errs[0] == nil, errs[1] == nil, "%v", errs)
		require.ErrorIs(t, errors.Join(errs...), googlesession.ErrLastAdmin)
	}
}

// With sessions and users in different stores, a disable that stops half way leaves fewer
// sessions, and repeating it completes it.
func TestDisableStopsHalfWay(t *testing.T) {
	for _, method := range []string{"RevokeUser", "SetAccess", "PutUser"} {
		t.Run(method, func(t *testing.T) {
			users := &spy{store: memstore.New(nil)}
			s := newSite(t, func(c *googlesession.Config) { c.Users = users })
			c := s.signIn(t, alice)
			id := s.google.Subject(alice)
			for _, st := range []*spy{users, s.store} {
				st.failing(method, errors.New("killed"))
			}
			_, err := s.manager.SetAccess(t.Context(), id, disable)
			require.ErrorIs(t, err, googlesession.ErrUnavailable)
			require.Equal(t, method == "RevokeUser", get(t, c, "/private").status == http.StatusOK,
				"only if not even the first step was done")

			for _, st := range []*spy{users, s.store} {
				st.failing(method, nil)
			}
			_, err = s.manager.SetAccess(t.Context(), id, disable)
			require.NoError(t, err)
			require.NotEqual(t, http.StatusOK, get(t, c, "/private").status)
			a := post(t, c, s.google.Token(alice, begin(t, c)))
			require.Equal(t, googlesession.CodeUserDisabled, a.code(t))
		})
	}
}

// With two stores, a sign-in that read the user before a disable does not create a session.
func TestDisableBeatsASignInInFlight(t *testing.T) {
	for _, shared := range []bool{true, false} {
		users := &spy{store: memstore.New(nil)}
		s := newSite(t, func(c *googlesession.Config) {
			if !shared {
				c.Users = users
			}
		})
		s.signIn(t, alice)
		id := s.google.Subject(alice)
		reached, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		gate := &gated{SessionStore: s.store, before: func() {
			once.Do(func() { close(reached); <-goOn })
		}}
		late := newSite(t, func(c *googlesession.Config) {
			c.Sessions, c.Users = gate, s.store
			if !shared {
				c.Users = users
			}
		})
		c := late.google.Browser(late)
		nonce := begin(t, c)
		var wg sync.WaitGroup
		var a answer
		wg.Go(func() { a = post(t, c, late.google.Token(alice, nonce)) })
		<-reached // the user has been read, and the session is not yet created
		_, err := s.manager.SetAccess(t.Context(), id, disable)
		require.NoError(t, err)
		close(goOn)
		wg.Wait()
		require.Equal(t, http.StatusForbidden, a.status, "shared=%t: %s", shared, a.body)
		require.Empty(t, cookie(t, c, sessionCookie))

		_, err = s.manager.SetAccess(t.Context(), id, enable)
		require.NoError(t, err)
		list, err := s.manager.Sessions(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, list, "nothing comes back")
	}
}
