package googlesession_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// rememberMe gives administrators an hour, remembered users 30 days, and other users the
// Config's times until the browser is closed.
func rememberMe(_ context.Context, in googlesession.SignIn) googlesession.Lifetime {
	switch {
	case in.User.Admin:
		return googlesession.Lifetime{Max: time.Hour}
	case in.Remember:
		return googlesession.Lifetime{Idle: 30 * day, Max: 30 * day}
	default:
		return googlesession.Lifetime{BrowserOnly: true}
	}
}

// A re-authentication neither shortens a remembered session to the default nor makes
// another session a remembered one. The new time counts from the re-authentication.
func TestLifetimeOfReauthentication(t *testing.T) {
	const remember, reauth = `,"remember":true`, `,"reauth":true`
	for _, tt := range []struct {
		name  string
		posts []string // the first one signs in
		max   time.Duration
	}{
		{"remembered", []string{remember, reauth}, 30 * day},
		{"remembered, twice", []string{remember, reauth, reauth}, 30 * day},
		{"not remembered", []string{"", reauth}, 12 * time.Hour},
		{"not remembered, twice", []string{"", reauth, reauth}, 12 * time.Hour},
		{"remembered from now on", []string{"", reauth + remember, reauth}, 30 * day},
		{"the page says it is not", []string{remember, `,"remember":false` + reauth}, 30 * day},
		{"a new sign-in that is not remembered", []string{remember, ""}, 12 * time.Hour},
		{"a new sign-in, then signing in again", []string{remember, "", reauth}, 12 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, store := newLifetimeSite(t, rememberMe)
				c := s.google.Browser(s)
				var a answer
				for _, members := range tt.posts {
					advance(20 * time.Minute)
					a = postBody(t, s, c, alice, members)
					require.Equal(t, http.StatusOK, a.status, a.body)
				}
				require.Equal(t, tt.max, store.last.MaxLifetime)
				require.Equal(t, tt.max == 30*day, strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=2592000"))
				list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
				require.NoError(t, err)
				require.Len(t, list, 1)
				require.WithinDuration(t, time.Now(), list[0].CreatedAt, time.Second)
			})
		})
	}
}

// A promotion, a demotion or a new configuration does not change the lifetime of a live
// session. A re-authentication applies the role that the user has then.
func TestLifetimeOfRunningSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLifetimeSite(t, rememberMe)
		subject := s.google.Subject(alice)
		expires := func(m *googlesession.Manager) time.Duration {
			list, err := m.Sessions(t.Context(), subject)
			require.NoError(t, err)
			require.Len(t, list, 1)
			return list[0].ExpiresAt.Sub(list[0].CreatedAt)
		}
		c := s.google.Browser(s)
		require.Equal(t, http.StatusOK, postBody(t, s, c, alice, `,"remember":true`).status)
		_, err := s.manager.SetAccess(t.Context(), subject, promote)
		require.NoError(t, err)
		require.Equal(t, 30*day, expires(s.manager), "a promotion does not shorten it")

		later, err := googlesession.New(googlesession.Config{Sessions: s.store, MaxLifetime: time.Hour, IdleTimeout: time.Minute})
		require.NoError(t, err)
		require.Equal(t, 30*day, expires(later), "another configuration does not shorten it")
		advance(29 * day)
		got := serve(t, routes(later), http.MethodGet, "/admin", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
		require.Equal(t, http.StatusOK, got.status)

		require.Equal(t, http.StatusOK, postBody(t, s, c, alice, `,"reauth":true`).status)
		require.Equal(t, 30*time.Minute, expires(s.manager))
		advance(20 * time.Minute)
		require.Equal(t, http.StatusOK, get(t, c, "/admin").status)
		advance(20 * time.Minute)
		require.Equal(t, http.StatusOK, get(t, c, "/admin").status)
		advance(20 * time.Minute)
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/admin").status, "an hour after the re-authentication")
	})
}

// Without Config.Lifetime the member remember does not change the lifetime. The cookie
// keeps the mark, so that it has an effect once the application sets Config.Lifetime.
func TestRememberWithoutLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.google.Browser(s)
		a := postBody(t, s, c, alice, `,"remember":true`)
		require.Contains(t, a.header.Get("Set-Cookie"), "; Max-Age=43200;")
		require.Equal(t, alice, get(t, c, "/private").body)
		advance(31 * time.Minute)
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	})
}

// The mark of a remembered session is part of what is hashed, so a client cannot add it.
func TestRememberMarkIsHashed(t *testing.T) {
	s, _ := newLifetimeSite(t, rememberMe)
	c := s.google.Browser(s)
	require.Equal(t, http.StatusOK, postBody(t, s, c, alice, `,"remember":true`).status)
	remembered := cookie(t, c, sessionCookie)
	raw, err := base64.RawURLEncoding.DecodeString(remembered)
	require.NoError(t, err)
	require.Equal(t, "keep", string(raw[40:]))

	other := s.google.Browser(s)
	require.Equal(t, http.StatusOK, postBody(t, s, other, alice, "").status)
	plain, err := base64.RawURLEncoding.DecodeString(cookie(t, other, sessionCookie))
	require.NoError(t, err)
	require.NotEqual(t, "keep", string(plain[40:]))
	copy(plain[40:], "keep")
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+base64.RawURLEncoding.EncodeToString(plain))
	require.Equal(t, http.StatusUnauthorized, a.status)
}
