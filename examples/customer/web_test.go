package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const navigate = "Sec-Fetch-Mode: navigate"

func TestPages(t *testing.T) {
	s := start(t, "-db", "memory")
	browser := newBrowser(t)
	tests := []struct {
		path   string
		status int
		want   string
	}{
		{"/", http.StatusOK, `<script type="module"`},
		{"/login", http.StatusOK, `<script type="module"`},
		{"/login/", http.StatusOK, `<script type="module"`},
		{"/login?code=session_expired", http.StatusOK, `<script type="module"`},
		{"/customer", http.StatusOK, `<script type="module"`},
		{"/devices", http.StatusOK, `<script type="module"`},
		{"/admin", http.StatusOK, `<script type="module"`},
		{"/admin/users/demo:1234", http.StatusOK, `<script type="module"`},
		{"/admin/users/demo%3A1234", http.StatusOK, `<script type="module"`},
		{"/admin/invitations", http.StatusOK, `<script type="module"`},
		{"/admin/audit", http.StatusOK, `<script type="module"`},
		{"/no/such/page", http.StatusNotFound, `<script type="module"`},
		{"/admin/nothing", http.StatusNotFound, `<script type="module"`},
		{"/admin/users", http.StatusNotFound, `<script type="module"`},
		{"/admin/users/1/2", http.StatusNotFound, `<script type="module"`},
		{"/Customer", http.StatusNotFound, `<script type="module"`},
		{"/index.html", http.StatusNotFound, `<script type="module"`},
		{"/api", http.StatusNotFound, `<script type="module"`},
		{"/api/", http.StatusNotFound, `<script type="module"`},
		{"/sources.sha256", http.StatusNotFound, `<script type="module"`},
		{"/assets", http.StatusNotFound, `<script type="module"`},
		{"/assets/", http.StatusNotFound, `<script type="module"`},
		{"/assets/index-00000000.js", http.StatusNotFound, "404 page not found"},
		{"/icon.svg", http.StatusOK, "<svg"},
		{"/favicon.ico", http.StatusOK, "<svg"},
		{"/healthz", http.StatusOK, `"ok"`},
		{"/readyz", http.StatusOK, `"ok"`},
		{"/api/nothing", http.StatusNotFound, "not_found"},
		{"/api/login.js", http.StatusOK, "google.accounts"},
	}
	for _, tt := range tests {
		res := s.get(t, browser, tt.path, navigate)
		require.Equal(t, tt.status, res.status, "GET %s: %s", tt.path, res.body)
		require.Contains(t, res.body, tt.want, "GET %s", tt.path)

		head := s.request(t, browser, http.MethodHead, tt.path, "", navigate)
		require.Equal(t, tt.status, head.status, "HEAD %s", tt.path)
		require.Empty(t, head.body, "HEAD %s", tt.path)
		require.Equal(t, res.header.Get("Content-Type"), head.header.Get("Content-Type"), "HEAD %s", tt.path)
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions} {
		for _, path := range []string{"/", "/customer", "/icon.svg"} {
			res := s.request(t, browser, method, path, "")
			require.Equal(t, http.StatusMethodNotAllowed, res.status, "%s %s", method, path)
			require.Equal(t, "GET, HEAD", res.header.Get("Allow"), "%s %s", method, path)
		}
		require.Equal(t, http.StatusNotFound, s.request(t, browser, method, "/no/such/page", "").status, method)
	}
}

// The page is the same for every user and is not cached. The files that it loads have a
// hash of their content in their names and are cached for ever.
func TestPageAndAssets(t *testing.T) {
	s := start(t, "-db", "memory")
	visitor, user := newBrowser(t), newBrowser(t)
	page := s.get(t, visitor, "/customer")
	require.Equal(t, "text/html; charset=utf-8", page.header.Get("Content-Type"))
	require.Equal(t, "no-store", page.header.Get("Cache-Control"))
	require.Equal(t, http.StatusOK, s.signIn(t, user, "ada@example.com").status)
	require.Equal(t, page.body, s.get(t, user, "/customer").body)

	assets := regexp.MustCompile(`(?:src|href)="(/(?:assets/|icon)[^"]+)"`).FindAllStringSubmatch(page.body, -1)
	require.GreaterOrEqual(t, len(assets), 3, "script, style, icon: %s", page.body)
	for _, match := range assets {
		res := s.get(t, visitor, match[1])
		require.Equal(t, http.StatusOK, res.status, match[1])
		require.Equal(t, map[string]string{
			".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
		}[path.Ext(match[1])], res.header.Get("Content-Type"), match[1])
		want := "no-cache"
		if strings.HasPrefix(match[1], "/assets/") {
			want = "public, max-age=31536000, immutable"
		}
		require.Equal(t, want, res.header.Get("Cache-Control"), match[1])
		require.Equal(t, "nosniff", res.header.Get("X-Content-Type-Options"), match[1])
		again := s.get(t, visitor, match[1], "If-None-Match: "+res.header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.status, match[1])
	}
}

