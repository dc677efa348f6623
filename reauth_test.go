package googlesession_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestRequireFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		h := s.manager.RequireFresh(5 * time.Minute)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := googlesession.UserFrom(r.Context()); !ok {
				w.WriteHeader(http.StatusTeapot)
			}
		}))
		status := func(c *http.Client) answer {
			return serve(t, h, http.MethodPost, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
		}
		require.Equal(t, googlesession.CodeNoSession, serve(t, h, http.MethodGet, "/", "").code(t))
		c := s.signIn(t, alice)
		advance(5 * time.Minute)
		require.Equal(t, http.StatusOK, status(c).status, "as old as may be")
		advance(time.Millisecond)
		a := status(c)
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Equal(t, googlesession.CodeReauthNeeded, a.code(t))
		require.Empty(t, a.header["Set-Cookie"])
		require.Equal(t, http.StatusOK, get(t, c, "/private").status, "the session goes on")

		old := cookie(t, c, sessionCookie)
		device := listSessions(t, c).Sessions[0]
		require.Equal(t, http.StatusOK, again(t, c, s.google.Token(alice, begin(t, c))).status)
		require.Equal(t, http.StatusOK, status(c).status)
		a = serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+old)
		require.Equal(t, http.StatusUnauthorized, a.status, "the old session has ended")
		list := listSessions(t, c).Sessions
		require.Len(t, list, 1)
		require.Equal(t, device.UserAgent, list[0].UserAgent, "the device of the old session")
		require.True(t, list[0].CreatedAt.After(device.CreatedAt))
	})
}

func TestReauthenticateRefuses(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	before := cookie(t, c, sessionCookie)
	for _, tt := range []struct {
		name   string
		code   googlesession.Code
		status int
		send   func() answer
	}{
		{"another account", googlesession.CodeWrongAccount, 403, func() answer {
			return again(t, c, s.google.Token("bob@gmail.com", begin(t, c)))
		}},
		{"no nonce", googlesession.CodeNonceMismatch, 401, func() answer {
			return again(t, c, s.google.Token(alice, ""))
		}},
		{"no token", googlesession.CodeTokenRefused, 401, func() answer { return again(t, c, "x") }},
		{"not signed in", googlesession.CodeNoSession, 401, func() answer {
			other := s.google.Browser(s)
			return again(t, other, s.google.Token(alice, begin(t, other)))
		}},
		{"not a boolean", googlesession.CodeBadRequest, 400, func() answer {
			return do(t, c, http.MethodPost, "/api/login", `{"credential":"x","reauth":1}`, "Content-Type", "application/json")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.send()
			require.Equal(t, tt.status, a.status)
			require.Equal(t, tt.code, a.code(t))
			require.Empty(t, a.header.Values("Set-Cookie"))
		})
	}
	require.Equal(t, before, cookie(t, c, sessionCookie))
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)
	require.Len(t, listSessions(t, c).Sessions, 1)
	_, err := s.store.User(t.Context(), s.google.Subject("bob@gmail.com"))
	require.ErrorIs(t, err, googlesession.ErrNotFound, "it has left no user behind")
}

// A user whom Admit refuses by now does not get a new session by signing in again.
func TestReauthenticateAsksAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // with a real clock a slow machine may pass the second of the sign-in
		refuse := false
		s := newSite(t, func(c *googlesession.Config) {
			c.Admit = func(context.Context, googlesession.Identity) error {
				if refuse {
					return errors.New("gone")
				}
				return nil
			}
		})
		c := s.signIn(t, alice)
		refuse = true
		require.Equal(t, googlesession.CodeNotAdmitted, again(t, c, s.google.Token(alice, begin(t, c))).code(t))
		refuse = false
		require.Equal(t, http.StatusOK, again(t, c, s.google.Token(alice, begin(t, c))).status)
	})
}

func TestReauthenticateAsksForANewerToken(t *testing.T) {
	for _, tt := range []struct {
		name            string
		kept            time.Duration // how long the token was kept before the sign-in
		between, before time.Duration // from the first token to the second, and from the sign-in to its use
		own             bool          // the second token is the sign-in's own
		status          int
	}{
		{name: "the sign-in's own token", own: true, before: 9*time.Minute + 58*time.Second, status: 401},
		{name: "its own token, kept before", own: true, kept: 5 * time.Minute, before: 4 * time.Minute, status: 401},
		{name: "a token from before the session", kept: time.Minute, between: 30 * time.Second, before: 8 * time.Minute, status: 401},
		{name: "a token from just before the session", kept: time.Minute, between: 59 * time.Second, before: time.Minute, status: 401},
		{name: "a token from after it", kept: time.Minute, between: 61 * time.Second, before: time.Minute, status: 200},
		{name: "a token from the same second", kept: time.Minute, between: time.Minute, before: time.Minute, status: 200},
		{name: "the next click, at once", before: 0, status: 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, nil)
				c := s.google.Browser(s)
				nonce := begin(t, c)
				first := s.google.Draft(alice, nonce)
				second := s.google.Draft(alice, nonce)
				if tt.own {
					second = first
				} else {
					issued := time.Now().Add(tt.between).Unix()
					second.Claims["iat"], second.Claims["nbf"], second.Claims["exp"] = issued, issued, issued+3600
				}
				advance(tt.kept)
				require.Equal(t, http.StatusOK, post(t, c, s.google.Mint(first)).status)
				advance(tt.before)
				a := again(t, c, s.google.Mint(second))
				require.Equal(t, tt.status, a.status, a.body)
				if tt.status != http.StatusOK {
					require.Equal(t, googlesession.CodeTokenRefused, a.code(t))
					require.Equal(t, http.StatusOK, get(t, c, "/private").status, "the session goes on")
				}
			})
		})
	}
}

// A session is as old as its token, which may have been kept before the sign-in.
func TestRequireFreshCountsFromTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		h := s.manager.RequireFresh(5 * time.Minute)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		c := s.google.Browser(s)
		token := s.google.Token(alice, begin(t, c))
		advance(4 * time.Minute)
		require.Equal(t, http.StatusOK, post(t, c, token).status)
		status := func() int {
			return serve(t, h, http.MethodPost, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie)).status
		}
		advance(time.Minute)
		require.Equal(t, http.StatusOK, status())
		advance(time.Millisecond)
		require.Equal(t, http.StatusUnauthorized, status())
	})
}
