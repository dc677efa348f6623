package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestMetrics(t *testing.T) {
	s := newSite(t, "-db", "memory", "-invited-only")
	visitor := newBrowser(t)
	require.Equal(t, http.StatusUnauthorized, s.get(t, visitor, "/api/customer").status)
	require.Equal(t, http.StatusUnauthorized, s.request(t, visitor, http.MethodPost, "/api/login", `{"credential":"x"}`).status)
	require.Equal(t, http.StatusForbidden, s.signInWith(visitor, "ada@example.com").status)
	s.invite("ada@example.com", false)
	require.Equal(t, http.StatusOK, s.signInWith(visitor, "ada@example.com").status)
	require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), "ada@example.com").status)
	id := s.demo.google.Subject("ada@example.com")
	s.changeAccess(id, `{"admin":false}`)
	require.Equal(t, http.StatusOK,
		s.request(t, s.admin, http.MethodDelete, "/api/admin/users/"+id+"/sessions?reason=somebody@example.com", "").status)
	require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodPost, "/api/logout", "").status)

	res := s.get(t, visitor, "/metrics")
	require.Equal(t, http.StatusOK, res.status)
	for _, want := range []string{
		`googlesession_events_total{kind="signed_in",reason=""} 3`,
		`googlesession_events_total{kind="denied",reason="no_session"} 1`,
		`googlesession_events_total{kind="sign_in_refused",reason="nonce_mismatch"} 1`,
		`googlesession_events_total{kind="sign_in_refused",reason="not_admitted"} 1`,
		`googlesession_events_total{kind="access_changed",reason=""} 2`,
		`googlesession_events_total{kind="user_revoked",reason=""} 1`,
		`googlesession_sessions_ended_total 3`,
		`customer_audit_lost_total 0`,
		`go_goroutines `,
	} {
		require.Contains(t, res.body, want)
	}
	require.NotContains(t, res.body, "example.com")
	require.NotContains(t, res.body, id)
}

