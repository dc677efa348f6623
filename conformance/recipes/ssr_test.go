package recipes_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

//recipe:frameworks
func forBrowser(r *http.Request, method, url string, body io.Reader) (*http.Request, error) {
	out, err := http.NewRequestWithContext(r.Context(), method, url, body)
	if err != nil {
		return nil, err
	}
	out.Host = r.Host // the API compares it with the Origin
	for _, name := range []string{"Cookie", "Origin", "Sec-Fetch-Site", "User-Agent", "X-Forwarded-For"} {
		for _, value := range r.Header.Values(name) {
			out.Header.Add(name, value)
		}
	}
	if ip, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		out.Header.Add("X-Forwarded-For", ip) // for ClientIPBehind in the API
	}
	out.Header.Set("Accept", "application/json") // a refusal is a 401, not a redirect to the login page
	return out, nil
}

// A page server is what renders pages. It calls the API of another process on behalf of the
// browser.
func pageServer(api *http.Client, apiURL string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := forBrowser(r, r.Method, apiURL+"/hello", r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		res, err := api.Do(out) //nolint:gosec // the test names the API
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		switch res.StatusCode {
		case http.StatusOK:
			_, _ = io.WriteString(w, "<h1>")
			_, _ = io.Copy(w, res.Body)
		case http.StatusUnauthorized:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		default: // an outage must not look like a sign-out
			w.WriteHeader(res.StatusCode)
		}
	})
}

func TestServerSideRendering(t *testing.T) {
	store := newRecipeStore()
	clientIP := googlesession.ClientIPBehind(netip.MustParsePrefix("127.0.0.0/8"))
	m, google := newManager(t, func(c *googlesession.Config) {
		c.Sessions = store
		c.ClientIP = clientIP
	})
	ran := 0
	greet := greeter(func(u googlesession.User) string { ran++; return u.Email })
	apiMux := api(m)
	apiMux.Handle("/hello", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if clientIP(r) != netip.MustParseAddr("192.0.2.1") {
			http.Error(w, "the address is not that of the browser", http.StatusInternalServerError)
			return
		}
		greet(w, r)
	})))
	server := httptest.NewServer(apiMux)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	site := http.NewServeMux() // one host for the browser; the sign-in goes to the API
	site.Handle("/api/", proxy(strings.TrimPrefix(server.URL, "http://")))
	site.Handle("/", pageServer(client, server.URL))
	stranger, user := google.Browser(site), google.SignIn(t, site, "/api/login", ada)

	tests := []struct {
		name   string
		client *http.Client
		method string
		header []string
		status int
		ran    int
	}{
		{"a page without a session", stranger, "GET", []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate"}, 303, 0},
		{"a page", user, "GET", []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "none"}, 200, 1},
		{"a form", user, "POST", []string{"Origin", googletest.Origin, "Sec-Fetch-Site", "same-origin"}, 200, 1},
		{"a form in a browser without Fetch Metadata", user, "POST", []string{"Origin", googletest.Origin}, 200, 1},
		{"a form of a sibling host's page", user, "POST", []string{"Origin", "https://evil.app.test", "Sec-Fetch-Site", "same-site"}, 403, 0},
		{"such a form in a browser without Fetch Metadata", user, "POST", []string{"Origin", "https://evil.app.test"}, 403, 0},
	}
	for _, tt := range tests {
		before, checks := ran, store.checks.Load()
		res := do(t, tt.client, tt.method, "/", tt.header...)
		require.Equal(t, tt.status, res.status, "%s: %s", tt.name, res.text)
		require.Equal(t, tt.ran, ran-before, "%s: handlers that have run", tt.name)
		require.LessOrEqual(t, store.checks.Load()-checks, int64(1), tt.name)
	}

	res := do(t, user, "GET", "/api/sessions")
	require.Contains(t, res.text, `"ip":"192.0.2.1"`, "the address of the browser, not of the page server")

	store.down.Store(true)
	res = do(t, user, "GET", "/")
	require.Equal(t, http.StatusServiceUnavailable, res.status)
	store.down.Store(false)
	res = do(t, user, "POST", "/api/logout", "Origin", googletest.Origin)
	require.Equal(t, http.StatusNoContent, res.status)
	res = do(t, user, "GET", "/")
	require.Equal(t, http.StatusSeeOther, res.status)
}

// A server that forwards the cookie alone removes the defence against other sites' pages.
// Without Origin and Sec-Fetch-Site, the API takes the request for that of a program.
func TestServerSideRenderingForwardsTheCookieAlone(t *testing.T) {
	m, google := newManager(t, nil)
	apiMux := api(m)
	ran := 0
	apiMux.Handle("/hello", m.RequireUser(greeter(func(googlesession.User) string { ran++; return "" })))
	client := google.Browser(apiMux)
	client.Jar = nil
	careless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, googletest.Origin+"/hello", nil)
		if err != nil {
			panic(err)
		}
		out.Header["Cookie"] = r.Header["Cookie"]
		res, err := client.Do(out) //nolint:gosec // the stand-in reaches nothing but the test
		if err != nil {
			panic(err)
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
	})
	user := google.SignIn(t, apiMux, "/api/login", ada)
	jar := user.Jar
	user = google.Browser(careless)
	user.Jar = jar
	res := do(t, user, "POST", "/hello", "Origin", "https://evil.app.test", "Sec-Fetch-Site", "same-site")
	require.Equal(t, http.StatusOK, res.status)
	require.Equal(t, 1, ran, "the forged form has worked")
}
