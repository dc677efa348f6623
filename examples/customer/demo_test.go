package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A demo that answered other machines would sign in strangers.
func TestDemoAnswersThisMachineOnly(t *testing.T) {
	s := start(t, "-demo", "-db", "memory", "-origins", "http://app.localhost:5173")
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"address of the server", nil, http.StatusOK},
		{"localhost", []string{"Host: localhost:8080"}, http.StatusOK},
		{"LOCALHOST", []string{"Host: LOCALHOST"}, http.StatusOK},
		{"IPv6", []string{"Host: [::1]:8080"}, http.StatusOK},
		{"own origin", []string{"Origin: " + s.url}, http.StatusOK},
		{"trusted origin", []string{"Origin: http://app.localhost:5173"}, http.StatusOK},

		{"DNS rebinding", []string{"Host: rebind.example"}, http.StatusMisdirectedRequest},
		{"DNS rebinding with a port", []string{"Host: rebind.example:8080"}, http.StatusMisdirectedRequest},
		{"name that begins with localhost", []string{"Host: localhost.example"}, http.StatusMisdirectedRequest},
		{"name that ends with localhost", []string{"Host: x.localhost"}, http.StatusMisdirectedRequest},
		{"name that begins with a loopback address", []string{"Host: 127.0.0.1.example"}, http.StatusMisdirectedRequest},
		{"trailing dot", []string{"Host: localhost."}, http.StatusMisdirectedRequest},
		{"another address", []string{"Host: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"Forwarded", []string{"Forwarded: for=192.0.2.1"}, http.StatusMisdirectedRequest},
		{"Forwarded, empty", []string{"Forwarded: "}, http.StatusMisdirectedRequest},
		{"X-Forwarded-For", []string{"X-Forwarded-For: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"X-Forwarded-Proto", []string{"X-Forwarded-Proto: https"}, http.StatusMisdirectedRequest},
		{"X-Forwarded-Anything", []string{"X-Forwarded-Anything: x"}, http.StatusMisdirectedRequest},
		{"Via", []string{"Via: 1.1 proxy"}, http.StatusMisdirectedRequest},
		{"X-Real-IP", []string{"X-Real-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"X-Forwarded", []string{"X-Forwarded: for=192.0.2.1"}, http.StatusMisdirectedRequest},
		{"X_Forwarded_For", []string{"X_Forwarded_For: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"Forwarded-For", []string{"Forwarded-For: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"CF-Connecting-IP", []string{"CF-Connecting-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"CF-Ray", []string{"CF-Ray: 1"}, http.StatusMisdirectedRequest},
		{"CDN-Loop", []string{"CDN-Loop: cloudflare"}, http.StatusMisdirectedRequest},
		{"True-Client-IP", []string{"True-Client-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"X-Client-IP", []string{"X-Client-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"X-Cluster-Client-IP", []string{"X-Cluster-Client-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"Client-IP", []string{"Client-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"Fly-Client-IP", []string{"Fly-Client-IP: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"Ngrok-Trace-Id", []string{"Ngrok-Trace-Id: 1"}, http.StatusMisdirectedRequest},
		{"X-Original-Host", []string{"X-Original-Host: demo.example.com"}, http.StatusMisdirectedRequest},
		{"X-Envoy-External-Address", []string{"X-Envoy-External-Address: 192.0.2.1"}, http.StatusMisdirectedRequest},
		{"X-Amzn-Trace-Id", []string{"X-Amzn-Trace-Id: Root=1"}, http.StatusMisdirectedRequest},
		{"Tailscale-User-Login", []string{"Tailscale-User-Login: x"}, http.StatusMisdirectedRequest},
		{"proxy that adds no header", []string{"Origin: https://demo.example.com"}, http.StatusMisdirectedRequest},
		{"opaque origin", []string{"Origin: null"}, http.StatusMisdirectedRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			browser := newBrowser(t)
			for _, path := range []string{"/", "/login", "/api/login", "/healthz", demoScript, "/icon.svg"} {
				require.Equal(t, tt.want, s.get(t, browser, path, tt.headers...).status, "GET %s", path)
			}
			res := s.request(t, browser, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"n"}`, tt.headers...)
			require.Equal(t, tt.want, res.status, "POST %s", demoToken)
			accepted := max(tt.want, http.StatusAccepted)
			res = s.request(t, browser, http.MethodPost, demoEvent, `{"email":"ada@example.com","type":"verification"}`, tt.headers...)
			require.Equal(t, accepted, res.status, "POST %s", demoEvent)
			if tt.want != http.StatusOK {
				require.Equal(t, "misdirected_request", problemCode(t, res))
			}
			preflight := append(tt.headers, "Access-Control-Request-Method: POST")
			if tt.want != http.StatusOK {
				res := s.request(t, browser, http.MethodOptions, "/api/login", "", preflight...)
				require.Equal(t, tt.want, res.status, "OPTIONS")
			}
		})
	}
}

// The program says that it is a demo. That every page shows it is tested in
// web/e2e/pages.spec.js.
func TestDemoIsAnnounced(t *testing.T) {
	s := start(t, "-db", "memory")
	require.Contains(t, s.log.String(), "demo mode")
	require.Contains(t, s.get(t, newBrowser(t), "/api/login").body, `"demo":true`)
}

// A server with a client ID refuses the sessions of a demo on the same database.
func TestDemoSessionsEndWithTheDemo(t *testing.T) {
	db := tempDB(t)
	browser := newBrowser(t)

	s := start(t, "-db", db)
	user := s.signIn(t, browser, "ada@example.com")
	require.True(t, strings.HasPrefix(jsonString(t, user, "id"), demoSubjects), user.body)
	require.Equal(t, http.StatusOK, s.get(t, browser, "/api/user").status)
	require.Zero(t, s.stop())

	google := start(t, "-db", db, "-client-id", demoClientID)
	res := google.get(t, newBrowserWithCookies(t, browser, s, google), "/api/user")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, "no_session", problemCode(t, res))
	require.Zero(t, google.stop())

	again := start(t, "-db", db)
	require.Equal(t, http.StatusOK, again.get(t, newBrowserWithCookies(t, browser, s, again), "/api/user").status, "a restart of the demo")
}

func TestDemoAdmin(t *testing.T) {
	s := start(t, "-db", "memory", "-demo", "-admins", "grace@example.com")
	for email, want := range map[string]bool{
		"admin@example.com": true, "grace@example.com": true, "ada@example.com": false, "admin@example.org": false,
	} {
		var user struct {
			ID    string
			Admin bool
		}
		res := s.signIn(t, newBrowser(t), email)
		require.NoError(t, json.Unmarshal([]byte(res.body), &user), res.body)
		require.Equal(t, want, user.Admin, email)
	}
}

// The user gets the name that was entered in the account chooser.
func TestDemoName(t *testing.T) {
	s := start(t, "-db", "memory")
	browser := newBrowser(t)
	ask, err := json.Marshal(map[string]string{
		"email": "ada@example.com", "name": "Ada <Lovelace>", "nonce": s.beginSignIn(t, browser),
	})
	require.NoError(t, err)
	token := s.request(t, browser, http.MethodPost, demoToken, string(ask))
	user := s.request(t, browser, http.MethodPost, "/api/login", token.body)
	require.Equal(t, "Ada <Lovelace>", jsonString(t, user, "name"))
}

func TestClientIDDisablesDemo(t *testing.T) {
	s := start(t, "-client-id", "id.apps.googleusercontent.com", "-db", "memory")
	require.NotContains(t, s.log.String(), "demo")
	browser := newBrowser(t)
	for _, path := range []string{demoScript, demoToken, demoEvent, "/demo", "/demo/", "/demo/anything"} {
		require.Equal(t, http.StatusNotFound, s.get(t, browser, path).status, "GET %s", path)
	}
	for _, tt := range []struct{ method, path string }{
		{"POST", demoToken},
		{"POST", demoEvent},
		{"GET", demoPage},
		{"POST", demoBrowsersPath},
		{"DELETE", demoBrowsersPath + "/x"},
		{"POST", demoBrowsersPath + "/x/send"},
		{"GET", demoBrowsersPath + "/x/events"},
		{"POST", demoThiefPath},
		{"POST", demoThiefPath + "/send"},
		{"POST", demoOutagePath},
		{"DELETE", demoOutagePath},
	} {
		res := s.request(t, browser, tt.method, tt.path, `{}`)
		require.Equal(t, http.StatusNotFound, res.status, "%s %s", tt.method, tt.path)
	}
	for _, path := range []string{"/", "/login", "/api/login"} {
		// A server with a client ID answers requests through a proxy.
		res := s.get(t, browser, path, "Host: app.example.com", "X-Forwarded-For: 192.0.2.1")
		require.Equal(t, http.StatusOK, res.status)
		require.NotContains(t, strings.ToLower(res.body), "demo")
	}
	login := s.get(t, browser, "/api/login")
	require.Equal(t, googleScript, jsonString(t, login, "script"))
	require.Equal(t, "id.apps.googleusercontent.com", jsonString(t, login, "client_id"))
}
