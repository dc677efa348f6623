package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const navigate = "Sec-Fetch-Mode: navigate"

func TestPages(t *testing.T) {
	s := start(t, "-db", "memory")
	c := newBrowser(t)
	tests := []struct {
		path   string
		status int
		want   string
	}{
		{"/", http.StatusOK, `href="/login?next=%2f"`},
		{"/login", http.StatusOK, `<script src="/api/login.js" data-script="/demo/gsi.js"></script>`},
		{"/login/", http.StatusOK, `<div id="google-signin"></div>`},
		{"/login?code=session_expired", http.StatusOK, "Your session has expired"},
		{"/no/such/page", http.StatusNotFound, "This page does not exist"},
		{"/api", http.StatusNotFound, "This page does not exist"},
		{"/static", http.StatusNotFound, "This page does not exist"},
		{"/static/style.css", http.StatusOK, "body {"},
		{"/static/nothing.css", http.StatusNotFound, ""},
		{"/healthz", http.StatusOK, `"ok"`},
		{"/readyz", http.StatusOK, `"ok"`},
		{"/api/", http.StatusNotFound, "This page does not exist"},
		{"/api/nothing", http.StatusNotFound, "not_found"},
		{"/api/login.js", http.StatusOK, "google.accounts.id"},
	}
	for _, tt := range tests {
		a := s.get(t, c, tt.path, navigate)
		require.Equal(t, tt.status, a.status, "GET %s: %s", tt.path, a.body)
		require.Contains(t, a.body, tt.want, "GET %s", tt.path)
	}

	require.Equal(t, http.StatusOK, s.signIn(t, c, "ada@example.com").status)
	for path, want := range map[string]string{
		"/":              "Hello, Ada Example.",
		"/customer":      "<td>Tomoko 山田</td>",
		"/login":         "You are signed in as Ada Example.",
		"/no/such/page":  "Sign Out",
		"/static/app.js": "/api/logout",
	} {
		a := s.get(t, c, path, navigate)
		require.Contains(t, a.body, want, "GET %s", path)
	}
	require.Equal(t, "no-store", s.get(t, c, "/customer").header.Get("Cache-Control"))
}

// Whoever is not signed in is sent to the login page with the way back, which
// leads nowhere but into this site (G-14).
func TestWayBack(t *testing.T) {
	s := start(t, "-db", "memory")
	for path, want := range map[string]string{
		"/customer":                     "/login?code=no_session&next=%2Fcustomer",
		"/customer?q=1&x=%2F%2Fevil":    "/login?code=no_session&next=%2Fcustomer%3Fq%3D1%26x%3D%252F%252Fevil",
		"/customer/":                    "/login?code=no_session&next=%2Fcustomer%2F",
		"/customer?next=//evil.example": "/login?code=no_session&next=%2Fcustomer%3Fnext%3D%2F%2Fevil.example",
	} {
		a := s.get(t, newBrowser(t), path, navigate)
		require.Equal(t, http.StatusSeeOther, a.status, "GET %s", path)
		require.Equal(t, want, a.header.Get("Location"), "GET %s", path)
	}
	a := s.get(t, newBrowser(t), "/customer")
	require.Equal(t, http.StatusUnauthorized, a.status, "a script is told, not sent")

	a = s.get(t, newBrowser(t), "/login?next=https://evil.example&code=%3Cscript%3E", navigate)
	require.NotContains(t, a.body, "evil")
	require.NotContains(t, a.body, "<script>")
}

