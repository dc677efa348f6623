package googlesession_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A session that one server ends is refused at the next request by every server that shares
// the store.
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
	n, err := s.manager.RevokeUser(t.Context(), "no user")
	require.NoError(t, err)
	require.Zero(t, n)
}

// Another Generation refuses the sessions of the first one in the same store.
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
		{googlesession.EventUserCreated, id, id, "", 0},
		{googlesession.EventSignedIn, id, id, "", 0},
		{googlesession.EventSignedIn, id, id, "", 0},
		{googlesession.EventNewDevice, id, id, "", 0},
		{googlesession.EventUserRevoked, id, id, "own other sessions", 1},
		{googlesession.EventAccessChanged, "operator", id, "disabled: ticket 7", 0},
		{googlesession.EventDenied, "system", "", "no_session", 0},
		{googlesession.EventUserDeleted, "system", id, "", 0},
	}, got)
}

// No log, event, error, list or answer holds a secret, except the Set-Cookie header that
// gives it to its browser.
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
	secrets = append(secrets, value, value[16:], cookie(t, c, deviceCookie))
	for _, target := range []string{"/private", "/admin", "/api/user", "/api/sessions", "/public"} {
		keep(get(t, c, target))
	}
	for _, method := range []string{"CheckSession", "Sessions", "RevokeSession", "CreateSession", "SignIn", "Browsers"} {
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
