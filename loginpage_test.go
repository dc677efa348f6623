package googlesession_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// navigate follows redirects as a browser does, and returns the last answer and its address.
func navigate(t *testing.T, h http.Handler, method, target string) (answer, string) {
	t.Helper()
	for range 10 {
		a := serve(t, h, method, target, "", "Sec-Fetch-Mode", "navigate")
		if a.status < 300 || a.status > 399 {
			return a, target
		}
		to, err := url.Parse(origin + target)
		require.NoError(t, err)
		to, err = to.Parse(a.header.Get("Location"))
		require.NoError(t, err)
		target = to.RequestURI()
	}
	require.Fail(t, "redirected for ever", "at last to %s", target)
	return answer{}, ""
}

// If the login page is behind a guard, which is a mistake, it is refused and not redirected
// to itself, wherever the guard is mounted and whatever rewrites the path.
func TestLoginPageBehindAGuardDoesNotLoop(t *testing.T) {
	strip := http.StripPrefix
	proxy := func(prefix string, h http.Handler) http.Handler { // the server does not know the prefix
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RequestURI = strings.TrimPrefix(r.RequestURI, prefix)
			r.URL, _ = url.ParseRequestURI(r.RequestURI)
			h.ServeHTTP(w, r)
		})
	}
	redirecting := func(from, to string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.EscapedPath() == from {
					http.Redirect(w, r, to+"?"+r.URL.RawQuery, http.StatusMovedPermanently) //nolint:gosec // to is the test's
					return
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	absolute := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RequestURI = origin + r.RequestURI
			h.ServeHTTP(w, r)
		})
	}
	without := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RequestURI = ""
			h.ServeHTTP(w, r)
		})
	}
	for _, tt := range []struct {
		name, page, target string
		mount              func(http.Handler) http.Handler
	}{
		{"at the root", "/login", "/private", func(h http.Handler) http.Handler { return h }},
		{"the root is the page", "/", "/private", func(h http.Handler) http.Handler { return h }},
		{"under a prefix", "/app/login", "/app/private", func(h http.Handler) http.Handler { return strip("/app", h) }},
		{"under two prefixes", "/a/b/login", "/a/b/private", func(h http.Handler) http.Handler { return strip("/a", strip("/b", h)) }},
		{"the prefix is the page", "/app", "/app/private", func(h http.Handler) http.Handler { return strip("/app", h) }},
		{"behind a proxy that strips", "/app/login", "/app/private", func(h http.Handler) http.Handler { return proxy("/app", h) }},
		{"behind a proxy, and under a prefix", "/x/app/login", "/x/app/private", func(h http.Handler) http.Handler { return proxy("/x", strip("/app", h)) }},
		{"redirected to a slash", "/login", "/private", redirecting("/login", "/login/")},
		{"redirected from a slash", "/login/", "/private", redirecting("/login/", "/login")},
		{"redirected to other letters", "/login", "/private", redirecting("/login", "/Login")},
		{"redirected to an index", "/login", "/private", redirecting("/login", "/login/index.html")},
		{"redirected to an escaped spelling", "/login", "/private", redirecting("/login", "/%6Cogin")},
		{"a page with an escape", "/log%20in", "/private", func(h http.Handler) http.Handler { return h }},
		{"a target of absolute form", "/login", "/private", absolute},
		{"absolute, under a prefix", "/app/login", "/app/private", func(h http.Handler) http.Handler { return absolute(strip("/app", h)) }},
		{"a request that was made here", "/login", "/private", without},
		{"a query", "/login", "/login?a=b&next=/private", func(h http.Handler) http.Handler { return h }},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				s := newSite(t, func(c *googlesession.Config) { c.LoginPage = tt.page })
				for guard, h := range map[string]http.Handler{
					"outside": s.manager.RequireUser(tt.mount(http.NotFoundHandler())),
					"inside":  tt.mount(s.manager.RequireUser(http.NotFoundHandler())),
				} {
					a, _ := navigate(t, h, method, tt.target)
					require.Equal(t, http.StatusUnauthorized, a.status, guard)
					require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"), guard)
				}
			})
		}
	}
}

// A page under a prefix is not the login page, even if its stripped path is the same.
func TestAnotherPageOfTheSameStrippedPath(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	mux := http.NewServeMux()
	mux.Handle("/app/", http.StripPrefix("/app", s.manager.RequireUser(http.NotFoundHandler())))
	mux.HandleFunc("/login", func(http.ResponseWriter, *http.Request) {})
	a, at := navigate(t, mux, http.MethodGet, "/app/login")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "/login?code=no_session&next=%2Fapp%2Flogin", at)
}