// In redirect mode Google's page posts a form, and the answer leads to its state.
func TestRedirectMode(t *testing.T) {
	s := start(t, "-db", "memory", "-redirect")
	page := s.get(t, newBrowser(t), "/login").body
	require.Contains(t, page, "/static/redirect.js")
	require.NotContains(t, page, "/api/login.js")
	require.Contains(t, s.get(t, newBrowser(t), "/static/redirect.js").body, `ux_mode: "redirect"`)

	tests := []struct {
		name  string
		state string
		want  string
	}{
		{"state", "/customer", "/customer"},
		{"no state", "", "/"},
		{"G-14 another site", "//evil.example", "/"},
		{"G-14 backslash", `/\evil.example`, "/"},
		{"G-14 URL", "https://evil.example", "/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newBrowser(t)
			nonce := s.beginSignIn(t, c)
			token := s.do(t, c, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"`+nonce+`"}`)
			form := form("credential", member(t, token, "credential"), "g_csrf_token", "x", "state", tt.state)
			a := s.do(t, c, http.MethodPost, "/api/login", form,
				"Content-Type: application/x-www-form-urlencoded", "Cookie: g_csrf_token=x")
			require.Equal(t, http.StatusSeeOther, a.status, a.body)
			require.Equal(t, tt.want, a.header.Get("Location"))
		})
	}
}

// What Google's page sends crosses sites; a demo has no Google.
func TestRedirectModeTakesGooglesPost(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-redirect"}, "/login?code=nonce_mismatch&next=%2Fcustomer"}, // past the origin's check
		{nil, "cross_origin"},
	} {
		s := start(t, append(tt.args, "-db", "memory", "-client-id", "id")...)
		a := s.do(t, newBrowser(t), http.MethodPost, "/api/login",
			form("credential", "x", "g_csrf_token", "x", "state", "/customer"),
			"Content-Type: application/x-www-form-urlencoded", "Cookie: g_csrf_token=x",
			"Origin: https://accounts.google.com", "Sec-Fetch-Site: cross-site")
		require.Contains(t, a.header.Get("Location")+a.body, tt.want, "%q", tt.args)
	}
}

func TestSecurityHeaders(t *testing.T) {
	google := start(t, "-db", "memory", "-client-id", "id")
	demo := start(t, "-db", "memory")
	for _, path := range []string{"/", "/login", "/customer", "/nothing", "/api/user", "/static/app.js", "/healthz"} {
		for _, s := range []*server{google, demo} {
			h := s.get(t, newBrowser(t), path).header
			require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
			require.Equal(t, "same-origin-allow-popups", h.Get("Cross-Origin-Opener-Policy"), path)
			require.Equal(t, "no-referrer-when-downgrade", h.Get("Referrer-Policy"), path)
			csp := h.Get("Content-Security-Policy")
			require.Contains(t, csp, "default-src 'none'", path)
			require.Contains(t, csp, "frame-ancestors 'none'", "G-33: %s", path)
			require.NotContains(t, csp, "unsafe", path)
		}
	}
	public := google.get(t, newBrowser(t), "/login", "Host: app.example.com").header
	require.Equal(t, "strict-origin-when-cross-origin", public.Get("Referrer-Policy"))
	for _, source := range []string{
		"script-src 'self' https://accounts.google.com/gsi/client;",
		"style-src 'self' https://accounts.google.com/gsi/style;",
		"connect-src 'self' https://accounts.google.com/gsi/;",
		"frame-src https://accounts.google.com/gsi/",
	} {
		require.Contains(t, public.Get("Content-Security-Policy"), source)
	}
	require.NotContains(t, demo.get(t, newBrowser(t), "/login").header.Get("Content-Security-Policy"), "google")
}

// The policy forbids inline scripts and styles, so a page must have none.
func TestPagesHaveNothingInline(t *testing.T) {
	s := start(t, "-db", "memory")
	inline := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=|<script(?:\s+(?:data-)?[a-z]+(?:="[^"]*")?)*>[^<]`)
	c := newBrowser(t)
	paths := []string{"/", "/login", "/nothing"}
	for range 2 {
		for _, path := range paths {
			require.NotRegexp(t, inline, s.get(t, c, path).body, path)
		}
		require.Equal(t, http.StatusOK, s.signIn(t, c, "ada@example.com").status)
		paths = append(paths, "/customer")
	}
	require.Regexp(t, inline, "<script>alert(1)</script>", "the test finds nothing")
}

func TestCORS(t *testing.T) {
	const app = "http://localhost:5173"
	s := start(t, "-db", "memory", "-client-id", "id", "-origins", app+", https://app.example.com")
	tests := []struct {
		origin string
		want   string
	}{
		{app, app},
		{"https://app.example.com", "https://app.example.com"},
		{"https://evil.example", ""},
		{"https://app.example.com.evil.example", ""},
		{"https://xapp.example.com", ""},
		{"http://app.example.com", ""},
		{"http://localhost:5174", ""},
		{"null", ""},
	}
	for _, tt := range tests {
		t.Run(tt.origin, func(t *testing.T) {
			preflight := s.do(t, newBrowser(t), http.MethodOptions, "/api/customer/1", "", "Origin: "+tt.origin,
				"Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: content-type")
			require.Equal(t, tt.want, preflight.header.Get("Access-Control-Allow-Origin"))
			allowed := tt.want != ""
			require.Equal(t, allowed, preflight.header.Get("Access-Control-Allow-Credentials") == "true")
			require.Equal(t, allowed, preflight.header.Get("Access-Control-Allow-Methods") == "DELETE")
			require.Contains(t, strings.Join(preflight.header.Values("Vary"), ","), "Origin")

			a := s.get(t, newBrowser(t), "/api/login", "Origin: "+tt.origin)
			require.Equal(t, tt.want, a.header.Get("Access-Control-Allow-Origin"))

			// The library's own check: past it, there is no session.
			a = s.do(t, newBrowser(t), http.MethodDelete, "/api/customer/1", "", "Origin: "+tt.origin, "Sec-Fetch-Site: same-site")
			require.Equal(t, map[bool]string{true: "no_session", false: "cross_origin"}[allowed], code(t, a))
		})
	}
	silent := start(t, "-db", "memory", "-client-id", "id")
	a := silent.get(t, newBrowser(t), "/api/login", "Origin: "+app)
	require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
}

func form(pairs ...string) string {
	values := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		values.Set(pair[0], pair[1])
	}
	return values.Encode()
}
