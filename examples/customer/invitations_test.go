package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

func TestInvitedOnly(t *testing.T) {
	db := tempDB(t)
	open := start(t, "-db", db)
	require.Equal(t, http.StatusOK, open.signIn(t, newBrowser(t), "ada@example.com").status)
	require.Zero(t, open.stop())

	s := start(t, "-db", db, "-invited-only", "-demo", "-admins", "grace@example.com,kim@example.com")
	tests := []struct {
		name  string
		email string
		want  int
	}{
		{"user", "ada@example.com", http.StatusOK},
		{"not invited", "bob@example.com", http.StatusForbidden},
		{"administrator", "grace@example.com", http.StatusOK},
		{"administrator, in capitals", "GRACE@EXAMPLE.COM", http.StatusOK},
		{"administrator of the demo", demoAdmin, http.StatusOK},
		{"Kelvin sign in place of k", "\u212aim@example.com", http.StatusForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			browser := newBrowser(t)
			res := s.signIn(t, browser, tt.email)
			require.Equal(t, tt.want, res.status, res.body)
			if tt.want == http.StatusForbidden {
				require.Equal(t, "not_admitted", problemCode(t, res))
				res = s.signIn(t, browser, tt.email)
				require.Equal(t, tt.want, res.status, "the refused sign-in made a user")
			}
		})
	}
}

func TestInvitation(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-invited-only")
			ada := newBrowser(t)
			require.Equal(t, "not_admitted", problemCode(t, s.signInWith(ada, "ada@example.com")))
			require.NotContains(t, s.get(t, s.admin, "/api/admin/users").body, "ada@", "the refused sign-in made a user")

			res := s.request(t, s.admin, http.MethodPost, "/api/admin/invitations", `{"email":"Ada@Example.com"}`)
			require.Equal(t, http.StatusCreated, res.status, res.body)
			var made invitationJSON
			require.NoError(t, json.Unmarshal([]byte(res.body), &made))
			by := s.demo.google.Subject(demoAdmin)
			require.Equal(t, invitationJSON{
				Email: "ada@example.com", InvitedBy: by, InvitedByUser: &auditUser{by, demoAdmin, s.userName(by)},
				CreatedAt: made.CreatedAt, ExpiresAt: made.ExpiresAt,
			}, made)
			require.NotContains(t, res.body, "accepted_at")
			require.Equal(t, 14*24*time.Hour, parseTime(t, made.ExpiresAt).Sub(parseTime(t, made.CreatedAt)))
			res = s.request(t, s.admin, http.MethodPost, "/api/admin/invitations", `{"email":"ADA@example.com","admin":true}`)
			require.Equal(t, http.StatusConflict, res.status)
			require.Equal(t, "exists", problemCode(t, res))
			list, _ := s.invitations("")
			require.Equal(t, []invitationJSON{made}, list)

			require.False(t, isAdmin(t, s.signInWith(ada, "ADA@example.com")))
			list, _ = s.invitations("")
			require.NotEmpty(t, list[0].AcceptedAt)
			require.Empty(t, list[0].ExpiresAt)
			require.Equal(t, http.StatusForbidden, s.signInWith(newBrowser(t), "ada@example.com", withSubject("demo:2")).status, "another account")

			require.Equal(t, http.StatusNoContent, s.withdraw("ADA@example.com"))
			require.Equal(t, http.StatusNotFound, s.withdraw("ada@example.com"))
			list, _ = s.invitations("")
			require.Empty(t, list)
			require.Equal(t, http.StatusOK, s.get(t, ada, "/api/user").status, "withdrawing an invitation does not end a session")
			require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
			moved := s.signInWith(ada, "ada@example.net", withSubject(s.demo.google.Subject("ada@example.com")))
			require.Equal(t, http.StatusOK, moved.status, "the invitation is for the account, not for the address")

			s.changeAccess(s.demo.google.Subject("ada@example.com"), `{"disabled":true}`)
			require.Equal(t, "user_disabled", problemCode(t, s.signInWith(ada, "ada@example.com")), "a disabled user is refused")
		})
	}
}

