package googlesession_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

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
			// Straight into the Handler: the application's own mux would redirect some.
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

// Bodies of POST login: G-15, G-16.
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
	t.Run("query is no body", func(t *testing.T) {
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

// Google's form (B5): a same-origin one always, Google's page in RedirectMode only.
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
		{"G-14 open redirect", true, "https://accounts.google.com", "//evil.example", 303, "/"},
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

// A refused form goes where a person can read why.
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
	require.Equal(t, "/login?code=nonce_mismatch&next=%2Fcustomer", send(s.google.Token(admin, "")).header.Get("Location"))
	s.store.failing("SignIn", errors.New("down"))
	require.Equal(t, http.StatusServiceUnavailable, send(s.google.Token(admin, nonce)).status)
}

type sessionList struct {
	Sessions []struct {
		ID        string    `json:"id"`
		Current   bool      `json:"current"`
		CreatedAt time.Time `json:"created_at"`
		SeenAt    time.Time `json:"seen_at"`
		ExpiresAt time.Time `json:"expires_at"`
		IP        string    `json:"ip"`
		UserAgent string    `json:"user_agent"`
	} `json:"sessions"`
}

func listSessions(t testing.TB, c *http.Client) sessionList {
	t.Helper()
	a := get(t, c, "/api/sessions")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	var list sessionList
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	return list
}

func TestOwnSessions(t *testing.T) {
	s := newSite(t, nil)
	phone, laptop, other := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, "bob@gmail.com")
	list := listSessions(t, laptop)
	require.Len(t, list.Sessions, 2)
	var current, foreign string
	for _, e := range list.Sessions {
		require.Len(t, e.ID, 59)
		require.WithinDuration(t, time.Now(), e.CreatedAt, time.Minute)
		require.WithinDuration(t, e.SeenAt.Add(30*time.Minute), e.ExpiresAt, time.Second)
		if e.Current {
			current = e.ID
		} else {
			foreign = e.ID
		}
	}
	require.NotEmpty(t, current)
	require.NotEmpty(t, foreign)

	// C-9, G-31: the handle is no key.
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+current)
	require.Equal(t, http.StatusUnauthorized, a.status)

	bobs := listSessions(t, other).Sessions[0].ID
	require.Equal(t, http.StatusNotFound, do(t, laptop, http.MethodDelete, "/api/sessions/"+bobs, "").status, "somebody else's")
	require.Equal(t, http.StatusOK, get(t, other, "/private").status)

	require.Equal(t, http.StatusNoContent, do(t, laptop, http.MethodDelete, "/api/sessions/"+foreign, "").status)
	require.Equal(t, http.StatusNotFound, do(t, laptop, http.MethodDelete, "/api/sessions/"+foreign, "").status, "ended already")
	require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
	require.Equal(t, http.StatusOK, get(t, laptop, "/private").status)

	a = do(t, laptop, http.MethodDelete, "/api/sessions/"+current, "")
	require.Equal(t, http.StatusNoContent, a.status)
	require.Empty(t, a.header["Set-Cookie"], "only sign-out and sign-in write cookies")
	require.Equal(t, http.StatusUnauthorized, get(t, laptop, "/private").status)
}

// A Ref of one's own tag and somebody else's ID ends nothing and finds nothing.
func TestForgedRef(t *testing.T) {
	s := newSite(t, nil)
	mallory, victim := s.signIn(t, "mallory@gmail.com"), s.signIn(t, alice)
	mine, ok := s.manager.RefOf(cookie(t, mallory, sessionCookie))
	require.True(t, ok)
	theirs, ok := s.manager.RefOf(cookie(t, victim, sessionCookie))
	require.True(t, ok)
	forged := googlesession.Ref{Tag: mine.Tag, ID: theirs.ID}

	require.Equal(t, http.StatusNotFound, do(t, mallory, http.MethodDelete, "/api/sessions/"+forged.String(), "").status)
	_, err := s.store.CheckSession(t.Context(), forged, time.Hour)
	require.ErrorIs(t, err, googlesession.ErrNoSession)
	ended, err := s.store.RevokeSession(t.Context(), forged)
	require.NoError(t, err)
	require.False(t, ended)
	n, err := s.store.RevokeUser(t.Context(), s.google.Subject("mallory@gmail.com"), &forged)
	require.NoError(t, err)
	require.Equal(t, 1, n, "a foreign Ref keeps nothing")
	require.Equal(t, http.StatusOK, get(t, victim, "/private").status)
}

func TestEndOthers(t *testing.T) {
	s := newSite(t, nil)
	phone, tablet, laptop := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, alice)
	bob := s.signIn(t, "bob@gmail.com")
	a := do(t, laptop, http.MethodDelete, "/api/sessions", "")
	require.Equal(t, http.StatusOK, a.status)
	require.JSONEq(t, `{"ended":2}`, a.body)
	require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
	require.Equal(t, http.StatusUnauthorized, get(t, tablet, "/private").status)
	require.Equal(t, http.StatusOK, get(t, laptop, "/private").status)
	require.Equal(t, http.StatusOK, get(t, bob, "/private").status)
}

func TestSessionRoutesWhenTheStoreFails(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	id := listSessions(t, c).Sessions[0].ID
	for method, targets := range map[string][]string{
		"Sessions":      {"GET /api/sessions", "DELETE /api/sessions/" + id},
		"RevokeSession": {"DELETE /api/sessions/" + id},
		"RevokeUser":    {"DELETE /api/sessions"},
	} {
		s.store.failing(method, errors.New("down"))
		for _, target := range targets {
			verb, path, _ := strings.Cut(target, " ")
			a := do(t, c, verb, path, "")
			require.Equal(t, http.StatusServiceUnavailable, a.status, "%s with %s failing", target, method)
			require.Equal(t, googlesession.CodeUnavailable, a.code(t))
		}
		s.store.failing(method, nil)
	}
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)
}

// The list bounds what a client says of itself.
func TestDevice(t *testing.T) {
	s := newSite(t, nil)
	for _, tt := range []struct{ name, agent, want string }{
		{"plain", "Mozilla/5.0", "Mozilla/5.0"},
		{"long, cut between characters", strings.Repeat("ä", 400), strings.Repeat("ä", 256)},
		{"odd cut", "x" + strings.Repeat("ä", 400), "x" + strings.Repeat("ä", 255)},
		{"controls and bad UTF-8", "a\x01b\xffc\u0085d", "abcd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// net/http sends no control characters, but another server may pass them on.
			c := s.google.Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("User-Agent", tt.agent)
				s.ServeHTTP(w, r)
			}))
			a := post(t, c, s.google.Token("device@gmail.com", begin(t, c)))
			require.Equal(t, http.StatusOK, a.status)
			for _, e := range listSessions(t, c).Sessions {
				if e.Current {
					require.Equal(t, tt.want, e.UserAgent)
				}
			}
		})
	}
}
