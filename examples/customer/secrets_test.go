package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The log, the audit, the metrics, answers to administrators and streams hold nothing
// that can be used to sign in.
func TestNoSecretLeaves(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			ada := newBrowser(t)
			nonce := s.beginSignIn(t, ada)
			token := s.request(t, ada, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"`+nonce+`"}`)
			credential := jsonString(t, token, "credential")
			require.Equal(t, http.StatusOK, s.request(t, ada, http.MethodPost, "/api/login", token.body).status)
			live := s.openStream(t, ada)
			cookies := ada.Jar.Cookies(cookieURL(t, s.server))
			cookies = append(cookies, s.admin.Jar.Cookies(cookieURL(t, s.server))...)
			require.Len(t, cookies, 6)
			// Another browser posts the same token, and one sends a forged session cookie.
			require.Equal(t, http.StatusUnauthorized, s.request(t, newBrowser(t), http.MethodPost, "/api/login", token.body).status)
			stolen := "__Host-Http-session=" + strings.Repeat("x", 59)
			require.Equal(t, http.StatusUnauthorized, s.get(t, newBrowser(t), "/api/user", "Cookie: "+stolen).status)
			id := s.demo.google.Subject("ada@example.com")
			require.Equal(t, http.StatusOK, s.request(t, s.admin, http.MethodDelete, "/api/admin/users/"+id+"/sessions?reason=test", "").status)

			wrote := map[string]string{
				"log":      s.server.log.String(),
				"audit":    s.get(t, s.admin, "/api/admin/audit").body,
				"file":     s.get(t, s.admin, "/api/admin/audit.csv").body,
				"history":  s.get(t, s.admin, "/api/history").body,
				"metrics":  s.get(t, s.admin, "/metrics").body,
				"users":    s.get(t, s.admin, "/api/admin/users").body,
				"sessions": s.get(t, s.admin, "/api/admin/users/"+id+"/sessions").body,
				"stream":   live.readToEnd(),
			}
			for what, text := range wrote {
				require.NotEmpty(t, text, what)
				for _, secret := range []string{nonce, credential, stolen, s.demo.key, s.demo.mintKey()} {
					require.NotContains(t, text, secret, what)
				}
				for _, c := range cookies {
					require.NotContains(t, text, c.Value, "%s has the cookie %s", what, c.Name)
				}
			}
			for _, what := range []string{"log", "history", "metrics", "stream"} {
				require.NotContains(t, wrote[what], "ada@example.com", what)
			}
			require.Contains(t, wrote["audit"], `"reason":"test"`)
			require.NotContains(t, wrote["metrics"], "test")
			require.NotContains(t, wrote["metrics"], id)
			require.Contains(t, wrote["stream"], "event: ended")
		})
	}
}
