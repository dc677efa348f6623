package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// A site is a demo and a browser in which its administrator is signed in.
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

// testDatabases returns a -db for each kind of database that needs no server.
func testDatabases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"memory": "memory", "SQLite": tempDB(t)}
}

func (s *site) invite(email string, admin bool) {
	s.t.Helper()
	res := s.request(s.t, s.admin, http.MethodPost, "/api/admin/invitations", fmt.Sprintf(`{"email":%q,"admin":%t}`, email, admin))
	require.Equal(s.t, http.StatusCreated, res.status, res.body)
}

func (s *site) withdraw(email string) int {
	s.t.Helper()
	return s.request(s.t, s.admin, http.MethodDelete, "/api/admin/invitations/"+email, "").status
}

func (s *site) invitations(query string) (list []invitationJSON, next string) {
	s.t.Helper()
	res := s.get(s.t, s.admin, "/api/admin/invitations"+query)
	require.Equal(s.t, http.StatusOK, res.status, res.body)
	var page struct {
		Invitations []invitationJSON
		Next        string
	}
	require.NoError(s.t, json.Unmarshal([]byte(res.body), &page), res.body)
	return page.Invitations, page.Next
}

// signInWith signs in with a token whose claims the test can edit.
func (s *site) signInWith(browser *http.Client, email string, edit ...func(*googletest.Draft)) answer {
	s.t.Helper()
	d := s.demo.google.Draft(email, s.beginSignIn(s.t, browser))
	for _, edit := range edit {
		edit(d)
	}
	return s.request(s.t, browser, http.MethodPost, "/api/login", `{"credential":"`+s.demo.google.Mint(d)+`"}`)
}

// withSubject changes the account of the token.
func withSubject(subject string) func(*googletest.Draft) {
	return func(d *googletest.Draft) { d.Claims["sub"] = subject }
}

// deleteUser deletes a user and returns the status of the answer.
func (s *site) deleteUser(userID string) int {
	s.t.Helper()
	return s.request(s.t, s.admin, http.MethodDelete, "/api/admin/users/"+userID, "").status
}

// changeAccess sends a PATCH of a user.
func (s *site) changeAccess(userID, body string) {
	s.t.Helper()
	res := s.request(s.t, s.admin, http.MethodPatch, "/api/admin/users/"+userID, body)
	require.Equal(s.t, http.StatusOK, res.status, res.body)
}

func isAdmin(t *testing.T, res answer) bool {
	t.Helper()
	require.Equal(t, http.StatusOK, res.status, res.body)
	var user struct{ Admin bool }
	require.NoError(t, json.Unmarshal([]byte(res.body), &user), res.body)
	return user.Admin
}

// audit returns a page of the audit.
func (s *site) audit(query string) (entries []auditJSON, next int64) {
	s.t.Helper()
	res := s.get(s.t, s.admin, "/api/admin/audit"+query)
	require.Equal(s.t, http.StatusOK, res.status, res.body)
	var page struct {
		Entries []auditJSON
		Next    int64
	}
	require.NoError(s.t, json.Unmarshal([]byte(res.body), &page), res.body)
	return page.Entries, page.Next
}

// issuedAt sets the time at which Google issues the token.
func issuedAt(at time.Time) func(*googletest.Draft) {
	return func(d *googletest.Draft) {
		d.Claims["iat"], d.Claims["exp"] = at.Unix(), at.Add(time.Hour).Unix()
	}
}

// issuedLater sets the time of a token two seconds ahead, so that the token is newer than
// a deletion or an event of this moment. Google's times are whole seconds.
func issuedLater() func(*googletest.Draft) { return issuedAt(time.Now().Add(2 * time.Second)) }

// reportEvent posts a security event that Google issued at the given time, and returns its
// token.
func (s *site) reportEvent(kind googlesession.AccountChangeKind, reason, email string, at time.Time) string {
	s.t.Helper()
	draft := s.demo.google.EventDraft(kind, email)
	draft.Claims["iat"] = at.Unix()
	if reason != "" {
		draft.Event(kind)["reason"] = reason
	}
	token := s.demo.google.Mint(draft)
	s.postEvent(token)
	return token
}

func (s *site) postEvent(token string) {
	s.t.Helper()
	res := s.request(s.t, newBrowser(s.t), http.MethodPost, "/api/security-events", token)
	require.Equal(s.t, http.StatusAccepted, res.status, res.body)
}

func parseTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

// A refusal is a request without a body, and the answer that it has to get.
type refusal struct {
	name    string
	browser *http.Client
	method  string
	path    string
	status  int
	code    string
}

// requireRefusals sends the requests of the table.
func (s *site) requireRefusals(tests []refusal) {
	s.t.Helper()
	for _, tt := range tests {
		s.t.Run(tt.name, func(t *testing.T) {
			res := s.request(t, tt.browser, tt.method, tt.path, "")
			require.Equal(t, tt.status, res.status, "%s %s: %s", tt.method, tt.path, res.body)
			require.Equal(t, tt.code, problemCode(t, res))
		})
	}
}
