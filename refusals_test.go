package googlesession_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// kinds has the requests of browsers and other clients. The test sends each of them to a
// page of the application and to a route of the library.
var kinds = []struct {
	name, method string
	header       []string
	window       bool   // the browser shows the answer in its window
	htmx         bool   // htmx follows HX-Redirect
	next         string // the page to come back to; "" means the requested path
}{
	{"a script", "GET", []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, false, false, ""},
	{"a script that posts", "POST", []string{"Sec-Fetch-Mode", "same-origin", "Content-Type", "application/x-www-form-urlencoded"}, false, false, ""},
	{"an image", "GET", []string{"Sec-Fetch-Mode", "no-cors", "Accept", "image/png"}, false, false, ""},
	{"a page", "GET", []string{"Sec-Fetch-Mode", "navigate"}, true, false, ""},
	{"a page by HEAD", "HEAD", []string{"Sec-Fetch-Mode", "navigate"}, true, false, ""},
	{"a form", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin", "Referer", origin + "/form?a=b&c=d"}, true, false, "/form?a=b&c=d"},
	{"a form without Referer", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin"}, true, false, "/"},
	{"a form of the login page", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin", "Referer", origin + "/login/?next=/x"}, true, false, "/"},
	{"an old browser", "GET", []string{"Accept", "text/html,*/*"}, true, false, ""},
	{"an old browser's form", "POST", []string{"Accept", "text/html,*/*", "Origin", origin, "Referer", origin + "/form"}, true, false, "/form"},
	{"an old browser's script", "GET", []string{"Accept", "text/html", "X-Requested-With", "XMLHttpRequest"}, false, false, ""},
	{"htmx 2", "GET", []string{"Sec-Fetch-Mode", "cors", "Hx-Request", "true", "Hx-Current-Url", origin + "/list?p=2#top"}, false, true, "/list?p=2"},
	{"htmx 2 that posts", "POST", []string{"Sec-Fetch-Mode", "cors", "Hx-Request", "true", "Hx-Current-Url", origin + "/list"}, false, true, "/list"},
	{"htmx 4 over plain HTTP", "GET", []string{"Accept", "text/html", "Hx-Request", "true", "Hx-Current-Url", "http://localhost:8080/list"}, false, true, "/list"},
	{"htmx without an address", "GET", []string{"Hx-Request", "true"}, false, true, "/"},
	{"a boosted link", "GET", []string{"Hx-Request", "true", "Hx-Boosted", "true", "Hx-Current-Url", origin + "/list"}, false, true, ""},
	{"a boosted form", "POST", []string{"Hx-Request", "true", "Hx-Boosted", "true", "Hx-Current-Url", origin + "/list"}, false, true, "/list"},
	{"htmx restores history", "GET", []string{"Hx-Request", "true", "Hx-History-Restore-Request", "true", "Hx-Current-Url", origin + "/old"}, false, true, "/old"},
	{"curl", "GET", []string{"Accept", "*/*"}, false, false, ""},
	{"curl that posts", "POST", []string{"Accept", "*/*", "Content-Type", "application/x-www-form-urlencoded"}, false, false, ""},
}

// Each kind of request gets each kind of refusal in its form, with and without a login page,
// with and without Deny, from a guard of the application and from the library's routes.
func TestFormOfARefusal(t *testing.T) {
	for _, loginPage := range []string{"", "/login"} {
		for _, deny := range []string{"", "page", "WriteDenial"} {
			var asked *http.Request
			var m *googlesession.Manager
			s := newSite(t, func(c *googlesession.Config) {
				c.LoginPage = loginPage
				if deny != "" {
					c.Deny = func(w http.ResponseWriter, r *http.Request, d googlesession.Denial) {
						asked = r
						if deny == "WriteDenial" {
							m.WriteDenial(w, r, d)
							return
						}
						w.WriteHeader(d.Status)
					}
				}
			})
			m = s.manager
			mux := http.NewServeMux()
			mux.Handle("/own", m.RequireAdmin(http.NotFoundHandler()))
			mux.Handle("/under/", http.StripPrefix("/under", m.RequireAdmin(http.NotFoundHandler())))
			mux.Handle("/", s.Handler)
			session := sessionCookie + "=" + cookie(t, s.signIn(t, alice), sessionCookie)
			for _, k := range kinds {
				library := "/api/admin/users?limit=5"
				if k.method == http.MethodPost {
					library = "/api/admin/sessions/revoke-all?reason=x"
				}
				for _, target := range []string{"/own?q=1", "/under/own?q=1", library} {
					for _, refusal := range []struct {
						code   googlesession.Code
						status int
						cookie string
						err    error
					}{
						{googlesession.CodeNoSession, 401, "a=b", nil},
						{googlesession.CodeNotAdmin, 403, session, nil},
						{googlesession.CodeUnavailable, 503, session, errors.New("down")},
					} {
						t.Run(k.name+" "+target+" "+string(refusal.code)+" login="+loginPage+" deny="+deny, func(t *testing.T) {
							asked = nil
							s.store.failing("CheckSession", refusal.err)
							a := serve(t, mux, k.method, target, "", slices.Concat(k.header, []string{"Cookie", refusal.cookie})...)
							require.Equal(t, "no-store", a.header.Get("Cache-Control"))
							require.Empty(t, a.header["Set-Cookie"])
							require.Equal(t, refusal.status == 503, a.header.Get("Retry-After") != "")
							next := k.next
							if next == "" {
								next = target
							}
							to := "/login?" + url.Values{"code": {string(refusal.code)}, "next": {next}}.Encode()
							leads := refusal.status == 401 && loginPage != ""
							if asks := deny != "" && (k.window || target != library) && (!leads || !k.window && !k.htmx); asks {
								require.NotNil(t, asked, "Deny is asked")
								require.Equal(t, target, asked.URL.RequestURI(), "with the address that the browser asked for")
								if deny == "page" {
									require.Equal(t, refusal.status, a.status)
									require.Empty(t, a.body)
									return
								}
							} else {
								require.Nil(t, asked, "Deny is not asked")
							}
							switch {
							case leads && k.window:
								require.Equal(t, http.StatusSeeOther, a.status)
								require.Equal(t, to, a.header.Get("Location"))
							case k.window:
								require.Equal(t, refusal.status, a.status)
								a.page(t, k.method, refusal.code)
							default:
								require.Equal(t, refusal.status, a.status)
								require.Equal(t, refusal.code, a.code(t))
								if !leads || !k.htmx {
									to = ""
								}
								require.Equal(t, to, a.header.Get("Hx-Redirect"))
							}
						})
					}
				}
			}
		}
	}
}

// page requires a page about a refusal.
func (a answer) page(t testing.TB, method string, code googlesession.Code) {
	t.Helper()
	require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
	require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	if method == http.MethodHead {
		require.Empty(t, a.body)
		return
	}
	require.Contains(t, a.body, "<small>"+string(code)+"</small>")
	require.NotContains(t, a.body, "src=")
	require.NotContains(t, a.body, "<script")
	require.NotContains(t, a.body, "style")
}

// The test compares the whole page of a refusal. The status and texts are the
// application's, and the page escapes them.
func TestPageOfARefusal(t *testing.T) {
	s := newSite(t, nil)
	hostile := googlesession.Denial{Status: 499, Code: `<b>LINK`, Detail: `</p><script>alert("1")</script> CODE & LINK`, Err: errors.New("secret")}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.manager.WriteDenial(w, r, hostile) })
	a := serve(t, h, http.MethodGet, "/x?q=%22%3E%3Cscript%3E", "", "Sec-Fetch-Mode", "navigate")
	require.Equal(t, 499, a.status)
	require.Equal(t, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Request Refused</title>
</head>
<body>
<main>
<h1>Request Refused</h1>
<p>&lt;/p&gt;&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; CODE &amp; LINK</p>
<p><a href="/">Go to the start page</a></p>
<p><small>&lt;b&gt;LINK</small></p>
</main>
</body>
</html>
`, a.body)
}

// The page of an outage links to the requested page, and to no other site. The page for a
// form does not, because a link cannot repeat the form.
func TestTryAgain(t *testing.T) {
	s := newSite(t, nil)
	for _, tt := range []struct {
		method, target string
		code           googlesession.Code
		link           string
	}{
		{"GET", "/x?q=1&r=%22%3E", googlesession.CodeUnavailable, `<a href="/x?q=1&amp;r=%22%3E">Try again</a>`},
		{"GET", "/x?q=\"'><script>", googlesession.CodeUnavailable, `<a href="/x?q=&#34;&#39;&gt;&lt;script&gt;">Try again</a>`},
		{"GET", "/x", googlesession.CodeTooSlow, `<a href="/x">Try again</a>`},
		{"GET", "//evil.example/x", googlesession.CodeUnavailable, `<a href="/">Try again</a>`},
		{"GET", "/x", googlesession.CodeForbidden, `<a href="/">Go to the start page</a>`},
		{"POST", "/x", googlesession.CodeUnavailable, `<a href="/">Go to the start page</a>`},
		{"POST", "/x", googlesession.CodeTooSlow, `<a href="/">Go to the start page</a>`},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.manager.WriteDenial(w, r, googlesession.Denial{Code: tt.code})
		})
		r := pageRequest(t, tt.method, "/")
		r.RequestURI = tt.target
		require.Contains(t, record(h, r).body, tt.link, "%s %s", tt.method, tt.target)
	}
}

// The length of an answer that a handler does not send any more is not that of the refusal.
func TestRefusalAfterContentLength(t *testing.T) {
	s := newSite(t, nil)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		s.manager.WriteDenial(w, r, googlesession.Denial{Code: googlesession.CodeForbidden})
	})
	a := serve(t, h, http.MethodGet, "/", "")
	require.Equal(t, googlesession.CodeForbidden, a.code(t))
	require.Empty(t, a.header.Get("Content-Length"))
}
