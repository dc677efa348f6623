package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A step is a request, and the status of its answer. The rest of the answer is the
// document's business.
type step struct {
	who     *http.Client
	request string
	body    string
	status  int
	header  string
}

// A tour visits everything that the document has.
type tour struct {
	*site
	*contractCheck
	t            *testing.T
	nobody, user *http.Client
	id           string // of the user
}

// TestContract compares every kind of answer of every route with the document.
func TestContract(t *testing.T) {
	a, _ := openApp(t, "-db", tempDB(t))
	s := &server{url: startServer(t, a.handler())}
	keepKey(s.url, a)
	c := newContractCheck(t, []byte(s.get(t, newBrowser(t), "/openapi.json").body))
	to := &tour{
		site: &site{server: s, app: a, t: t, admin: c.browser()}, contractCheck: c, t: t,
		nobody: c.browser(), user: c.browser(), id: a.demo.google.Subject("ada@example.com"),
	}
	to.visitSignIn()
	to.visitCustomers()
	to.visitSessions()
	to.visitUsers()
	to.visitInvitations()
	to.visitOperations()
	to.visitSecurityEvents()
	to.visitAsOthers()
	to.visitWithOtherMethods()
	to.visitUnconfigured()
	to.visitDuringAnOutage()
	c.complete()
}

