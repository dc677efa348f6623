package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only answers to requests over TLS, to this server or to a trusted proxy, have the
// Strict-Transport-Security header.
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
		{"TLS on localhost", alone, "127.0.0.1:1", true, "Host: localhost:8443", ""},
		{"HTTP", alone, "192.0.2.1:1", false, "Host: app.example.com", ""},
		{"forged header", alone, "192.0.2.1:1", false, "X-Forwarded-Proto: https", ""},
		{"forged header that bypasses the proxy", behind, "192.0.2.1:1", false, "X-Forwarded-Proto: https", ""},
		{"proxy over HTTPS", behind, "10.1.2.3:1", false, "X-Forwarded-Proto: https", always},
		{"proxy over HTTPS, in capitals", behind, "[::ffff:10.1.2.3]:1", false, "X-Forwarded-Proto: HTTPS", always},
		{"two proxies", behind, "10.1.2.3:1", false, "X-Forwarded-Proto: https, http", always},
		{"proxy over HTTP", behind, "10.1.2.3:1", false, "X-Forwarded-Proto: http", ""},
		{"proxy without a header", behind, "10.1.2.3:1", false, "", ""},
		{"no client address", behind, "@", false, "X-Forwarded-Proto: https", ""},
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

// The program logs settings that let more people in than an operator may expect.
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