// Administrators see the metrics from every machine. Programs on this machine see them
// without a session, but clients of a proxy on this machine do not.
func TestMetricsAreForThisMachineAndAdministrators(t *testing.T) {
	s := newSite(t, "-db", "memory")
	user, visitor := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, user, "ada@example.com").status)
	proxied, _ := openApp(t, "-db", "memory", "-client-id", "id", "-proxies", "127.0.0.0/8")
	tests := []struct {
		name    string
		app     *app
		browser *http.Client
		remote  string
		header  string
		want    int
	}{
		{"this machine", s.app, visitor, "127.0.0.1:1234", "", http.StatusOK},
		{"this machine, IPv6", s.app, visitor, "[::1]:1234", "", http.StatusOK},
		{"this machine, IPv4 in IPv6", s.app, visitor, "[::ffff:127.0.0.1]:1234", "", http.StatusOK},
		{"another machine", s.app, visitor, "192.0.2.1:1234", "", http.StatusUnauthorized},
		{"another machine with a forged header", s.app, visitor, "192.0.2.1:1234", "X-Forwarded-For: 127.0.0.1", http.StatusUnauthorized},
		{"no client address", s.app, visitor, "@", "", http.StatusUnauthorized},
		{"a proxy here, X-Forwarded-For", s.app, visitor, "127.0.0.1:1234", "X-Forwarded-For: 127.0.0.1", http.StatusUnauthorized},
		{"a proxy here, X-Forwarded-Proto", s.app, visitor, "127.0.0.1:1234", "X-Forwarded-Proto: https", http.StatusUnauthorized},
		{"a proxy here, Forwarded", s.app, visitor, "127.0.0.1:1234", "Forwarded: for=127.0.0.1", http.StatusUnauthorized},
		{"a proxy here, Via", s.app, visitor, "127.0.0.1:1234", "Via: 1.1 proxy", http.StatusUnauthorized},
		{"a proxy here, X-Real-IP", s.app, visitor, "127.0.0.1:1234", "X-Real-IP: 192.0.2.1", http.StatusUnauthorized},
		{"a proxy here, CF-Connecting-IP", s.app, visitor, "127.0.0.1:1234", "CF-Connecting-IP: 192.0.2.1", http.StatusUnauthorized},
		{"a proxy here, True-Client-IP", s.app, visitor, "127.0.0.1:1234", "True-Client-IP: 192.0.2.1", http.StatusUnauthorized},
		{"a proxy here, X-Client-IP", s.app, visitor, "127.0.0.1:1234", "X-Client-IP: 192.0.2.1", http.StatusUnauthorized},
		{"a proxy here, Client-IP", s.app, visitor, "127.0.0.1:1234", "Client-IP: 192.0.2.1", http.StatusUnauthorized},
		{"a proxy here, Ngrok-Trace-Id", s.app, visitor, "127.0.0.1:1234", "Ngrok-Trace-Id: 1", http.StatusUnauthorized},
		{"a proxy here, the name of the site", s.app, visitor, "127.0.0.1:1234", "Host: app.example.com", http.StatusUnauthorized},
		{"a proxy here, in -proxies", proxied, visitor, "127.0.0.1:1234", "", http.StatusUnauthorized},
		{"a proxy here, in -proxies, IPv4 in IPv6", proxied, visitor, "[::ffff:127.0.0.1]:1234", "", http.StatusUnauthorized},
		{"this machine, not a proxy", proxied, visitor, "[::1]:1234", "", http.StatusOK},
		{"a user on another machine", s.app, user, "192.0.2.1:1234", "", http.StatusForbidden},
		{"an administrator on another machine", s.app, s.admin, "192.0.2.1:1234", "", http.StatusOK},
		{"an administrator through a proxy", s.app, s.admin, "127.0.0.1:1234", "X-Forwarded-For: 192.0.2.1", http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/metrics", nil)
			r.RemoteAddr = tt.remote
			setHeaders(r, optionalHeader(tt.header)...)
			for _, cookie := range tt.browser.Jar.Cookies(cookieURL(t, s.server)) {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			tt.app.metricsHandler().ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Code, w.Body)
		})
	}
}

// The program trusts the X-Forwarded-For header of proxies in -proxies only.
func TestProxies(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no proxies", nil, "10.1.2.3"},
		{"this proxy", []string{"-proxies", "10.0.0.0/8"}, "192.0.2.1"},
		{"other proxies", []string{"-proxies", "172.16.0.0/12"}, "10.1.2.3"},
	} {
		a, _ := openApp(t, append(tt.args, "-client-id", "id", "-db", "memory")...)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = "10.1.2.3:1234"
		r.Header.Set("X-Forwarded-For", "198.51.100.7, 192.0.2.1")
		require.Equal(t, tt.want, a.config(nil).ClientIP(r).String(), tt.name)
	}
}

