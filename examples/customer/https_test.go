package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A browser is told to insist on HTTPS where it has used it, as far as this server knows.
func TestStrictTransportSecurity(t *testing.T) {
	behind, _ := openApp(t, "-db", "memory", "-client-id", "id", "-proxies", "10.0.0.0/8")
	alone, _ := openApp(t, "-db", "memory", "-client-id", "id")
	const always = "max-age=31536000; includeSubDomains"
	tests := []struct {
		name   string
		app    *app
		remote string
		tls    bool
		header string
		want   string
	}{
		{"TLS", alone, "192.0.2.1:1", true, "Host: app.example.com", always},
		{"TLS, localhost", alone, "127.0.0.1:1", true, "Host: localhost:8443", ""},
		{"HTTP", alone, "192.0.2.1:1", false, "Host: app.example.com", ""},
		{"a stranger says so", alone, "192.0.2.1:1", false, "X-Forwarded-Proto: https", ""},
		{"a stranger says so beside a proxy", behind, "192.0.2.1:1", false, "X-Forwarded-Proto: https", ""},
		{"proxy, HTTPS", behind, "10.1.2.3:1", false, "X-Forwarded-Proto: https", always},
		{"proxy, HTTPS in capitals", behind, "[::ffff:10.1.2.3]:1", false, "X-Forwarded-Proto: HTTPS", always},
		{"two proxies", behind, "10.1.2.3:1", false, "X-Forwarded-Proto: https, http", always},
		{"proxy, HTTP", behind, "10.1.2.3:1", false, "X-Forwarded-Proto: http", ""},
		{"proxy, silent", behind, "10.1.2.3:1", false, "", ""},
		{"no address", behind, "@", false, "X-Forwarded-Proto: https", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/", "/api/user", "/healthz", "/no/such/page"} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://app.example.com"+path, http.NoBody)
				r.RemoteAddr = tt.remote
				if tt.tls {
					r.TLS = &tls.ConnectionState{}
				}
				setHeaders(r, optionalHeader(tt.header)...)
				w := httptest.NewRecorder()
				tt.app.handler().ServeHTTP(w, r)
				require.Equal(t, tt.want, w.Header().Get("Strict-Transport-Security"), path)
			}
		})
	}
}

// What an operator should not overlook is in the log at the start, in one line each.
func TestWarnings(t *testing.T) {
	const open = "every Google account can sign in and change the customers"
	for name, tt := range map[string]struct {
		args []string
		want bool
	}{
		"open":         {[]string{"-client-id", "id"}, true},
		"invited only": {[]string{"-client-id", "id", "-invited-only"}, false},
		"demo":         {nil, false},
	} {
		s := start(t, append(tt.args, "-db", "memory")...)
		if tt.want {
			require.Contains(t, s.log.String(), open, name)
		} else {
			require.NotContains(t, s.log.String(), open, name)
		}
	}
}
