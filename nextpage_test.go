package googlesession_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// refusedForm returns the next in the answer to a form that is refused because the session
// has ended.
func refusedForm(t testing.TB, s *site, header http.Header, host string) string {
	t.Helper()
	r := pageRequest(t, http.MethodPost, "/post-only")
	r.Host = host
	maps.Copy(r.Header, header)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.manager.WriteDenial(w, r, googlesession.Denial{Code: googlesession.CodeSessionExpired})
	})
	a := record(h, r)
	location := a.header.Get("Location")
	if r.Header.Get("Hx-Request") == "true" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		if location = a.header.Get("Hx-Redirect"); location == "" {
			return "no redirect"
		}
	}
	u, err := url.Parse(location)
	require.NoError(t, err)
	require.Equal(t, "/login", u.Path)
	require.Empty(t, u.Host)
	require.Equal(t, "session_expired", u.Query().Get("code"))
	return u.Query().Get("next")
}

// After signing in again, a person comes back to the page of the form if the browser says
// that it is a page of this site.
func TestPageOfTheForm(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	for _, tt := range []struct {
		name, referer, site, host string
		want                      string
	}{
		{"own page", "https://app.test/form?a=b", "same-origin", "app.test", "/form?a=b"},
		{"a proxy has changed Host", "https://app.test/form", "same-origin", "10.0.0.1:8080", "/form"},
		{"another site", "https://evil.example/form", "cross-site", "app.test", "/"},
		{"a sibling host", "https://front.app.test/form", "same-site", "app.test", "/"},
		{"this host, which the browser denies", "https://app.test/form", "cross-site", "app.test", "/"},
		{"typed by the user", "https://app.test/form", "none", "app.test", "/"},
		{"old browser", "https://app.test/form", "", "app.test", "/form"},
		{"old browser, plain HTTP", "http://localhost:8080/form", "", "localhost:8080", "/form"},
		{"old browser, another port", "http://localhost:9090/form", "", "localhost:8080", "/"},
		{"old browser, another site", "https://evil.example/form", "", "app.test", "/"},
		{"old browser, changed Host", "https://app.test/form", "", "10.0.0.1:8080", "/"},
		{"old browser, no Host", "/form", "", "", "/"},
		{"host in the user", "https://app.test@evil.example/form", "", "app.test", "/"},
		{"no Referer", "", "same-origin", "app.test", "/"},
		{"origin alone", "https://app.test/", "same-origin", "app.test", "/"},
		{"the login page", "https://app.test/login?next=%2Fx&code=no_session", "same-origin", "app.test", "/"},
		{"two slashes", "https://app.test//evil.example", "same-origin", "app.test", "/"},
		{"dot segments", "https://app.test/..//evil.example", "same-origin", "app.test", "/"},
		{"escaped slashes", "https://app.test/%2f%2fevil.example", "same-origin", "app.test", "/"},
		{"backslash", `https://app.test/\evil.example`, "same-origin", "app.test", "/"},
		{"malformed", "https://app.test/%zz", "same-origin", "app.test", "/"},
		{"relative", "/form", "same-origin", "app.test", "/"},
		{"without a scheme", "//app.test/form", "same-origin", "app.test", "/"},
		{"script", "javascript:alert(1)", "same-origin", "app.test", "/"},
		{"data", "data:text/html,x", "same-origin", "app.test", "/"},
		{"opaque", "https:app.test/form", "same-origin", "app.test", "/"},
		{"long", "https://app.test/" + strings.Repeat("a", 3000), "same-origin", "app.test", "/"},
	} {
		header := http.Header{"Referer": {tt.referer}}
		if tt.site != "" {
			header["Sec-Fetch-Site"] = []string{tt.site}
		}
		require.Equal(t, tt.want, refusedForm(t, s, header, tt.host), tt.name)
	}
}

