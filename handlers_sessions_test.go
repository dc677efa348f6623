package googlesession_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestOwnSessions(t *testing.T) {
	s := newSite(t, nil)
	phone, laptop, other := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, "bob@gmail.com")
	list := listSessions(t, laptop)
	require.Len(t, list.Sessions, 2)
	var current, foreign string
	for _, e := range list.Sessions {
		require.Len(t, e.ID, 59)
		require.WithinDuration(t, time.Now(), e.CreatedAt, time.Minute)
		require.WithinDuration(t, e.SeenAt.Add(30*time.Minute), e.ExpiresAt, time.Second)
		if e.Current {
			current = e.ID
		} else {
			foreign = e.ID
		}
	}
	require.NotEmpty(t, current)
	require.NotEmpty(t, foreign)

	// The listed ID ends a session and does not open it.
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+current)
	require.Equal(t, http.StatusUnauthorized, a.status)

	bobs := listSessions(t, other).Sessions[0].ID
	require.Equal(t, http.StatusNotFound, do(t, laptop, http.MethodDelete, "/api/sessions/"+bobs, "").status, "somebody else's")
	require.Equal(t, http.StatusOK, get(t, other, "/private").status)

	require.Equal(t, http.StatusNoContent, do(t, laptop, http.MethodDelete, "/api/sessions/"+foreign, "").status)
	require.Equal(t, http.StatusNotFound, do(t, laptop, http.MethodDelete, "/api/sessions/"+foreign, "").status, "ended already")
	require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
	require.Equal(t, http.StatusOK, get(t, laptop, "/private").status)

	a = do(t, laptop, http.MethodDelete, "/api/sessions/"+current, "")
	require.Equal(t, http.StatusNoContent, a.status)
	require.Empty(t, a.header["Set-Cookie"], "only sign-out and sign-in write cookies")
	require.Equal(t, http.StatusUnauthorized, get(t, laptop, "/private").status)
}

// A Ref with the user's own tag and the ID of another user's session ends nothing and finds
// nothing.
func TestForgedRef(t *testing.T) {
	s := newSite(t, nil)
	mallory, victim := s.signIn(t, "mallory@gmail.com"), s.signIn(t, alice)
	mine, ok := s.manager.RefOf(cookie(t, mallory, sessionCookie))
	require.True(t, ok)
	theirs, ok := s.manager.RefOf(cookie(t, victim, sessionCookie))
	require.True(t, ok)
	forged := googlesession.Ref{Tag: mine.Tag, ID: theirs.ID}

	require.Equal(t, http.StatusNotFound, do(t, mallory, http.MethodDelete, "/api/sessions/"+forged.String(), "").status)
	_, err := s.store.CheckSession(t.Context(), forged, time.Hour)
	require.ErrorIs(t, err, googlesession.ErrNoSession)
	ended, err := s.store.RevokeSession(t.Context(), forged)
	require.NoError(t, err)
	require.False(t, ended)
	n, err := s.store.RevokeUser(t.Context(), s.google.Subject("mallory@gmail.com"), &forged)
	require.NoError(t, err)
	require.Equal(t, 1, n, "a foreign Ref keeps nothing")
	require.Equal(t, http.StatusOK, get(t, victim, "/private").status)
}

func TestRevokeOthersOverHTTP(t *testing.T) {
	s := newSite(t, nil)
	phone, tablet, laptop := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, alice)
	bob := s.signIn(t, "bob@gmail.com")
	a := do(t, laptop, http.MethodDelete, "/api/sessions", "")
	require.Equal(t, http.StatusOK, a.status)
	require.JSONEq(t, `{"ended":2}`, a.body)
	require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
	require.Equal(t, http.StatusUnauthorized, get(t, tablet, "/private").status)
	require.Equal(t, http.StatusOK, get(t, laptop, "/private").status)
	require.Equal(t, http.StatusOK, get(t, bob, "/private").status)
}

func TestSessionRoutesWhenTheStoreFails(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	id := listSessions(t, c).Sessions[0].ID
	for method, targets := range map[string][]string{
		"Sessions":      {"GET /api/sessions", "DELETE /api/sessions/" + id},
		"RevokeSession": {"DELETE /api/sessions/" + id},
		"RevokeUser":    {"DELETE /api/sessions"},
	} {
		s.store.failing(method, errors.New("down"))
		for _, target := range targets {
			verb, path, _ := strings.Cut(target, " ")
			a := do(t, c, verb, path, "")
			require.Equal(t, http.StatusServiceUnavailable, a.status, "%s with %s failing", target, method)
			require.Equal(t, googlesession.CodeUnavailable, a.code(t))
		}
		s.store.failing(method, nil)
	}
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)
}

// The list bounds the length of the user agent that a client sends.
func TestDevice(t *testing.T) {
	s := newSite(t, nil)
	for _, tt := range []struct{ name, agent, want string }{
		{"plain", "Mozilla/5.0", "Mozilla/5.0"},
		{"long, cut between characters", strings.Repeat("ä", 400), strings.Repeat("ä", 256)},
		{"odd cut", "x" + strings.Repeat("ä", 400), "x" + strings.Repeat("ä", 255)},
		{"controls and bad UTF-8", "a\x01b\xffc\u0085d", "abcd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// net/http refuses control characters in a header, but another server may pass them on.
			c := s.google.Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("User-Agent", tt.agent)
				s.ServeHTTP(w, r)
			}))
			a := post(t, c, s.google.Token("device@gmail.com", begin(t, c)))
			require.Equal(t, http.StatusOK, a.status)
			for _, e := range listSessions(t, c).Sessions {
				if e.Current {
					require.Equal(t, tt.want, e.UserAgent)
				}
			}
		})
	}
}