// The counter of ended sessions counts what its help says.
func TestMetricsOfEndedSessions(t *testing.T) {
	s := newSite(t, "-db", "memory", "-max-sessions", "3")
	browser := newBrowser(t)
	signIn := func(browser *http.Client, email string) {
		t.Helper()
		require.Equal(t, http.StatusOK, s.signInWith(browser, email).status)
	}
	id := s.demo.google.Subject
	revokeOne := func(email, reason string) {
		t.Helper()
		list, err := s.sessions.Sessions(t.Context(), id(email))
		require.NoError(t, err)
		path := "/api/admin/users/" + id(email) + "/sessions/" + list[0].PublicID.String() + "?reason=" + reason
		require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodDelete, path, "").status)
	}
	total := 0
	for _, step := range []struct {
		name string
		do   func()
		more int
	}{
		{"a sign-in", func() { signIn(browser, "ada@example.com") }, 0},
		{"a sign-in that replaces a session of the same user", func() { signIn(browser, "ada@example.com") }, 0},
		{"a sign-in that replaces a session of another user", func() { signIn(browser, "bob@example.com") }, 0},
		{"one revoked", func() { revokeOne("bob@example.com", "lost") }, 1},
		{"one revoked for a reason that sounds like a sign-in", func() { signIn(browser, "bob@example.com"); revokeOne("bob@example.com", "replaced") }, 1},
		{"three sign-ins", func() {
			for range 3 {
				signIn(newBrowser(t), "ada@example.com")
			}
		}, 0},
		{"a sign-in over the limit", func() { signIn(newBrowser(t), "ada@example.com") }, 1},
		{"a user disabled", func() { s.changeAccess(id("ada@example.com"), `{"disabled":true}`) }, 3},
		{"a user disabled again", func() { s.changeAccess(id("ada@example.com"), `{"disabled":true}`) }, 0},
		{"a user enabled", func() { s.changeAccess(id("ada@example.com"), `{"disabled":false}`) }, 0},
		{"two sign-ins", func() { signIn(newBrowser(t), "ada@example.com"); signIn(newBrowser(t), "ada@example.com") }, 0},
		{"a user deleted", func() { require.Equal(t, http.StatusNoContent, s.deleteUser(id("ada@example.com"))) }, 2},
		{"a sign-in of Bob", func() { signIn(newBrowser(t), "bob@example.com") }, 0},
		{"a report of Google", func() {
			s.reportEvent(googlesession.ChangeSessionsRevoked, "", "bob@example.com", time.Now().Add(time.Second))
		}, 1},
		{"a sign-out", func() {
			require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodPost, "/api/logout", "").status)
		}, 1},
	} {
		step.do()
		total += step.more
		require.Contains(t, s.get(t, newBrowser(t), "/metrics").body,
			fmt.Sprintf("\ngooglesession_sessions_ended_total %d\n", total), step.name)
	}
}

// metrics.go compiles in another program, which has only that file.
func TestMetricsFileCanBeCopied(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	source := readText(t, "metrics.go")
	module := readText(t, "../go.mod")
	require.Contains(t, source, "package main\n")
	require.Contains(t, module, "=> ..\n")
	write("metrics.go", strings.Replace(source, "package main\n", "package copied\n", 1))
	write("go.mod", strings.Replace(module, "=> ..\n", "=> "+root+"\n", 1))
	write("go.sum", readText(t, "../go.sum"))
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=readonly", "./...")
	build.Dir, build.Env = folder, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// An event kind that the library adds later is counted, but its reason does not become a
// label.
func TestMetricsOfUnknownEvents(t *testing.T) {
	a, _ := openApp(t, "-db", "memory")
	a.onEvent(t.Context(), googlesession.Event{Kind: "new_kind", Reason: "ada@example.com"})
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/metrics", nil)
	r.RemoteAddr = "127.0.0.1:1234"
	a.metricsHandler().ServeHTTP(w, r)
	require.Contains(t, w.Body.String(), `googlesession_events_total{kind="new_kind",reason=""} 1`)
}

// A browser that registers a key and does not keep it is counted apart from a session that is
// bound.
func TestMetricsOfBoundSessions(t *testing.T) {
	a, _ := openApp(t, "-db", "memory")
	a.onEvent(t.Context(), googlesession.Event{Kind: googlesession.EventBound, Reason: "registered"})
	a.onEvent(t.Context(), googlesession.Event{Kind: googlesession.EventBound, Reason: "registered"})
	a.onEvent(t.Context(), googlesession.Event{Kind: googlesession.EventBound})
	a.onEvent(t.Context(), googlesession.Event{Kind: googlesession.EventBindRefused, Reason: "signature"})
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/metrics", nil)
	r.RemoteAddr = "127.0.0.1:1234"
	a.metricsHandler().ServeHTTP(w, r)
	for _, want := range []string{
		`googlesession_events_total{kind="bound",reason="registered"} 2`,
		`googlesession_events_total{kind="bound",reason=""} 1`,
		`googlesession_events_total{kind="bind_refused",reason="signature"} 1`,
	} {
		require.Contains(t, w.Body.String(), want)
	}
}