func TestInvitedAdministrator(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-invited-only")
			id := s.demo.google.Subject
			s.invite("grace@example.com", true)
			grace := newBrowser(t)
			require.True(t, isAdmin(t, s.signInWith(grace, "grace@example.com")), "in the answer to the sign-in")
			require.True(t, isAdmin(t, s.get(t, grace, "/api/user")))
			require.Equal(t, http.StatusOK, s.get(t, grace, "/api/admin/users").status)

			// The invitation makes an administrator once.
			s.changeAccess(id("grace@example.com"), `{"admin":false}`)
			require.False(t, isAdmin(t, s.signInWith(grace, "grace@example.com")), "after the Admin flag was removed")

			// A deleted user needs another invitation, and a newer token.
			require.Equal(t, http.StatusNoContent, s.deleteUser(id("grace@example.com")))
			require.Equal(t, "not_admitted", problemCode(t, s.signInWith(grace, "grace@example.com", issuedLater())))
			s.invite("grace@example.com", true)
			res := s.signInWith(grace, "grace@example.com", issuedAt(time.Now().Add(-time.Minute)))
			require.Equal(t, "token_refused", problemCode(t, res), "a token from before the deletion")
			require.True(t, isAdmin(t, s.signInWith(grace, "grace@example.com", issuedLater())), "the refused token did not use up the invitation")

			// An accepted invitation does not admit an account again, even if it outlives its user.
			require.NoError(t, s.stores.users.DeleteUser(t.Context(), id("grace@example.com")))
			require.Equal(t, "not_admitted", problemCode(t, s.signInWith(grace, "grace@example.com", issuedLater())))
			require.Equal(t, http.StatusNoContent, s.withdraw("grace@example.com"))
			s.invite("grace@example.com", true)
			require.True(t, isAdmin(t, s.signInWith(grace, "grace@example.com", issuedLater())))

			// An invitation does not make an administrator of a user.
			s.invite("ada@example.com", false)
			require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), "ada@example.com").status)
			require.Equal(t, http.StatusNoContent, s.withdraw("ada@example.com"))
			s.invite("ada@example.com", true)
			require.False(t, isAdmin(t, s.signInWith(newBrowser(t), "ada@example.com")))

			// An invitation by a former administrator does not make an administrator.
			for _, email := range []string{"eve@example.com", "mallory@example.com"} {
				res := s.request(t, grace, http.MethodPost, "/api/admin/invitations", `{"email":"`+email+`","admin":true}`)
				require.Equal(t, http.StatusCreated, res.status, res.body)
			}
			s.changeAccess(id("grace@example.com"), `{"disabled":true}`)
			require.False(t, isAdmin(t, s.signInWith(newBrowser(t), "eve@example.com")), "the inviter is disabled")
			s.changeAccess(id("grace@example.com"), `{"disabled":false,"admin":false}`)
			require.False(t, isAdmin(t, s.signInWith(newBrowser(t), "mallory@example.com")), "the inviter is no longer an administrator")
		})
	}
}

// An invitation counts only if Google vouches for the address.
func TestInvitationNeedsAuthoritativeAddress(t *testing.T) {
	s := newSite(t, "-db", "memory", "-invited-only", "-demo", "-admins", "hal@example.com")
	for _, email := range []string{"kim@example.com", "ada@gmail.com"} {
		s.invite(email, true)
	}
	claim := func(name string, value any) func(*googletest.Draft) {
		return func(d *googletest.Draft) { d.Claims[name] = value }
	}
	tests := []struct {
		name  string
		email string
		edit  func(*googletest.Draft)
		want  int
	}{
		{"not verified", "kim@example.com", claim("email_verified", false), http.StatusForbidden},
		{"no Workspace domain", "kim@example.com", func(d *googletest.Draft) { delete(d.Claims, "hd") }, http.StatusForbidden},
		{"gmail.com as Workspace domain", "kim@example.com", claim("hd", "gmail.com"), http.StatusForbidden},
		{"Kelvin sign", "\u212aim@example.com", claim("hd", "example.com"), http.StatusForbidden},
		{"long s", "kim@example.com", claim("email", "kim@example.com\u017f"), http.StatusForbidden},
		{"full width", "kim@example.com", claim("email", "\uff4bim@example.com"), http.StatusForbidden},
		{"blank after the address", "kim@example.com", claim("email", "kim@example.com "), http.StatusForbidden},
		{"dot in the local part", "a.da@gmail.com", claim("email_verified", true), http.StatusForbidden},
		{"plus in the local part", "ada+x@gmail.com", claim("email_verified", true), http.StatusForbidden},
		{"no address", "kim@example.com", func(d *googletest.Draft) { delete(d.Claims, "email") }, http.StatusForbidden},
		{"administrator, not verified", "hal@example.com", claim("email_verified", false), http.StatusForbidden},
		{"gmail.com, capitals", "ADA@GMAIL.COM", claim("email_verified", true), http.StatusOK},
		{"Workspace", "kim@example.com", claim("email_verified", true), http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := s.signInWith(newBrowser(t), tt.email, tt.edit)
			require.Equal(t, tt.want, res.status, res.body)
		})
	}
}

