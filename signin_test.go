package googlesession_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestSignIn(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	nonce := begin(t, c)
	a := post(t, c, s.google.Token(alice, nonce))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.JSONEq(t, `{"id":"`+s.google.Subject(alice)+`","username":"alice@gmail.com","email":"alice@gmail.com",
		"name":"Alice Gmail","picture":"`+s.user(t, alice).Picture+`","admin":false}`, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, alice, get(t, c, "/private").body)
	require.Equal(t, http.StatusForbidden, get(t, c, "/admin").status)
	require.Contains(t, s.kinds(), googlesession.EventSignedIn)
}

// The three cookies, to the byte.
func TestSetCookieGolden(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		edit                   func(*googlesession.Config)
		login, session, device string
	}{
		{
			"default", nil,
			"__Host-Http-login=VALUE; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax",
			"__Host-Http-session=VALUE; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax",
			"__Host-Http-device=VALUE; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"redirect mode, over 400 days",
			func(c *googlesession.Config) { c.RedirectMode, c.MaxLifetime = true, 500*24*3600e9 },
			"__Host-Http-login=VALUE; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=None",
			"__Host-Http-session=VALUE; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax",
			"__Host-Http-device=VALUE; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=None",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.edit)
			c := s.google.Browser(s)
			a := get(t, c, "/api/login")
			n := cookie(t, c, loginCookie)
			require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, n)
			require.Equal(t, []string{strings.Replace(tt.login, "VALUE", n, 1)}, a.header["Set-Cookie"])

			a = post(t, c, s.google.Token(alice, begin(t, c)))
			v := cookie(t, c, sessionCookie)
			require.Regexp(t, `^[A-Za-z0-9_-]{59}$`, v)
			d := cookie(t, c, deviceCookie)
			require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, d)
			require.Equal(t, []string{strings.Replace(tt.session, "VALUE", v, 1), strings.Replace(tt.device, "VALUE", d, 1)}, a.header["Set-Cookie"])

			a = do(t, c, http.MethodPost, "/api/logout", "")
			require.Equal(t, http.StatusNoContent, a.status)
			gone := func(want string) string {
				name, rest, _ := strings.Cut(want, "=VALUE; Path=/; Max-Age=")
				_, rest, _ = strings.Cut(rest, "; ")
				return name + "=; Path=/; Max-Age=0; " + rest
			}
			require.Equal(t, []string{gone(tt.session), gone(tt.login)}, a.header["Set-Cookie"], "the device cookie stays")
		})
	}
}

func TestSetCookieGoldenHTTP(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.DangerouslyAllowHTTP, c.CookieSuffix = true, "b" })
	c := s.google.Browser(localhost(s))
	require.Regexp(t, `^login-b=[A-Za-z0-9_-]{43}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax$`, get(t, c, "/api/login").header.Get("Set-Cookie"))
	set := post(t, c, s.google.Token(alice, begin(t, c))).header["Set-Cookie"]
	require.Len(t, set, 2)
	require.Regexp(t, `^session-b=[A-Za-z0-9_-]{59}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax$`, set[0])
	require.Regexp(t, `^device-b=[A-Za-z0-9_-]{43}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax$`, set[1])
}

// With DangerouslyAllowHTTP every route refuses other hosts than this machine.
func TestAllowHTTPRefusesOtherHosts(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true })
	for _, host := range []string{"app.test", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost."} {
		for _, target := range []string{"GET /api/login", "POST /api/login", "POST /api/logout", "GET /api/user", "GET /private", "GET /api/sessions"} {
			method, path, _ := strings.Cut(target, " ")
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Host = host
				s.ServeHTTP(w, r)
			})
			a := serve(t, h, method, path, `{"credential":"x"}`, "Content-Type", "application/json")
			require.Equal(t, http.StatusMisdirectedRequest, a.status, "%s at %q", target, host)
			require.Equal(t, googlesession.CodeMisdirectedRequest, a.code(t))
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:8080", "[::1]"} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Host = host
			s.ServeHTTP(w, r)
		})
		require.Equal(t, http.StatusOK, serve(t, h, http.MethodGet, "/api/login", "").status, host)
	}
}

// Two tabs share one nonce cookie, so a second GET login does not break the first.
func TestNonceSurvivesTabsAndSignIns(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	first := begin(t, c)
	require.Equal(t, first, begin(t, c))
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, first)).status)
	require.Equal(t, first, begin(t, c), "not cleared by a sign-in")

	do(t, c, http.MethodPost, "/api/logout", "")
	require.NotEqual(t, first, begin(t, c), "cleared by a sign-out")
}

func TestBeginSignInReplacesMalformedNonces(t *testing.T) {
	s := newSite(t, nil)
	for _, value := range []string{"", "short", strings.Repeat("A", 42) + "B", strings.Repeat("A", 44), strings.Repeat("=", 43)} {
		a := serve(t, s, http.MethodGet, "/api/login", "", "Cookie", loginCookie+"="+value)
		require.NotContains(t, a.header.Get("Set-Cookie"), "="+value+";")
	}
}

func TestPanicInEvents(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) {
		c.Events = func(context.Context, googlesession.Event) { panic("audit") }
	})
	c := s.signIn(t, alice)
	require.Equal(t, alice, get(t, c, "/private").body)
	require.Contains(t, s.log.String(), "audit")
}

func TestSignOut(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	old := cookie(t, c, sessionCookie)

	a := get(t, c, "/api/logout")
	require.Equal(t, http.StatusMethodNotAllowed, a.status, "GET does not sign out")
	require.Equal(t, http.MethodPost, a.header.Get("Allow"))
	require.Equal(t, googlesession.CodeMethodNotAllowed, a.code(t))
	require.Equal(t, alice, get(t, c, "/private").body)

	s.store.failing("RevokeSession", errors.New("down"))
	a = do(t, c, http.MethodPost, "/api/logout", "")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Empty(t, a.header["Set-Cookie"], "the cookie is kept, so that repeating it works")
	s.store.failing("RevokeSession", nil)

	require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, "/api/logout/", "").status)
	require.Empty(t, cookie(t, c, sessionCookie))
	require.Empty(t, cookie(t, c, loginCookie))
	a = serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+old)
	require.Equal(t, http.StatusUnauthorized, a.status, "ended is ended")
	require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, "/api/logout", "").status, "idempotent")
}

// A sign-out with a planted second cookie ends the browser's session too.
func TestSignOutEndsAllThatIsPresented(t *testing.T) {
	s := newSite(t, nil)
	mine := cookie(t, s.signIn(t, alice), sessionCookie)
	planted, _ := s.manager.NewToken("mallory")
	cookies := sessionCookie + "=" + planted + "; " + sessionCookie + "=" + mine
	require.Equal(t, http.StatusNoContent, serve(t, s, http.MethodPost, "/api/logout", "", "Cookie", cookies).status)
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+mine)
	require.Equal(t, http.StatusUnauthorized, a.status)
}