// GET /api/login has additional members for the front end.
func TestBeginLogin(t *testing.T) {
	tests := []struct {
		args    []string
		want    string
		session string // the name of the session cookie
	}{
		{nil, `{"client_id":"demo.apps.googleusercontent.com","script":"/demo/gsi.js","demo":true,"redirect":true,"tokens":true,"session":false}`, "__Host-Http-session"},
		{[]string{"-redirect"}, `{"client_id":"demo.apps.googleusercontent.com","script":"/demo/gsi.js","demo":true,"redirect":true,"redirect_mode":true,"tokens":true,"session":false}`, "__Host-Http-session"},
		{[]string{"-dangerously-allow-http"}, `{"client_id":"demo.apps.googleusercontent.com","script":"/demo/gsi.js","demo":true,"redirect":true,"tokens":true,"session":false}`, "session"},
		{[]string{"-cookie-suffix", "b"}, `{"client_id":"demo.apps.googleusercontent.com","script":"/demo/gsi.js","demo":true,"redirect":true,"tokens":true,"session":false}`, "__Host-Http-session-b"},
		{[]string{"-client-id", "id", "-client-secret", "s"}, `{"client_id":"id","script":"https://accounts.google.com/gsi/client","redirect":true,"session":false}`, "__Host-Http-session"},
		{[]string{"-client-id", "id"}, `{"client_id":"id","script":"https://accounts.google.com/gsi/client","redirect":false,"session":false}`, "__Host-Http-session"},
	}
	for _, tt := range tests {
		s := start(t, append(tt.args, "-db", "memory")...)
		answer := func(headers ...string) map[string]any {
			res := s.get(t, newBrowser(t), "/api/login", headers...)
			require.Equal(t, http.StatusOK, res.status)
			require.Equal(t, "no-store", res.header.Get("Cache-Control"))
			var body map[string]any
			require.NoError(t, json.Unmarshal([]byte(res.body), &body))
			require.Len(t, body["nonce"], 43)
			delete(body, "nonce")
			return body
		}
		var want map[string]any
		require.NoError(t, json.Unmarshal([]byte(tt.want), &want))
		require.Equal(t, want, answer(), "%q", tt.args)
		want["session"] = true // the server does not check the cookie here
		require.Equal(t, want, answer("Cookie: "+tt.session+"=x"), "%q", tt.args)
	}
}

// A browser that opens the API without a session is redirected to the login page. The
// page leads back to that path, and never to another site.
func TestReturnPath(t *testing.T) {
	s := start(t, "-db", "memory")
	for path, want := range map[string]string{
		"/api/customer":                     "/login?code=no_session&next=%2Fapi%2Fcustomer",
		"/api/customer?q=1&x=%2F%2Fevil":    "/login?code=no_session&next=%2Fapi%2Fcustomer%3Fq%3D1%26x%3D%252F%252Fevil",
		"/api/customer/":                    "/login?code=no_session&next=%2Fapi%2Fcustomer%2F",
		"/api/customer?next=//evil.example": "/login?code=no_session&next=%2Fapi%2Fcustomer%3Fnext%3D%2F%2Fevil.example",
	} {
		res := s.get(t, newBrowser(t), path, navigate)
		require.Equal(t, http.StatusSeeOther, res.status, "GET %s", path)
		require.Equal(t, want, res.header.Get("Location"), "GET %s", path)
	}
	res := s.get(t, newBrowser(t), "/api/customer")
	require.Equal(t, http.StatusUnauthorized, res.status, "a script is refused, not redirected")
}

// The folder dist is what "npm run build" makes of the present sources.
func TestDistIsCurrent(t *testing.T) {
	built, err := os.ReadFile("web/dist/sources.sha256")
	require.NoError(t, err)
	lines := slices.Collect(strings.Lines(string(built)))
	for _, root := range []string{
		".env.development", "build", "index.html", "package-lock.json", "package.json", "public", "src", "vite.config.js",
		"../snippets", "../testdata/tour.sh", "../../minimal/main.go",
	} {
		err := filepath.WalkDir(filepath.Join("web", root), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
				return err
			}
			text, err := os.ReadFile(name) //nolint:gosec // a file of this repository
			if err != nil {
				return err
			}
			name, err = filepath.Rel("web", name)
			i := slices.Index(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(text), filepath.ToSlash(name)))
			require.GreaterOrEqual(t, i, 0, "%s has changed: npm ci && npm run build in examples/customer/web", name)
			lines = slices.Delete(lines, i, i+1)
			return err
		})
		require.NoError(t, err)
	}
	require.Empty(t, lines, "these sources have been deleted: npm ci && npm run build in examples/customer/web")
}