// A login page that uses htmx is not led to itself, because it would be loaded for ever.
func TestHTMXOnTheLoginPage(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	for current, want := range map[string]string{
		"https://app.test/list":                               "/list",
		"https://app.test/login":                              "no redirect",
		"https://app.test/login/?next=/x#a":                   "no redirect",
		"https://app.test/LOGIN":                              "no redirect",
		"https://app.test/app/login?code=no_session&next=%2F": "no redirect",
		"https://app.test/app/login?code=no_plan&next=%2F":    "no redirect",
		"https://app.test/list?code=no_plan&next=%2F&a=b":     "/list?code=no_plan&next=%2F&a=b",
		"https://app.test//evil.example":                      "/",
		"javascript:alert(1)":                                 "/",
		"%zz":                                                 "/",
		"":                                                    "/",
	} {
		header := http.Header{"Hx-Request": {"true"}, "Hx-Current-Url": {current}, "Sec-Fetch-Mode": {"cors"}}
		require.Equal(t, want, refusedForm(t, s, header, "app.test"), current)
	}
}

// A guarded login page does not redirect to itself, even if the code is the application's
// own and a proxy removes a prefix of the path.
func TestCodeOfTheApplicationDoesNotLoop(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/app/login" })
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.manager.WriteDenial(w, r, googlesession.Denial{Status: http.StatusUnauthorized, Code: "mfa_needed"})
	})
	a := record(h, pageRequest(t, http.MethodGet, "/private"))
	require.Equal(t, "/app/login?code=mfa_needed&next=%2Fprivate", a.header.Get("Location"))
	a = record(h, pageRequest(t, http.MethodGet, "/login?code=mfa_needed&next=%2Fprivate")) // as the proxy passes it on
	require.Equal(t, http.StatusUnauthorized, a.status)
	a = record(h, pageRequest(t, http.MethodPost, "/app/login"))
	require.Equal(t, http.StatusUnauthorized, a.status, "a form that the login page posts to itself")
}

// A page with parameters of these names is not the login page.
func TestPageWithACodeOfItsOwn(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.LoginPage = "/app/login" })
	a := record(s.manager.RequireUser(http.NotFoundHandler()), pageRequest(t, http.MethodGet, "/join?code=k3y&next=%2Fteam"))
	require.Equal(t, "/app/login?code=no_session&next=%2Fjoin%3Fcode%3Dk3y%26next%3D%252Fteam", a.header.Get("Location"))
}

// FuzzNextPage checks that a person comes back to this site, whatever the headers say.
func FuzzNextPage(f *testing.F) {
	for _, tt := range nextPaths(f) {
		f.Add("https://app.test"+tt[0], "same-origin", false)
		f.Add(tt[0], "", true)
	}
	s := newSite(f, func(c *googlesession.Config) { c.LoginPage = "/login" })
	base, _ := url.Parse("https://app.test/login")
	f.Fuzz(func(t *testing.T, address, from string, htmx bool) {
		header := http.Header{"Referer": {address}, "Sec-Fetch-Site": {from}}
		if htmx {
			header = http.Header{"Hx-Request": {"true"}, "Hx-Current-Url": {address}, "Sec-Fetch-Mode": {"cors"}}
		}
		next := refusedForm(t, s, header, "app.test")
		if next == "no redirect" {
			return
		}
		require.Equal(t, next, googlesession.SafePath(next))
		u, err := base.Parse(next)
		require.NoError(t, err)
		require.Equal(t, "https://app.test", u.Scheme+"://"+u.Host)
	})
}

// IsNavigation believes Fetch Metadata before anything else.
func TestIsNavigation(t *testing.T) {
	for _, tt := range []struct {
		header []string
		want   bool
	}{
		{[]string{"Sec-Fetch-Mode", "navigate"}, true},
		{[]string{"Sec-Fetch-Mode", "navigate", "Hx-Request", "true", "X-Requested-With", "XMLHttpRequest"}, true},
		{[]string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, false},
		{[]string{"Sec-Fetch-Mode", "no-cors", "Accept", "text/html"}, false},
		{[]string{"Sec-Fetch-Mode", "websocket"}, false},
		{[]string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}, true},
		{[]string{"Accept", "text/html", "X-Requested-With", "com.example.app"}, true}, // Android's WebView
		{[]string{"Accept", "text/html", "X-Requested-With", "XMLHttpRequest"}, false},
		{[]string{"Accept", "text/html", "Hx-Request", "true"}, false},
		{[]string{"Accept", "application/json, text/html"}, false},
		{[]string{"Accept", "*/*"}, false},
		{nil, false},
	} {
		r := &http.Request{Header: http.Header{}}
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		require.Equal(t, tt.want, googlesession.IsNavigation(r), "%v", tt.header)
	}
}
