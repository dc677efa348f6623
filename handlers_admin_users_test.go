package googlesession_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestRevokeAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, admin := newAdminSite(t)
		var others []*http.Client
		for i := range 250 { // more than one page
			others = append(others, s.signIn(t, fmt.Sprintf("user%d@gmail.com", i)))
		}
		advance(10*time.Minute + time.Second)
		a := do(t, admin, http.MethodPost, "/api/admin/sessions/revoke-all", "")
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Equal(t, googlesession.CodeReauthNeeded, a.code(t))
		require.Equal(t, http.StatusOK, get(t, others[0], "/private").status)

		require.Equal(t, http.StatusOK, post(t, admin, s.google.Token(adminEmail, begin(t, admin))).status)
		a = do(t, admin, http.MethodPost, "/api/admin/sessions/revoke-all", "")
		require.Equal(t, http.StatusOK, a.status)
		require.JSONEq(t, `{"ended":251}`, a.body)
		for _, c := range append(others, admin) {
			require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
		}
	})
}

// If it stops half way, the administrator who asked is still signed in.
func TestRevokeAllEndsTheAskingAdministratorLast(t *testing.T) {
	s, admin := newAdminSite(t)
	for i, n := 0, 0; n < 5; i++ { // the administrator's ID is not the last
		if email := fmt.Sprintf("user%d@gmail.com", i); s.google.Subject(email) > s.google.Subject(adminEmail) {
			s.signIn(t, email)
			n++
		}
	}
	for allowed := range 5 {
		s.store.failing("RevokeUser", nil)
		calls := s.store.count("RevokeUser")
		s.store.hook = func(method string) {
			if method == "RevokeUser" && s.store.calls["RevokeUser"] > calls+allowed {
				s.store.fail = map[string]error{"RevokeUser": errors.New("down")}
			}
		}
		a := do(t, admin, http.MethodPost, "/api/admin/sessions/revoke-all", "")
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		require.Equal(t, http.StatusOK, get(t, admin, "/admin").status, "after %d users", allowed)
	}
	s.store.hook = nil
	s.store.failing("RevokeUser", nil)
	require.Equal(t, http.StatusOK, do(t, admin, http.MethodPost, "/api/admin/sessions/revoke-all", "").status)
	require.Equal(t, http.StatusUnauthorized, get(t, admin, "/admin").status)
}

// Each event names the actor, the user and the reason.
func TestAdminActsAreOnRecord(t *testing.T) {
	s, admin := newAdminSite(t)
	s.signIn(t, alice)
	me, id := s.google.Subject(adminEmail), s.google.Subject(alice)
	ref := "?reason=ticket+%017"
	patch(t, admin, "/api/admin/users/"+id+ref, `{"admin":true}`)
	do(t, admin, http.MethodDelete, "/api/admin/users/"+id+"/sessions", "")
	do(t, admin, http.MethodDelete, "/api/admin/users/"+id+ref, "")
	var got []string
	for _, e := range s.events {
		switch e.Kind {
		case googlesession.EventAccessChanged, googlesession.EventUserRevoked, googlesession.EventUserDeleted:
			if e.Actor == me {
				require.Equal(t, id, e.UserID)
				got = append(got, string(e.Kind)+" "+e.Reason)
			}
		}
	}
	require.Equal(t, []string{"access_changed admin: ticket 7", "user_revoked administrator", "user_deleted ticket 7"}, got)
}

func TestAdminRoutesWhenTheStoreFails(t *testing.T) {
	s, admin := newAdminSite(t)
	s.signIn(t, alice)
	user := "/api/admin/users/" + s.google.Subject(alice)
	for method, targets := range map[string][]string{
		"Users":      {"GET /api/admin/users", "POST /api/admin/sessions/revoke-all"},
		"User":       {"GET " + user, "GET " + user + "/sessions", "DELETE " + user + "/sessions"},
		"Sessions":   {"GET " + user + "/sessions", "DELETE " + user + "/sessions/" + googlesession.Ref{}.String()},
		"RevokeUser": {"DELETE " + user + "/sessions"},
		"SetAccess":  {"PATCH " + user},
		"PutUser":    {"PATCH " + user},
		"DeleteUser": {"DELETE " + user},
	} {
		s.store.failing(method, errors.New("down"))
		for _, target := range targets {
			verb, path, _ := strings.Cut(target, " ")
			a := do(t, admin, verb, path, `{"disabled":false}`, "Content-Type", "application/json")
			require.Equal(t, http.StatusServiceUnavailable, a.status, "%s with %s failing", target, method)
			require.Equal(t, googlesession.CodeUnavailable, a.code(t))
			require.NotEmpty(t, a.header.Get("Retry-After"))
		}
		s.store.failing(method, nil)
	}
}

// A slash at the end of an ID is part of the ID and is not ignored.
func TestAdminTrailingSlashOfAnID(t *testing.T) {
	s, admin := newAdminSite(t)
	for _, id := range []string{"x", "x/"} {
		_, err := s.store.SignIn(t.Context(), googlesession.Identity{Subject: id})
		require.NoError(t, err)
	}
	h := http.StripPrefix("/api", s.manager.Handler())
	as := []string{"Cookie", sessionCookie + "=" + cookie(t, admin, sessionCookie)}
	require.Equal(t, http.StatusNoContent, serve(t, h, http.MethodDelete, "/api/admin/users/x%2F", "", as...).status)
	_, err := s.store.User(t.Context(), "x")
	require.NoError(t, err, "somebody else")
	_, err = s.store.User(t.Context(), "x/")
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	require.Equal(t, http.StatusNoContent, serve(t, h, http.MethodDelete, "/api/admin/users/x/", "", as...).status)
}