// The login page has a text for every code of the library, because in redirect mode each
// refusal of a sign-in leads there.
func TestEveryCodeHasText(t *testing.T) {
	var texts map[string]string
	require.NoError(t, json.Unmarshal([]byte(readText(t, "web/src/messages/en/refusals.json")), &texts))
	names, err := filepath.Glob("../../*.go")
	require.NoError(t, err)
	var codes []string
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || identName(spec.Type) != "Code" {
				return true
			}
			for _, value := range spec.Values {
				code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				codes = append(codes, code)
			}
			return true
		})
	}
	require.Greater(t, len(codes), 20, "the constants of type Code were not found")
	for _, code := range codes {
		require.NotEmpty(t, texts[code], "refusals.json lacks a text for %s", code)
	}
}

// A lock file with the address of a registry might work only on the machine that wrote it.
func TestLockFileNamesNoHost(t *testing.T) {
	text, err := os.ReadFile("web/package-lock.json")
	require.NoError(t, err)
	require.NotContains(t, string(text), `"resolved"`)
}

// In redirect mode Google's page posts a form, and the answer redirects to the path in the
// form's state.
func TestRedirectMode(t *testing.T) {
	s := start(t, "-db", "memory", "-redirect")
	tests := []struct {
		name  string
		state string
		want  string
	}{
		{"path", "/customer", "/customer"},
		{"no state", "", "/"},
		{"another site", "//evil.example", "/"},
		{"backslash", `/\evil.example`, "/"},
		{"URL", "https://evil.example", "/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			browser := newBrowser(t)
			nonce := s.beginSignIn(t, browser)
			token := s.request(t, browser, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"`+nonce+`"}`)
			form := encodeForm("credential", jsonString(t, token, "credential"), "g_csrf_token", "x", "state", tt.state)
			res := s.request(t, browser, http.MethodPost, "/api/login", form,
				"Content-Type: application/x-www-form-urlencoded", "Cookie: g_csrf_token=x")
			require.Equal(t, http.StatusSeeOther, res.status, res.body)
			require.Equal(t, tt.want, res.header.Get("Location"))
		})
	}
}

// In redirect mode, and only then, a cross-site POST from Google's page is accepted.
func TestRedirectModeAcceptsGooglesPost(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-redirect"}, "/login?code=nonce_mismatch&next=%2Fcustomer"}, // the check of the origin has passed
		{nil, "cross_origin"},
	} {
		s := start(t, append(tt.args, "-db", "memory", "-client-id", "id")...)
		res := s.request(t, newBrowser(t), http.MethodPost, "/api/login",
			encodeForm("credential", "x", "g_csrf_token", "x", "state", "/customer"),
			"Content-Type: application/x-www-form-urlencoded", "Cookie: g_csrf_token=x",
			"Origin: https://accounts.google.com", "Sec-Fetch-Site: cross-site")
		require.Contains(t, res.header.Get("Location")+res.body, tt.want, "%q", tt.args)
	}
}

func TestSecurityHeaders(t *testing.T) {
	google := start(t, "-db", "memory", "-client-id", "id")
	demo := start(t, "-db", "memory")
	for _, path := range []string{"/", "/login", "/customer", "/nothing", "/api/user", "/icon.svg", "/assets/nothing.js", "/healthz"} {
		for _, s := range []*server{google, demo} {
			h := s.get(t, newBrowser(t), path).header
			require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
			require.Equal(t, "same-origin-allow-popups", h.Get("Cross-Origin-Opener-Policy"), path)
			require.Equal(t, "no-referrer-when-downgrade", h.Get("Referrer-Policy"), path)
			csp := h.Get("Content-Security-Policy")
			for _, directive := range []string{
				"default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
			} {
				require.Contains(t, strings.Split(csp, "; "), directive, path)
			}
			require.NotContains(t, csp, "unsafe", path)
		}
	}
	public := google.get(t, newBrowser(t), "/login", "Host: app.example.com").header
	require.Equal(t, "strict-origin-when-cross-origin", public.Get("Referrer-Policy"))
	for _, source := range []string{
		"script-src 'self' https://accounts.google.com/gsi/client",
		"style-src 'self' " + styleHash(t, public) + " https://accounts.google.com/gsi/style",
		"connect-src 'self' https://accounts.google.com/gsi/",
		"frame-src https://accounts.google.com/gsi/",
		"img-src 'self' data: https://lh3.googleusercontent.com",
	} {
		require.Contains(t, strings.Split(public.Get("Content-Security-Policy"), "; "), source)
	}
	require.NotContains(t, demo.get(t, newBrowser(t), "/login").header.Get("Content-Security-Policy"), "google")
}

// The policy forbids inline scripts, and every inline style except that of the page, whose
// hash it has.
func TestPagesHaveNothingInline(t *testing.T) {
	s := start(t, "-db", "memory")
	inline := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=|<script(?:\s+(?:data-)?[a-z]+(?:="[^"]*")?)*>[^<]`)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	for _, path := range []string{"/", "/nothing", demoScript + "?page"} {
		res := s.get(t, newBrowser(t), path)
		policy := res.header.Get("Content-Security-Policy")
		for _, match := range style.FindAllStringSubmatch(res.body, -1) {
			sum := sha256.Sum256([]byte(match[1]))
			require.Contains(t, policy, "style-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; ", path)
		}
		require.NotRegexp(t, inline, style.ReplaceAllString(res.body, ""), path)
	}
	require.Regexp(t, inline, "<script>alert(1)</script>", "the pattern does not match an inline script")
	require.Regexp(t, inline, `<p style="color:red">`, "the pattern does not match an inline style")
}

// The page has text that a browser shows before it has loaded a script or a style sheet.
func TestPageHasText(t *testing.T) {
	const link = `<a href="/api/login/google?next=/api/customer">`
	for _, tt := range []struct {
		args []string
		want bool // a link to the sign-in by redirect, which works without a script
	}{
		{nil, true},
		{[]string{"-client-id", "id", "-client-secret", "s"}, true},
		{[]string{"-client-id", "id"}, false},
	} {
		page := start(t, append(tt.args, "-db", "memory")...)
		body := page.get(t, newBrowser(t), "/customer").body
		_, shell, found := strings.Cut(body, `<main id="shell">`)
		require.True(t, found, body)
		shell, _, found = strings.Cut(shell, "</main>")
		require.True(t, found, body)
		require.Contains(t, shell, "Customers")
		require.Contains(t, shell, "Loading…")
		require.Equal(t, tt.want, strings.Contains(shell, link), "%q: %s", tt.args, shell)
		require.Contains(t, body, `<meta name="description" content="`)

		before, after, _ := strings.Cut(body, "</main>")
		require.NotRegexp(t, `<script|rel="stylesheet"`, before, "the browser waits for it before it shows the text")
		require.Regexp(t, `<link rel="stylesheet"[^>]*>\s*<script type="module"`, after)
	}
}

// In redirect mode the stand-in opens its own page, which loads the script again.
func TestChooserPage(t *testing.T) {
	s := start(t, "-db", "memory", "-redirect")
	res := s.get(t, newBrowser(t), demoScript+"?page")
	require.Equal(t, http.StatusOK, res.status)
	require.Equal(t, "text/html; charset=utf-8", res.header.Get("Content-Type"))
	require.Contains(t, res.body, `<script src="./gsi.js" data-page></script>`)
	require.Equal(t, "text/javascript; charset=utf-8", s.get(t, newBrowser(t), demoScript).header.Get("Content-Type"))
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
			preflight := s.request(t, newBrowser(t), http.MethodOptions, "/api/customer/1", "", "Origin: "+tt.origin,
				"Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: content-type")
			require.Equal(t, tt.want, preflight.header.Get("Access-Control-Allow-Origin"))
			allowed := tt.want != ""
			require.Equal(t, allowed, preflight.header.Get("Access-Control-Allow-Credentials") == "true")
			require.Equal(t, allowed, preflight.header.Get("Access-Control-Allow-Methods") == "DELETE")
			require.Contains(t, strings.Join(preflight.header.Values("Vary"), ","), "Origin")

			res := s.get(t, newBrowser(t), "/api/login", "Origin: "+tt.origin)
			require.Equal(t, tt.want, res.header.Get("Access-Control-Allow-Origin"))

			// The library checks the origin before it looks for the session.
			res = s.request(t, newBrowser(t), http.MethodDelete, "/api/customer/1", "", "Origin: "+tt.origin, "Sec-Fetch-Site: same-site")
			require.Equal(t, map[bool]string{true: "no_session", false: "cross_origin"}[allowed], problemCode(t, res))
		})
	}
	silent := start(t, "-db", "memory", "-client-id", "id")
	res := silent.get(t, newBrowser(t), "/api/login", "Origin: "+app)
	require.Empty(t, res.header.Get("Access-Control-Allow-Origin"))
}

// styleHash returns the hash in the policy.
func styleHash(t *testing.T, h http.Header) string {
	t.Helper()
	hash := regexp.MustCompile(`'sha256-[^']+'`).FindString(h.Get("Content-Security-Policy"))
	require.NotEmpty(t, hash)
	return hash
}

func encodeForm(pairs ...string) string {
	values := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		values.Set(pair[0], pair[1])
	}
	return values.Encode()
}
