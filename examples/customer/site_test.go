package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// A site is the program in the demo mode that invites, and its administrator.
type site struct {
	*server
	*app
	t     *testing.T
	admin *http.Client
}

func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	s := &site{t: t, admin: newBrowser(t)}
	s.server, s.app = startApp(t, args...)
	require.Equal(t, http.StatusOK, s.signIn(t, s.admin, demoAdmin).status)
	return s
}

// databases are those that need no server.
func databases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"memory": "memory", "SQLite": tempDB(t)}
}

func (s *site) invite(email string, admin bool) {
	s.t.Helper()
	a := s.do(s.t, s.admin, http.MethodPost, "/api/admin/invitations", fmt.Sprintf(`{"email":%q,"admin":%t}`, email, admin))
	require.Equal(s.t, http.StatusCreated, a.status, a.body)
}

func (s *site) withdraw(email string) int {
	s.t.Helper()
	return s.do(s.t, s.admin, http.MethodDelete, "/api/admin/invitations/"+email, "").status
}

func (s *site) invitations(query string) (list []invitationJSON, next string) {
	s.t.Helper()
	a := s.get(s.t, s.admin, "/api/admin/invitations"+query)
	require.Equal(s.t, http.StatusOK, a.status, a.body)
	var page struct {
		Invitations []invitationJSON
		Next        string
	}
	require.NoError(s.t, json.Unmarshal([]byte(a.body), &page), a.body)
	return page.Invitations, page.Next
}

// enter signs in with a token that may say anything.
func (s *site) enter(c *http.Client, email string, edit ...func(*googletest.Draft)) answer {
	s.t.Helper()
	d := s.demo.google.Draft(email, s.beginSignIn(s.t, c))
	for _, edit := range edit {
		edit(d)
	}
	return s.do(s.t, c, http.MethodPost, "/api/login", `{"credential":"`+s.demo.google.Mint(d)+`"}`)
}

// as is another account.
func as(subject string) func(*googletest.Draft) {
	return func(d *googletest.Draft) { d.Claims["sub"] = subject }
}

// remove deletes a user.
func (s *site) remove(userID string) int {
	s.t.Helper()
	return s.do(s.t, s.admin, http.MethodDelete, "/api/admin/users/"+userID, "").status
}

// patch changes a user's access.
func (s *site) patch(userID, body string) {
	s.t.Helper()
	a := s.do(s.t, s.admin, http.MethodPatch, "/api/admin/users/"+userID, body)
	require.Equal(s.t, http.StatusOK, a.status, a.body)
}

func isAdmin(t *testing.T, a answer) bool {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.body)
	var user struct{ Admin bool }
	require.NoError(t, json.Unmarshal([]byte(a.body), &user), a.body)
	return user.Admin
}
