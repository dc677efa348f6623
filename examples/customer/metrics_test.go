package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

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
