package googletest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// newApp returns an application in which only Google is not real.
func newApp(t *testing.T, g *googletest.Google, keys *http.Client) http.Handler {
	t.Helper()
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{g.ClientID()},
		HTTPClient: keys,
	})
	require.NoError(t, err)
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier})
	require.NoError(t, err)
	app := http.NewServeMux()
	app.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	return app
}

// SignIn signs a user in, as in the package comment.
func TestSignIn(t *testing.T) {
	g := googletest.NewGoogle(client)
	app := newApp(t, g, g.Client())
	for _, email := range []string{"ada@example.com", "eve@example.com", "ada@example.com"} {
		browser := g.SignIn(t, app, "/api/login", email)
		res, body := get(t, browser, googletest.Origin+"/api/user")
		require.Equal(t, http.StatusOK, res.StatusCode)
		var user struct{ ID, Email string }
		require.NoError(t, json.Unmarshal(body, &user))
		require.Equal(t, email, user.Email)
		require.Equal(t, g.Subject(email), user.ID)
	}
	res, _ := get(t, g.Browser(app), googletest.Origin+"/api/user")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode, "another browser")
}

func TestSignInConcurrently(t *testing.T) {
	g := googletest.NewGoogle(client)
	app := newApp(t, g, g.Client())
	browser := g.SignIn(t, app, "/api/login", "ada@example.com")
	var wg sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wg.Go(func() {
			if res, err := browser.Get(googletest.Origin + "/api/user"); err == nil {
				statuses[i] = res.StatusCode
				_ = res.Body.Close()
			}
		})
	}
	wg.Wait()
	for _, status := range statuses {
		require.Equal(t, http.StatusOK, status)
	}
}

// SignIn sends the requests of a page.
func TestSignInRequests(t *testing.T) {
	g := googletest.NewGoogle(client)
	var (
		seen      []string
		post      http.Header
		body      struct{ Credential string }
		decodeErr error
	)
	browser := g.SignIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.Host+r.RequestURI)
		switch r.Method {
		case http.MethodGet:
			http.SetCookie(w, &http.Cookie{Name: "__Host-Http-login", Value: "1", Path: "/", Secure: true, HttpOnly: true})
			_, _ = fmt.Fprintf(w, `{"client_id":%q,"nonce":%q,"more":1}`, client, nonce)
		case http.MethodPost:
			post = r.Header
			decodeErr = json.NewDecoder(r.Body).Decode(&body)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "2", Path: "/", Secure: true})
		}
	}), "/login?a=b", "ada@example.com")
	require.Equal(t, []string{"GET app.test/login?a=b", "POST app.test/login?a=b"}, seen)
	require.Equal(t, "application/json", post.Get("Content-Type"))
	require.Equal(t, "https://app.test", post.Get("Origin"))
	require.Equal(t, "same-origin", post.Get("Sec-Fetch-Site"))
	require.Equal(t, "__Host-Http-login=1", post.Get("Cookie"))
	require.NoError(t, decodeErr)
	_, claims, _ := parts(t, body.Credential)
	require.Equal(t, nonce, claims["nonce"])
	require.Equal(t, "ada@example.com", claims["email"])

	get(t, browser, googletest.Origin)
	require.Equal(t, "GET app.test/", seen[2])
}

