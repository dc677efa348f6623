package googlesession_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

var (
	yes, no = true, false
	disable = googlesession.AccessChange{Disabled: &yes}
	enable  = googlesession.AccessChange{Disabled: &no}
	demote  = googlesession.AccessChange{Admin: &no}
	promote = googlesession.AccessChange{Admin: &yes}
)

// C-7: ended on one server is ended on every server that shares the store, at the
// next request.
func TestRevokeOnAnotherServer(t *testing.T) {
	s := newSite(t, nil)
	second, err := googlesession.New(googlesession.Config{Sessions: s.store})
	require.NoError(t, err)
	elsewhere := routes(second)
	id := s.google.Subject(alice)
	for _, tt := range []struct {
		name string
		end  func(googlesession.Ref) error
	}{
		{"Revoke", func(r googlesession.Ref) error { return s.manager.Revoke(t.Context(), r) }},
		{"RevokeUser", func(googlesession.Ref) error { _, err := s.manager.RevokeUser(t.Context(), id); return err }},
		{"SetAccess", func(googlesession.Ref) error { _, err := s.manager.SetAccess(t.Context(), id, disable); return err }},
		{"DeleteUser", func(googlesession.Ref) error { return s.manager.DeleteUser(t.Context(), id) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value := cookie(t, s.signIn(t, alice), sessionCookie)
			ref, ok := second.RefOf(value)
			require.True(t, ok)
			request := func() int {
				return serve(t, elsewhere, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+value).status
			}
			require.Equal(t, http.StatusOK, request())
			require.NoError(t, tt.end(ref))
			require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, request())
			if tt.name == "SetAccess" {
				_, err := s.manager.SetAccess(t.Context(), id, enable)
				require.NoError(t, err)
				require.Equal(t, http.StatusUnauthorized, request(), "enabling brings nothing back")
			}
		})
	}
}

func TestRevokeIsIdempotent(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	ref, _ := s.manager.RefOf(cookie(t, c, sessionCookie))
	require.NoError(t, s.manager.Revoke(t.Context(), ref))
	require.NoError(t, s.manager.Revoke(t.Context(), ref))
	require.NoError(t, s.manager.Revoke(t.Context(), googlesession.Ref{}))
	n, err := s.manager.RevokeUser(t.Context(), "nobody")
	require.NoError(t, err)
	require.Zero(t, n)
}

// Another Generation is another world, also on the same store.
func TestGeneration(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Generation = "1" })
	value := cookie(t, s.signIn(t, alice), sessionCookie)
	for generation, want := range map[string]int{"1": http.StatusOK, "2": http.StatusUnauthorized, "": http.StatusUnauthorized} {
		m, err := googlesession.New(googlesession.Config{Sessions: s.store, Generation: generation})
		require.NoError(t, err)
		a := serve(t, routes(m), http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+value)
		require.Equal(t, want, a.status, "generation %q", generation)
	}
}

func TestRoleChangeActsOnLiveSessions(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	s.signIn(t, admin)
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject(admin), promote)
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
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{admin} })
	s.signIn(t, admin)
	boss := s.google.Subject(admin)
	_, err := s.manager.SetAccess(t.Context(), boss, demote)
	require.ErrorIs(t, err, googlesession.ErrConfiguredAdmin)
	_, err = s.manager.SetAccess(t.Context(), boss, disable)
	require.ErrorIs(t, err, googlesession.ErrLastAdmin)
	require.ErrorIs(t, s.manager.DeleteUser(t.Context(), boss), googlesession.ErrLastAdmin)
	_, err = s.manager.SetAccess(t.Context(), "nobody", demote)
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	require.ErrorIs(t, s.manager.DeleteUser(t.Context(), "nobody"), googlesession.ErrNotFound)
	require.True(t, s.user(t, admin).Admin)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := s.store.count()
	_, err = s.manager.SetAccess(ctx, boss, enable)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.manager.Revoke(ctx, googlesession.Ref{}), context.Canceled)
	require.ErrorIs(t, s.manager.DeleteUser(ctx, boss), context.Canceled)
	require.Equal(t, before, s.store.count(), "a done context changes nothing")
}

// A last admin who is refused keeps the session, where one store has both.
func TestRefusedDisableEndsNothing(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{admin} })
	c := s.signIn(t, admin)
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject(admin), disable)
	require.ErrorIs(t, err, googlesession.ErrLastAdmin)
	require.Equal(t, http.StatusOK, get(t, c, "/admin").status)
}