// If several accounts with the invited address sign in at once, one is admitted.
func TestConcurrentAccept(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			_, a := startApp(t, "-db", db, "-invited-only")
			for round := range 5 {
				i := invitation{Email: "ada@example.com", InvitedBy: "1", CreatedAt: time.Now()}
				require.NoError(t, a.stores.invitations.Create(t.Context(), i))
				admitted := make(chan error, 8)
				for i := range cap(admitted) {
					id := googlesession.Identity{
						Subject: fmt.Sprint(round, "-", i), Email: "ada@example.com", HostedDomain: "example.com", EmailVerified: true,
					}
					go func() { admitted <- a.admit(context.WithoutCancel(t.Context()), id) }()
				}
				var in int
				for range cap(admitted) {
					if err := <-admitted; err == nil {
						in++
					} else {
						require.ErrorIs(t, err, errNotInvited)
					}
				}
				require.Equal(t, 1, in)
				require.NoError(t, a.stores.invitations.Delete(t.Context(), "ada@example.com"))
			}
		})
	}
}

// Without -invited-only every account is admitted, and an invitation still makes an
// administrator.
func TestInvitationsWithoutInvitedOnly(t *testing.T) {
	s := newSite(t, "-db", "memory")
	s.invite("grace@example.com", true)
	require.True(t, isAdmin(t, s.signInWith(newBrowser(t), "grace@example.com")))
	require.False(t, isAdmin(t, s.signInWith(newBrowser(t), "grace@example.com", withSubject("demo:2"))))
	require.False(t, isAdmin(t, s.signInWith(newBrowser(t), "ada@example.com")))
}

// An outage is not a refusal, and the answer does not show the error.
func TestInvitationsOutage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	s := newSite(t, "-db", "sqlite:"+file, "-invited-only")
	s.invite("ada@example.com", false)
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), "ALTER TABLE invitations RENAME TO hidden")
	require.NoError(t, err)

	for what, res := range map[string]answer{
		"sign-in":  s.signInWith(newBrowser(t), "ada@example.com"),
		"list":     s.get(t, s.admin, "/api/admin/invitations"),
		"invite":   s.request(t, s.admin, http.MethodPost, "/api/admin/invitations", `{"email":"bob@example.com"}`),
		"withdraw": s.request(t, s.admin, http.MethodDelete, "/api/admin/invitations/ada@example.com", ""),
	} {
		require.Equal(t, http.StatusServiceUnavailable, res.status, "%s: %s", what, res.body)
		require.Equal(t, "unavailable", problemCode(t, res))
		require.NotContains(t, res.body, "table")
	}
	require.Equal(t, http.StatusOK, s.signInWith(s.admin, demoAdmin).status, "a user needs no invitation")
	_, err = db.ExecContext(t.Context(), "ALTER TABLE hidden RENAME TO invitations")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), "ada@example.com").status)
}

// An invitation for a user is used up by the user's next sign-in. It does not admit the
// user again after a deletion.
func TestInvitationOfUserIsUsedUp(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-invited-only", "-demo")
			const email = "ada@gmail.com"
			s.invite(email, false)
			require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), email).status)
			require.Equal(t, http.StatusNoContent, s.withdraw(email))
			s.invite(email, true)
			res := s.signInWith(newBrowser(t), email)
			require.Equal(t, http.StatusOK, res.status)
			require.Contains(t, res.body, `"admin":false`)
			id := s.demo.google.Subject(email)
			require.Equal(t, http.StatusNoContent, s.deleteUser(id))
			require.Equal(t, http.StatusForbidden, s.signInWith(newBrowser(t), email).status)
		})
	}
}
