package googlesession_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestRoutes(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	for _, tt := range []struct {
		target string
		status int
		allow  string
	}{
		{"GET /api/login", 200, ""},
		{"GET /api/login/", 200, ""},
		{"HEAD /api/login", 200, ""},
		{"PUT /api/login", 405, "GET, HEAD, POST"},
		{"GET /api/login.js", 200, ""},
		{"POST /api/login.js", 405, "GET, HEAD"},
		{"GET /api/logout", 405, "POST"},
		{"HEAD /api/logout", 405, "POST"},
		{"DELETE /api/logout/", 405, "POST"},
		{"GET /api/user", 200, ""},
		{"GET /api/user/", 200, ""},
		{"POST /api/user", 405, "GET, HEAD"},
		{"GET /api/sessions/", 200, ""},
		{"POST /api/sessions", 405, "GET, HEAD, DELETE"},
		{"GET /api/sessions/x", 405, "DELETE"},
		{"DELETE /api/sessions/x", 404, ""},
		{"DELETE /api/sessions/x/y", 404, ""},
		{"GET /api/", 404, ""},
		{"GET /api//user", 404, ""},
		{"GET /api/./user", 404, ""},
		{"GET /api/x/../user", 404, ""},
		{"GET /api/User", 404, ""},
		{"GET /api/nothing", 404, ""},
		{"GET /api/sessions/%2e%2e", 405, "DELETE"},
		{"GET /api/security-events", 404, ""},
		{"GET /api/admin/users", 403, ""},
		{"GET /api/admin/users/", 403, ""},
		{"POST /api/admin/users", 405, "GET, HEAD"},
		{"PUT /api/admin/users/1", 405, "GET, HEAD, PATCH, DELETE"},
		{"POST /api/admin/users/1/sessions", 405, "GET, HEAD, DELETE"},
		{"GET /api/admin/users/1/sessions/x", 405, "DELETE"},
		{"GET /api/admin/sessions/revoke-all", 405, "POST"},
		{"GET /api/admin", 404, ""},
	} {
		t.Run(tt.target, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.target, " ")
			// Without the application's mux, which would redirect some of the paths.
			h := http.StripPrefix("/api", s.manager.Handler())
			a := serve(t, h, method, path, "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
			require.Equal(t, tt.status, a.status, a.body)
			require.Equal(t, tt.allow, a.header.Get("Allow"))
			if tt.status >= 400 && method != http.MethodHead {
				a.code(t)
			}
		})
	}
}

func TestLoginScript(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	a := get(t, c, "/api/login.js")
	require.Equal(t, "text/javascript; charset=utf-8", a.header.Get("Content-Type"))
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	require.Contains(t, a.body, "google-signin")
	again := get(t, c, "/api/login.js", "If-None-Match", a.header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.status)
}