func TestWithoutUserStore(t *testing.T) {
	m, err := googlesession.New(googlesession.Config{Sessions: struct{ googlesession.SessionStore }{memstore.New(nil)}})
	require.NoError(t, err)
	_, err = m.SetAccess(t.Context(), "x", disable)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.ErrorIs(t, m.DeleteUser(t.Context(), "x"), googlesession.ErrUnavailable)
	require.NoError(t, m.Ready(t.Context()))
}

// Two admins demote each other at once: one is always left.
func TestTwoAdminsDemoteEachOther(t *testing.T) {
	for range 100 {
		s := newSite(t, nil)
		ids := []string{s.google.Subject(alice), s.google.Subject(admin)}
		s.signIn(t, alice)
		s.signIn(t, admin)
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

// Crash-safe order, with sessions and users in different stores: wherever a
// disable stops, there are fewer sessions, never more, and repeating repairs.
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

// A sign-in that read the user before a disable must not win, in two stores.
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
		<-reached // the user is read, the session not yet created
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

type gated struct {
	googlesession.SessionStore
	before func()
}

func (g *gated) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	g.before()
	return g.SessionStore.CreateSession(ctx, n)
}

func TestEvents(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	s.signIn(t, alice)
	id := s.google.Subject(alice)
	do(t, c, http.MethodDelete, "/api/sessions", "")
	ctx := googlesession.WithActor(t.Context(), "operator", "ticket 7")
	_, err := s.manager.SetAccess(ctx, id, disable)
	require.NoError(t, err)
	get(t, c, "/private")
	require.NoError(t, s.manager.DeleteUser(t.Context(), id))

	type row struct {
		Kind                  googlesession.EventKind
		Actor, UserID, Reason string
		Count                 int
	}
	var got []row
	for _, e := range s.events {
		require.NotZero(t, e.Time)
		got = append(got, row{e.Kind, e.Actor, e.UserID, e.Reason, e.Count})
	}
	require.Equal(t, []row{
		{googlesession.EventSignedIn, id, id, "", 0},
		{googlesession.EventNewDevice, id, id, "", 0},
		{googlesession.EventSignedIn, id, id, "", 0},
		{googlesession.EventUserRevoked, id, id, "own other sessions", 1},
		{googlesession.EventAccessChanged, "operator", id, "disabled: ticket 7", 0},
		{googlesession.EventDenied, "system", "", "no_session", 0},
		{googlesession.EventUserDeleted, "system", id, "", 0},
	}, got)
}

// C-1, C-19: no log, event, error, list or answer holds a secret that was minted,
// but for the Set-Cookie that hands it to its browser.
func TestSecretsStayInside(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.HostedDomains = nil })
	var secrets []string
	var written strings.Builder
	keep := func(a answer) {
		written.WriteString(a.body)
		for name, values := range a.header {
			if name != "Set-Cookie" {
				written.WriteString(strings.Join(values, "\n"))
			}
		}
	}
	c := s.google.Browser(s)
	nonce := begin(t, c)
	n := cookie(t, c, loginCookie)
	good := s.google.Token(alice, nonce)
	secrets = append(secrets, n, good)
	for _, b := range s.google.BadTokens(alice, nonce) {
		if len(b.Token) > 40 {
			secrets = append(secrets, b.Token)
		}
		keep(post(t, c, b.Token))
	}
	keep(post(t, c, good))
	value := cookie(t, c, sessionCookie)
	secrets = append(secrets, value, value[16:])
	for _, target := range []string{"/private", "/admin", "/api/user", "/api/sessions", "/public"} {
		keep(get(t, c, target))
	}
	for _, method := range []string{"CheckSession", "Sessions", "RevokeSession", "CreateSession", "SignIn"} {
		s.store.failing(method, errors.New("down"))
		keep(get(t, c, "/api/sessions"))
		keep(do(t, c, http.MethodPost, "/api/logout", ""))
		keep(post(t, c, good))
		s.store.failing(method, nil)
	}
	keep(post(t, s.google.Browser(s), good)) // replay
	keep(do(t, c, http.MethodPost, "/api/logout", ""))
	for _, e := range s.events {
		written.WriteString(strings.Join([]string{string(e.Kind), e.Actor, e.UserID, e.Reason, e.Ref.String(), e.Device.IP, e.Device.UserAgent}, "\n"))
		if e.Err != nil {
			written.WriteString(e.Err.Error())
		}
	}
	written.WriteString(s.log.String())
	require.Greater(t, written.Len(), 10_000)
	for _, secret := range secrets {
		require.NotContains(t, written.String(), secret)
	}
	require.NotContains(t, s.log.String(), alice, "nor an address")
}
