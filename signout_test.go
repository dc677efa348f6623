package googlesession_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

const formType = "application/x-www-form-urlencoded"

// Signing out answers a form with a redirect, htmx with HX-Redirect, and a script with 204.
func TestAnswerToSignOut(t *testing.T) {
	form := []string{"Sec-Fetch-Mode", "navigate", "Content-Type", formType}
	htmx := []string{"Hx-Request", "true", "Content-Type", formType}
	for _, tt := range []struct {
		name, loginPage, target, body string
		header                        []string
		location, redirect            string
	}{
		{"a script", "/login", "/api/logout?next=/x", "", nil, "", ""},
		{"a script's form", "/login", "/api/logout", "next=/x", []string{"Sec-Fetch-Mode", "cors", "Content-Type", formType}, "", ""},
		{"a form", "", "/api/logout", "", form, "/", ""},
		{"an old browser's form", "", "/api/logout", "next=/x", []string{"Accept", "text/html,*/*", "Content-Type", formType}, "/x", ""},
		{"with a login page", "/login", "/api/logout", "a=b", form, "/login", ""},
		{"next in the form", "/login", "/api/logout", "next=/x%3Fa%3Db", form, "/x?a=b", ""},
		{"next in the address", "/login", "/api/logout?next=/y", "next=/x", form, "/y", ""},
		{"next of another site", "/login", "/api/logout", "next=//evil.example", form, "/", ""},
		{"next of another site in the address", "/login", "/api/logout?next=https://evil.example", "", form, "/", ""},
		{"a line end in next", "/login", "/api/logout", "next=/%0d%0aSet-Cookie:a=b", form, "/", ""},
		{"too large", "/login", "/api/logout", "next=/x&a=" + strings.Repeat("x", 1<<17), form, "/login", ""},
		{"malformed", "/login", "/api/logout", "%zz", form, "/login", ""},
		{"JSON", "/login", "/api/logout", `{"next":"/x"}`, []string{"Sec-Fetch-Mode", "navigate", "Content-Type", "application/json"}, "/login", ""},
		{"htmx", "/login", "/api/logout", "", htmx, "", "/login"},
		{"htmx without a login page", "", "/api/logout", "", htmx, "", "/"},
		{"htmx with next", "/login", "/api/logout", "next=/x", htmx, "", "/x"},
		{"htmx with next that is not ASCII", "/login", "/api/logout", "next=/x%3Fq%3D%C3%A4", htmx, "", "/x?q=%C3%A4"},
		{"htmx with next of another site", "/login", "/api/logout?next=//evil.example", "", htmx, "", "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, func(c *googlesession.Config) { c.LoginPage = tt.loginPage })
			c := s.signIn(t, alice)
			a := do(t, c, http.MethodPost, tt.target, tt.body, tt.header...)
			require.Equal(t, tt.location, a.header.Get("Location"))
			require.Equal(t, tt.redirect, a.header.Get("Hx-Redirect"))
			want := http.StatusNoContent
			if tt.location != "" {
				want = http.StatusSeeOther
			}
			require.Equal(t, want, a.status)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Len(t, a.header["Set-Cookie"], 2)
			require.Empty(t, cookie(t, c, sessionCookie))
			require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
		})
	}
}

// A refused sign-out keeps its status, and the session.
func TestRefusedSignOut(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	c := s.signIn(t, alice)
	page := []string{"Sec-Fetch-Mode", "navigate", "Content-Type", formType}
	a := do(t, c, http.MethodPost, "/api/logout", "next=/x", append(page, "Sec-Fetch-Site", "cross-site")...)
	require.Equal(t, http.StatusForbidden, a.status)
	a.page(t, http.MethodPost, googlesession.CodeCrossOrigin)
	s.store.failing("RevokeSession", errors.New("down"))
	a = do(t, c, http.MethodPost, "/api/logout", "next=/x", page...)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	a.page(t, http.MethodPost, googlesession.CodeUnavailable)
	a = do(t, c, http.MethodPost, "/api/logout", "", "Hx-Request", "true")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, googlesession.CodeUnavailable, a.code(t))
	require.Empty(t, a.header.Get("Hx-Redirect"))
	s.store.failing("RevokeSession", nil)
	require.Equal(t, alice, get(t, c, "/private").body)
}

// A refused form of Google's page leads to the login page, to Deny, or to a page. A script
// that posts the form gets problem+json.
func TestRefusedFormOfGoogle(t *testing.T) {
	const google = "https://accounts.google.com"
	page := []string{"Origin", google, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Content-Type", formType, "Cookie", "g_csrf_token=t"}
	send := func(t *testing.T, s *site, header ...string) answer {
		return serve(t, s, http.MethodPost, "/api/login", "credential=x&g_csrf_token=t&state=/customer", header...)
	}
	t.Run("without a login page", func(t *testing.T) {
		a := send(t, newSite(t, func(c *googlesession.Config) { c.RedirectMode = true }), page...)
		require.Equal(t, http.StatusUnauthorized, a.status)
		a.page(t, http.MethodPost, googlesession.CodeNonceMismatch)
	})
	t.Run("a script", func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) {
			c.LoginPage = "/login"
			c.Deny = func(http.ResponseWriter, *http.Request, googlesession.Denial) { t.Error("Deny is asked") }
		})
		a := send(t, s, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Content-Type", formType, "Cookie", "g_csrf_token=t")
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Equal(t, googlesession.CodeNonceMismatch, a.code(t))
	})
	t.Run("Deny is not asked if there is a login page", func(t *testing.T) {
		a := send(t, newSite(t, func(c *googlesession.Config) {
			c.RedirectMode, c.LoginPage = true, "/login"
			c.Deny = func(http.ResponseWriter, *http.Request, googlesession.Denial) { t.Error("Deny is asked") }
		}), page...)
		require.Equal(t, http.StatusSeeOther, a.status)
		require.Equal(t, "/login?code=nonce_mismatch&next=%2Fcustomer", a.header.Get("Location"))
	})
	t.Run("Deny may leave an outage to WriteDenial", func(t *testing.T) {
		var m *googlesession.Manager
		s := newSite(t, func(c *googlesession.Config) {
			c.RedirectMode, c.LoginPage = true, "/login"
			c.Deny = func(w http.ResponseWriter, r *http.Request, d googlesession.Denial) { m.WriteDenial(w, r, d) }
		})
		m = s.manager
		s.store.failing("SignIn", errors.New("down"))
		c := s.google.Browser(s)
		body := "g_csrf_token=t&state=/customer?a=b&credential=" + s.google.Token(alice, begin(t, c))
		a := do(t, c, http.MethodPost, "/api/login", body, page...)
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		require.Contains(t, a.body, `<a href="/login?next=%2Fcustomer%3Fa%3Db">Try again</a>`)
	})
	t.Run("an outage", func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) { c.RedirectMode, c.LoginPage = true, "/login" })
		s.store.failing("SignIn", errors.New("down"))
		c := s.google.Browser(s)
		body := "g_csrf_token=t&state=/customer?a=b&credential=" + s.google.Token(alice, begin(t, c))
		a := do(t, c, http.MethodPost, "/api/login", body, page...)
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		a.page(t, http.MethodPost, googlesession.CodeUnavailable)
		require.Contains(t, a.body, `<a href="/login?next=%2Fcustomer%3Fa%3Db">Try again</a>`)
	})
}