// POST login refuses a body that could be read in two ways.
func TestLoginBody(t *testing.T) {
	s := newSite(t, nil)
	const json, form = "application/json", "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, media, body string
		status            int
	}{
		{"empty", json, ``, 400},
		{"not JSON", json, `credential=x`, 400},
		{"array", json, `["x"]`, 400},
		{"string", json, `"x"`, 400},
		{"null", json, `null`, 400},
		{"no credential", json, `{}`, 400},
		{"null credential", json, `{"credential":null}`, 400},
		{"number", json, `{"credential":1}`, 400},
		{"object", json, `{"credential":{"credential":"x"}}`, 400},
		{"two values", json, `{"credential":"x"}{"credential":"y"}`, 400},
		{"trailing text", json, `{"credential":"x"} x`, 400},
		{"cut", json, `{"credential":"x"`, 400},
		{"duplicate", json, `{"credential":"x","credential":"y"}`, 400},
		{"duplicate, escaped", json, `{"credential":"x","\u0063redential":"y"}`, 400},
		{"other case", json, `{"Credential":"x"}`, 400},
		{"both cases", json, `{"credential":"x","CREDENTIAL":"y"}`, 400},
		{"deep", json, `{"credential":"x","a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, 400},
		{"invalid UTF-8", json, "{\"credential\":\"\xff\"}", 400},
		{"unknown members are ignored", json, `{"credential":"x","clientId":"y","select_by":"btn"}`, 401},
		{"charset", json + "; charset=utf-8", `{"credential":"x"}`, 401},
		{"upper case type", "Application/JSON", `{"credential":"x"}`, 401},
		{"no type", "", `{"credential":"x"}`, 415},
		{"text", "text/plain", `{"credential":"x"}`, 415},
		{"multipart", "multipart/form-data; boundary=x", `x`, 415},
		{"malformed type", "application/json; =", `{"credential":"x"}`, 415},
		{"JSON labelled as a form", form, `{"credential":"x"}`, 400},
		{"64 KiB", json, `{"credential":"` + strings.Repeat("x", 64<<10-17) + `"}`, 401},
		{"64 KiB and one", json, `{"credential":"` + strings.Repeat("x", 64<<10-16) + `"}`, 413},
		{"a form of 64 KiB and one", form, "credential=" + strings.Repeat("x", 64<<10-10), 413},
		{"form without g_csrf_token", form, "credential=x", 403},
		{"form, two credentials", form, "credential=x&credential=y&g_csrf_token=t", 400},
		{"form, two tokens", form, "credential=x&g_csrf_token=t&g_csrf_token=t", 400},
		{"form, two states", form, "credential=x&g_csrf_token=t&state=/&state=/a", 400},
		{"form, bad escape", form, "credential=%zz&g_csrf_token=t", 400},
		{"form, semicolons", form, "credential=x;g_csrf_token=t", 400},
		{"form", form, "credential=x&g_csrf_token=t", 401},
		{"form, wrong token", form, "credential=x&g_csrf_token=u", 403},
		{"form, empty token", form, "credential=x&g_csrf_token=", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.google.Browser(s)
			begin(t, c)
			a := do(t, c, http.MethodPost, "/api/login", tt.body, "Content-Type", tt.media, "Cookie", "g_csrf_token=t")
			require.Equal(t, tt.status, a.status, a.body)
			a.code(t)
			require.Empty(t, cookie(t, c, sessionCookie))
		})
	}
	t.Run("query instead of a body", func(t *testing.T) {
		a := do(t, s.google.Browser(s), http.MethodPost, "/api/login?credential=x&g_csrf_token=t", "",
			"Content-Type", form, "Cookie", "g_csrf_token=t")
		require.Equal(t, http.StatusBadRequest, a.status)
	})
	t.Run("two g_csrf_token cookies", func(t *testing.T) {
		a := do(t, s.google.Browser(s), http.MethodPost, "/api/login", "credential=x&g_csrf_token=t",
			"Content-Type", form, "Cookie", "g_csrf_token=t; g_csrf_token=t")
		require.Equal(t, http.StatusForbidden, a.status)
	})
	require.Zero(t, s.store.count())
}

// A form of the same origin is accepted always, one of Google's page in RedirectMode only.
func TestLoginForm(t *testing.T) {
	for _, tt := range []struct {
		name     string
		redirect bool
		origin   string
		state    string
		status   int
		location string
	}{
		{"same origin", false, origin, "/customer?page=2", 303, "/customer?page=2"},
		{"Google's page, no RedirectMode", false, "https://accounts.google.com", "/", 403, ""},
		{"Google's page", true, "https://accounts.google.com", "/customer", 303, "/customer"},
		{"another page", true, "https://evil.example", "/", 403, ""},
		{"null origin", true, "null", "/", 403, ""},
		{"open redirect", true, "https://accounts.google.com", "//evil.example", 303, "/"},
		{"no state", true, "https://accounts.google.com", "", 303, "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, func(c *googlesession.Config) { c.RedirectMode = tt.redirect })
			c := s.google.Browser(s)
			form := url.Values{"credential": {s.google.Token(alice, begin(t, c))}, "g_csrf_token": {"t"}}
			if tt.state != "" {
				form.Set("state", tt.state)
			}
			a := do(t, c, http.MethodPost, "/api/login", form.Encode(), "Cookie", "g_csrf_token=t",
				"Content-Type", "application/x-www-form-urlencoded", "Origin", tt.origin, "Sec-Fetch-Mode", "navigate")
			require.Equal(t, tt.status, a.status, a.body)
			require.Equal(t, tt.location, a.header.Get("Location"))
			require.Equal(t, tt.status == 303, cookie(t, c, sessionCookie) != "")
		})
	}
}

// RedirectMode trusts Google's page for the form alone.
func TestRedirectModeTrustsNothingElse(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.RedirectMode = true })
	c := s.signIn(t, alice)
	from := []string{"Origin", "https://accounts.google.com", "Sec-Fetch-Site", "cross-site"}
	for _, target := range []string{"POST /api/logout", "DELETE /api/sessions", "POST /private"} {
		method, path, _ := strings.Cut(target, " ")
		require.Equal(t, http.StatusForbidden, do(t, c, method, path, "", from...).status, target)
	}
	b := s.google.Browser(s)
	require.Equal(t, http.StatusForbidden, post(t, b, s.google.Token(alice, begin(t, b)), from...).status, "JSON")
}

// A refused form leads to a page on which a person can read the reason.
func TestRefusedFormGoesToTheLoginPage(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage, c.HostedDomains = "/login", []string{"example.com"} })
	c := s.google.Browser(s)
	nonce := begin(t, c)
	send := func(token string) answer {
		form := url.Values{"credential": {token}, "g_csrf_token": {"t"}, "state": {"/customer"}}
		return do(t, c, http.MethodPost, "/api/login", form.Encode(), "Cookie", "g_csrf_token=t",
			"Content-Type", "application/x-www-form-urlencoded")
	}
	require.Equal(t, "/login?code=not_admitted&next=%2Fcustomer", send(s.google.Token(alice, nonce)).header.Get("Location"))
	require.Equal(t, "/login?code=token_refused&next=%2Fcustomer", send("x").header.Get("Location"))
	require.Equal(t, "/login?code=nonce_mismatch&next=%2Fcustomer", send(s.google.Token(adminEmail, "")).header.Get("Location"))
	s.store.failing("SignIn", errors.New("down"))
	require.Equal(t, http.StatusServiceUnavailable, send(s.google.Token(adminEmail, nonce)).status)
}