// A refused form of Google's page leads to the login page with the reason, so that a person
// does not see JSON.
func TestRefusedFormLeadsToTheLoginPage(t *testing.T) {
	const google = "https://accounts.google.com"
	for _, tt := range []struct {
		name, body string
		header     []string
		code       googlesession.Code
		next       string
	}{
		{"hidden origin", "credential=x", []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, googlesession.CodeCrossOrigin, "/"},
		{"hidden origin without Fetch Metadata", "credential=x", []string{"Origin", "null"}, googlesession.CodeCrossOrigin, "/"},
		{"another site", "credential=x", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, googlesession.CodeCrossOrigin, "/"},
		{"no g_csrf_token", "credential=x", []string{"Origin", google}, googlesession.CodeCrossOrigin, "/"},
		{"malformed", "credential=%zz", []string{"Origin", google}, googlesession.CodeBadRequest, "/"},
		{"no credential", "", []string{"Origin", google}, googlesession.CodeBadRequest, "/"},
		{"too large", "credential=" + strings.Repeat("x", 1<<17), []string{"Origin", google}, googlesession.CodeBodyTooLarge, "/"},
		{"no nonce", "credential=x&g_csrf_token=t&state=/customer", []string{"Origin", google, "Cookie", "g_csrf_token=t"}, googlesession.CodeNonceMismatch, "/customer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, func(c *googlesession.Config) { c.LoginPage, c.RedirectMode = "/login", true })
			header := append([]string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Mode", "navigate"}, tt.header...)
			a := serve(t, s, http.MethodPost, "/api/login", tt.body, header...)
			require.Equal(t, http.StatusSeeOther, a.status, a.body)
			require.Equal(t, "/login?"+url.Values{"code": {string(tt.code)}, "next": {tt.next}}.Encode(), a.header.Get("Location"))
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Empty(t, a.header["Set-Cookie"])
			require.Zero(t, s.store.count())
			require.Contains(t, s.log.String(), "code="+tt.code)
			require.Equal(t, []googlesession.EventKind{googlesession.EventSignInRefused}, s.kinds())
		})
	}
}

// The status stays without a login page, for JSON, and during an outage.
func TestRefusedSignInWithoutALoginPage(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", "null"}
	s := newSite(t, func(c *googlesession.Config) { c.RedirectMode = true })
	a := serve(t, s, http.MethodPost, "/api/login", "credential=x", form...)
	require.Equal(t, http.StatusForbidden, a.status)
	require.Equal(t, googlesession.CodeCrossOrigin, a.code(t))
	require.Contains(t, s.log.String(), "RedirectMode needs https", "the operator learns why")

	s = newSite(t, func(c *googlesession.Config) { c.RedirectMode, c.LoginPage = true, "/login" })
	a = serve(t, s, http.MethodPost, "/api/login", `{"credential":"x"}`, "Content-Type", "application/json", "Origin", "null")
	require.Equal(t, http.StatusForbidden, a.status)

	var denied googlesession.Code
	s = newSite(t, func(c *googlesession.Config) {
		c.RedirectMode = true
		c.Deny = func(w http.ResponseWriter, _ *http.Request, d googlesession.Denial) {
			denied = d.Code
			w.WriteHeader(d.Status)
		}
	})
	require.Equal(t, http.StatusForbidden, serve(t, s, http.MethodPost, "/api/login", "credential=x", form...).status)
	require.Equal(t, googlesession.CodeCrossOrigin, denied)
}

// No route trusts a hidden origin, in whichever mode.
func TestNullOriginIsNeverTrusted(t *testing.T) {
	for _, redirect := range []bool{false, true} {
		s := newSite(t, func(c *googlesession.Config) { c.RedirectMode = redirect })
		c := s.signIn(t, alice)
		for i, target := range []string{"POST /api/login", "POST /api/logout", "DELETE /api/sessions", "POST /private"} {
			method, path, _ := strings.Cut(target, " ")
			for _, media := range []string{"application/json", "application/x-www-form-urlencoded"} {
				a := do(t, c, method, path, fmt.Sprintf(`credential=%d`, i), "Origin", "null", "Content-Type", media)
				require.Equal(t, http.StatusForbidden, a.status, "%s, %s", target, media)
			}
		}
		require.Equal(t, alice, get(t, c, "/private").body)
	}
	_, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}, TrustedOrigins: []string{"null"}})
	require.Error(t, err)
}