// startServer serves requests as if they came from elsewhere: to this machine the metrics
// are open.
func startServer(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.1:1234"
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func (to *tour) walk(steps ...step) {
	to.t.Helper()
	for _, s := range steps {
		var headers []string
		if s.header != "" {
			headers = strings.Split(s.header, "\n")
		}
		method, path, _ := strings.Cut(s.request, " ")
		a := to.do(to.t, s.who, method, path, s.body, headers...)
		require.Equal(to.t, s.status, a.status, "%s: %s", s.request, a.body)
	}
}

func (to *tour) visitSignIn() {
	form := url.Values{"g_csrf_token": {"t"}, "state": {"/customer"}}
	const asForm = "Content-Type: application/x-www-form-urlencoded"
	refused := form.Encode() + "&credential=x"
	form.Set("credential", to.demo.google.Token("ada@example.com", to.beginSignIn(to.t, to.user)))
	to.walk(
		step{to.nobody, "POST /demo/token", `{"email":"ada@example.com","name":"Ada","nonce":""}`, 200, ""},
		step{to.nobody, "POST /demo/token", `{"email":"ada"}`, 400, ""},
		step{to.nobody, "POST /demo/token", strings.Repeat(" ", 5<<10), 413, ""},
		step{to.nobody, "POST /demo/token", `{}`, 415, asForm},

		step{to.user, "GET /api/login/", "", 200, ""},
		step{to.user, "POST /api/login", form.Encode(), 303, asForm + "\nCookie: g_csrf_token=t"},
		step{to.user, "POST /api/login", refused, 303, asForm + "\nCookie: g_csrf_token=t"},
		step{to.user, "POST /api/login", refused, 303, asForm},
		step{to.user, "POST /api/login", `{"credential":"x"}`, 401, ""},
		step{to.user, "POST /api/login", `{"credential":"x","reauth":true}`, 401, ""},
		step{to.nobody, "POST /api/login", `{"credential":"x"}`, 401, ""},
		step{to.user, "POST /api/login", `{`, 400, ""},
		step{to.user, "POST /api/login", strings.Repeat(" ", 65<<10), 413, ""},
		step{to.user, "POST /api/login", `{}`, 415, "Content-Type: text/plain"},

		step{to.nobody, "GET /api/login.js", "", 200, ""},
		step{to.user, "GET /api/user", "", 200, ""},
	)
	etag := to.get(to.t, to.nobody, "/api/login.js").header.Get("ETag")
	to.walk(step{to.nobody, "GET /api/login.js", "", 304, "If-None-Match: " + etag})

	require.Equal(to.t, http.StatusOK, to.enter(to.admin, demoAdmin).status)
	require.Equal(to.t, http.StatusOK, to.enter(to.user, "ada@example.com").status)
	to.patch(to.id, `{"disabled":true}`)
	disabled := to.browser()
	require.Equal(to.t, http.StatusForbidden, to.enter(disabled, "ada@example.com").status)
	to.patch(to.id, `{"disabled":false}`)
	require.Equal(to.t, http.StatusOK, to.enter(to.user, "ada@example.com").status)
	stranger := `{"credential":"` + to.demo.google.Token("eve@example.com", to.beginSignIn(to.t, to.user)) + `","reauth":true}`
	again := `{"credential":"` + to.demo.google.Token("ada@example.com", to.beginSignIn(to.t, to.user)) + `","reauth":true}`
	to.walk(
		step{to.user, "POST /api/login", stranger, 403, ""},
		step{to.user, "POST /api/login", again, 200, ""},
	)
	leaver := to.browser()
	require.Equal(to.t, http.StatusOK, to.enter(leaver, "ada@example.com").status)
	to.walk(
		step{leaver, "POST /api/logout", "", 403, "Sec-Fetch-Site: cross-site"},
		step{leaver, "POST /api/logout", "", 204, ""},
		step{leaver, "POST /api/logout", "", 204, ""},
	)
}

func (to *tour) visitCustomers() {
	const good = `{"name":"New","email":"new@example.com"}`
	to.walk(
		step{to.user, "GET /api/customer", "", 200, ""},
		step{to.user, "POST /api/customer", good, 201, ""},
		step{to.user, "POST /api/customer", `{"name":"New"}`, 400, ""},
		step{to.user, "POST /api/customer", strings.Repeat(" ", 5<<10), 413, ""},
		step{to.user, "POST /api/customer", good, 415, "Content-Type: text/plain"},
		step{to.user, "GET /api/customer/1", "", 200, ""},
		step{to.user, "GET /api/customer/999", "", 404, ""},
		step{to.user, "GET /api/customer/ada", "", 404, ""},
		step{to.user, "DELETE /api/customer/1", "", 204, ""},
		step{to.user, "DELETE /api/customer/1", "", 404, ""},
	)
}

func (to *tour) visitSessions() {
	other := to.browser()
	require.Equal(to.t, http.StatusOK, to.enter(other, "ada@example.com").status)
	const unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	to.walk(
		step{to.user, "GET /api/sessions", "", 200, ""},
		step{to.user, "DELETE /api/sessions/" + to.ownSession(other), "", 204, ""},
		step{to.user, "DELETE /api/sessions/" + unknown, "", 404, ""},
		step{to.user, "DELETE /api/sessions/x", "", 404, ""},
		step{to.user, "DELETE /api/sessions", "", 200, ""},
	)
	to.live(to.t, to.user)
}

// ownSession is the ID of the browser's session.
func (to *tour) ownSession(who *http.Client) string {
	var list struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	a := to.get(to.t, who, "/api/sessions")
	require.NoError(to.t, json.Unmarshal([]byte(a.body), &list))
	for _, s := range list.Sessions {
		if s.Current {
			return s.ID
		}
	}
	require.Fail(to.t, "no current session", a.body)
	return ""
}

func (to *tour) visitUsers() {
	user, admin := "/api/admin/users/"+to.id, "/api/admin/users/"+to.demo.google.Subject(demoAdmin)
	to.walk(
		step{to.admin, "GET /api/admin/users", "", 200, ""},
		step{to.admin, "GET /api/admin/users?limit=1", "", 200, ""},
		step{to.admin, "GET /api/admin/users?limit=0", "", 400, ""},
		step{to.admin, "GET " + user, "", 200, ""},
		step{to.admin, "GET /api/admin/users/nobody", "", 404, ""},
		step{to.admin, "PATCH " + user + "?reason=tour", `{"admin":false}`, 200, ""},
		step{to.admin, "PATCH " + user, `{}`, 200, ""},
		step{to.admin, "PATCH " + user, `{"name":"x"}`, 400, ""},
		step{to.admin, "PATCH /api/admin/users/nobody", `{"admin":true}`, 404, ""},
		step{to.admin, "PATCH " + admin, `{"disabled":true}`, 409, ""},
		step{to.admin, "PATCH " + user, strings.Repeat(" ", 65<<10), 413, ""},
		step{to.admin, "PATCH " + user, `{}`, 415, "Content-Type: text/plain"},
		step{to.admin, "GET " + user + "/sessions", "", 200, ""},
		step{to.admin, "GET /api/admin/users/nobody/sessions", "", 404, ""},
		step{to.admin, "DELETE " + user + "/sessions/" + to.ownSession(to.user), "", 204, ""},
		step{to.admin, "DELETE " + user + "/sessions/x", "", 404, ""},
		step{to.admin, "DELETE " + user + "/sessions", "", 200, ""},
		step{to.admin, "DELETE /api/admin/users/nobody/sessions", "", 404, ""},
		step{to.admin, "DELETE " + admin, "", 409, ""},
		step{to.admin, "DELETE " + user, "", 204, ""},
		step{to.admin, "DELETE " + user, "", 404, ""},
		step{to.admin, "POST /api/admin/sessions/revoke-all", "", 200, ""},
	)
	require.Equal(to.t, http.StatusOK, to.enter(to.admin, demoAdmin).status)
	require.Equal(to.t, http.StatusOK, to.enter(to.user, "ada@example.com", later()).status)
}

func (to *tour) visitInvitations() {
	const invitations = "/api/admin/invitations"
	to.walk(
		step{to.admin, "POST " + invitations, `{"email":"bob@example.com"}`, 201, ""},
		step{to.admin, "POST " + invitations, `{"email":"eve@example.com","admin":true}`, 201, ""},
		step{to.admin, "POST " + invitations, `{"email":"BOB@example.com"}`, 409, ""},
		step{to.admin, "POST " + invitations, `{"email":"bob"}`, 400, ""},
		step{to.admin, "POST " + invitations, strings.Repeat(" ", 5<<10), 413, ""},
		step{to.admin, "POST " + invitations, `{}`, 415, "Content-Type: text/plain"},
	)
	require.Equal(to.t, http.StatusOK, to.enter(to.browser(), "bob@example.com").status)
	to.walk(
		step{to.admin, "GET " + invitations, "", 200, ""},
		step{to.admin, "GET " + invitations + "?limit=1", "", 200, ""},
		step{to.admin, "GET " + invitations + "?limit=0", "", 400, ""},
		step{to.admin, "DELETE " + invitations + "/bob@example.com", "", 204, ""},
		step{to.admin, "DELETE " + invitations + "/bob@example.com", "", 404, ""},
		step{to.admin, "GET /api/admin/audit", "", 200, ""},
		step{to.admin, "GET /api/admin/audit?limit=1", "", 200, ""},
		step{to.admin, "GET /api/admin/audit?after=x", "", 400, ""},
	)
}

func (to *tour) visitOperations() {
	to.walk(
		step{to.nobody, "GET /healthz", "", 200, ""},
		step{to.nobody, "GET /readyz", "", 200, ""},
		step{to.admin, "GET /metrics", "", 200, ""},
	)
}

const asEvent = "Content-Type: application/secevent+jwt"

func (to *tour) visitSecurityEvents() {
	google := to.demo.google
	to.walk(
		step{to.nobody, "POST /api/security-events", google.SecurityEvent(googlesession.ChangeAccountEnabled, "ada@example.com"), 202, asEvent},
		step{to.nobody, "POST " + demoEvent, `{"email":"ada@example.com","type":"account-enabled"}`, 202, ""},
		step{to.nobody, "POST " + demoEvent, `{"email":"ada@example.com","type":"x"}`, 400, ""},
		step{to.nobody, "POST " + demoEvent, strings.Repeat(" ", 5<<10), 413, ""},
		step{to.nobody, "POST " + demoEvent, `{}`, 415, "Content-Type: text/plain"},
	)
	unknown := 0
	for _, bad := range google.BadEvents("ada@example.com") {
		if bad.UnknownKey {
			if unknown++; unknown > 1 {
				continue // Google may not be asked again yet
			}
		}
		to.walk(step{to.nobody, "POST /api/security-events", bad.Token, 400, asEvent})
	}
}