// The failure of a sign-in tells what is wrong.
func TestSignInFails(t *testing.T) {
	g := googletest.NewGoogle(client)
	another := googletest.NewGoogle("another")
	login := fmt.Sprintf(`{"client_id":%q,"nonce":%q}`, client, nonce)
	answers := func(get, post http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				get(w, r)
				return
			}
			post(w, r)
		})
	}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	for name, tt := range map[string]struct {
		app  http.Handler
		path string
		want []string
	}{
		"no login at the path": {newApp(t, g, g.Client()), "/login", []string{"GET /login: 404 Not Found"}},
		"no JSON":              {text("hello"), "/login", []string{"GET /login does not answer as Manager.Handler does"}},
		"another client ID": {newApp(t, another, another.Client()), "/api/login", []string{
			`the application's client ID is "another", this Google's is "123-abc.apps.googleusercontent.com"`,
		}},
		"another Google": {newApp(t, g, another.Client()), "/api/login", []string{
			"POST /api/login: 401 Unauthorized", "The verifier has not requested the keys. Is its HTTPClient this Google's Client?",
		}},
		"no cookie": {answers(text(login), text("{}")), "/login", []string{"POST /login sets no cookie"}},
		"bad cookie": {answers(text(login), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "__Host-session=1; Path=/")
		}), "/login", []string{"a browser refuses the cookie __Host-session: the prefix requires Secure"}},
		"panic":   {answers(text(login), func(http.ResponseWriter, *http.Request) { panic("oh dear") }), "/login", []string{"the handler panicked: oh dear", "browser_test.go"}},
		"no path": {http.NotFoundHandler(), " ", []string{"invalid character"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			var wg sync.WaitGroup
			wg.Go(func() { g.SignIn(r, tt.app, tt.path, "ada@example.com") })
			wg.Wait()
			for _, want := range append(tt.want, "googletest: SignIn: ") {
				require.Contains(t, r.failure, want)
			}
			require.NotContains(t, r.failure, "eyJ", "no token in a failure")
		})
	}
}

// A recorder records a failure instead of failing the test.
type recorder struct {
	testing.TB

	failure string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit() // FailNow does it
}

func TestBrowserCookies(t *testing.T) {
	for _, tt := range []struct {
		cookie string
		kept   bool
	}{
		{"a=1", true},
		{"a=1; Secure", true},
		{"a=1; Secure; Path=/else", false}, // accepted, but not sent to this path
		{"a=1; Domain=app.test", true},
		{"a=1; Domain=evil.test", false},
		{"a=1; Max-Age=0", false},
		{"a=1; SameSite=None; Secure", true},
		{"a=1; SameSite=None", false},
		{"__Secure-a=1; Secure", true},
		{"__Secure-a=1", false},
		{"__secure-a=1", false},
		{"__Host-a=1; Secure; Path=/", true},
		{"__HOST-a=1; Path=/", false},
		{"__Host-a=1; Secure", false},
		{"__Host-a=1; Secure; Path=/; Domain=app.test", false},
		{"__Http-a=1; Secure; HttpOnly", true},
		{"__Http-a=1; Secure", false},
		{"__Http-a=1; HttpOnly", false},
		{"__Host-Http-a=1; Secure; Path=/; HttpOnly", true},
		{"__Host-Http-a=1; Secure; Path=/", false},
		{"__Host-Http-a=1; HttpOnly; Path=/", false},
		{"__Host-Http-a=1; Secure; HttpOnly", false},
	} {
		browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/set" {
				w.Header().Set("Set-Cookie", tt.cookie)
			}
			_, _ = io.WriteString(w, r.Header.Get("Cookie"))
		}))
		get(t, browser, googletest.Origin+"/set")
		_, body := get(t, browser, googletest.Origin+"/")
		want, _, _ := strings.Cut(tt.cookie, ";")
		if !tt.kept {
			want = ""
		}
		require.Equal(t, want, string(body), tt.cookie)
	}
}

func TestBrowserGoesNowhereElse(t *testing.T) {
	g := googletest.NewGoogle(client)
	browser := g.Browser(http.RedirectHandler("https://accounts.google.com/", http.StatusSeeOther))
	for _, url := range []string{"http://app.test/", "https://app.test:8443/", "https://evil.test/", "https://app.test/"} {
		_, err := browser.Post(url, "text/plain", strings.NewReader("x"))
		require.ErrorContains(t, err, "nothing but https://app.test can be reached", url)
	}
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, _ := get(t, browser, googletest.Origin+"/x")
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
}

func TestBrowserFollowsRedirects(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "home") })
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: r.PostFormValue("a")})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	browser := googletest.NewGoogle(client).Browser(mux)
	res, err := browser.PostForm(googletest.Origin+"/form", map[string][]string{"a": {"1"}})
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "home", string(body))
	require.Equal(t, googletest.Origin+"/", res.Request.URL.String())
	require.Len(t, browser.Jar.Cookies(res.Request.URL), 1)
}
