package recipes_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// patience is how long a test waits for the end of a stream. It is less than the recheck of
// the recipes, so a stream that waits for its recheck fails the test.
const patience = 20 * time.Second

// eve is the second user of the tests, besides ada.
const eve = "eve@example.com"

// A recipeStore is a memory store that counts the checks of sessions, and that can fail
// them.
type recipeStore struct {
	*memstore.Store

	checks atomic.Int64
	down   atomic.Bool
}

func (s *recipeStore) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	s.checks.Add(1)
	if s.down.Load() {
		return googlesession.Session{}, googlesession.ErrUnavailable
	}
	return s.Store.CheckSession(ctx, r, touchAfter)
}

// newRecipeStore returns a memory store with a count of zero.
func newRecipeStore() *recipeStore { return &recipeStore{Store: memstore.New(nil)} }

// A recipe builds an application with the code of a recipe. It has the library's routes
// under /api, GET and POST /hello for users, POST /danger for users who have just signed
// in, and GET /reports for editors, with the guard that it is given. A handler of the
// application calls greet once and answers with its result, so greet counts the handlers
// that have run.
type recipe func(t *testing.T, m *googlesession.Manager, editors guard, greet func(googlesession.User) string) http.Handler

// A guard is a middleware of the library.
type guard = func(http.Handler) http.Handler

//recipe:frameworks
func requireEditors(m *googlesession.Manager, isEditor func(ctx context.Context, userID string) (bool, error)) func(http.Handler) http.Handler {
	return m.Require(func(ctx context.Context, s googlesession.Session) error {
		ok, err := isEditor(ctx, s.User.ID)
		if err == nil && !ok {
			err = googlesession.ErrForbidden
		}
		return err
	})
}

// testRecipe checks that the guards keep their promises in an application with a framework.
// Every framework's test calls it, and then tests what is special in that framework.
func testRecipe(t *testing.T, build recipe) {
	t.Helper()
	store := newRecipeStore()
	m, google := newManager(t, func(c *googlesession.Config) {
		c.Sessions = store
		c.Admins = []string{eve}
	})
	var greeted atomic.Int64
	var rolesDown atomic.Bool
	editors := requireEditors(m, func(_ context.Context, userID string) (bool, error) {
		if rolesDown.Load() {
			return false, errors.New("the table of roles does not answer")
		}
		return userID == google.Subject(eve), nil
	})
	app := build(t, m, editors, func(u googlesession.User) string {
		greeted.Add(1)
		return "Hello, " + u.Email + "."
	})
	// send sends one request and returns the status, the text, and how many checks and
	// handlers the request has cost.
	send := func(c *http.Client, method, path string, header ...string) (status int, text string, checks, handlers int64) {
		t.Helper()
		checks, handlers = store.checks.Load(), greeted.Load()
		a := do(t, c, method, path, header...)
		return a.status, a.text, store.checks.Load() - checks, greeted.Load() - handlers
	}
	stranger := google.Browser(app)
	user := google.SignIn(t, app, "/api/login", ada)
	admin := google.SignIn(t, app, "/api/login", eve)

	tests := []struct {
		name         string
		client       *http.Client
		method, path string
		header       []string
		status       int
		answer       string // the greeting, or the code of the refusal
	}{
		{"the library's route", user, "GET", "/api/user", nil, 200, ada},
		{"the library's route for administrators", admin, "GET", "/api/admin/users", nil, 200, eve},
		{"the library's own 404", stranger, "GET", "/api/nowhere", nil, 404, "not_found"},
		{"no session", stranger, "GET", "/hello", nil, 401, "no_session"},
		{"no session, a form", stranger, "POST", "/hello", nil, 401, "no_session"},
		{"no session, two guards", stranger, "POST", "/danger", nil, 401, "no_session"},
		{"a user", user, "GET", "/hello", nil, 200, "Hello, " + ada + "."},
		{"a user posts", user, "POST", "/hello", []string{"Origin", googletest.Origin}, 200, "Hello, " + ada + "."},
		{"two guards", user, "POST", "/danger", []string{"Origin", googletest.Origin}, 200, "Hello, " + ada + "."},
		{"another origin", user, "POST", "/hello", []string{"Origin", "https://evil.test"}, 403, "cross_origin"},
		{"another origin, by Fetch Metadata", user, "POST", "/hello", []string{"Sec-Fetch-Site", "same-site"}, 403, "cross_origin"},
		{"not an editor", user, "GET", "/reports", nil, 403, "forbidden"},
		{"an editor", admin, "GET", "/reports", nil, 200, "Hello, " + eve + "."},
	}
	for _, tt := range tests {
		status, text, checks, handlers := send(tt.client, tt.method, tt.path, tt.header...)
		require.Equal(t, tt.status, status, "%s: %s", tt.name, text)
		if greeting := strings.HasPrefix(tt.answer, "Hello"); greeting {
			require.Equal(t, tt.answer, text, tt.name)
			require.EqualValues(t, 1, handlers, "%s: handlers that have run", tt.name)
		} else {
			require.Contains(t, text, tt.answer, tt.name)
			require.Zero(t, handlers, "%s: handlers that have run", tt.name)
		}
		if tt.client == stranger || tt.answer == "cross_origin" {
			require.Zero(t, checks, "%s: calls to the store", tt.name)
		} else {
			require.EqualValues(t, 1, checks, "%s: calls to the store", tt.name)
		}
	}

	// The path in ?next= is the one that the browser knows.
	ran := greeted.Load()
	res := do(t, stranger, "GET", "/hello?a=1", "Accept", "text/html")
	require.Equal(t, http.StatusSeeOther, res.status)
	require.Equal(t, ran, greeted.Load())
	require.Equal(t, "/login?code=no_session&next=%2Fhello%3Fa%3D1", res.header.Get("Location"))

	res = do(t, user, "GET", "/hello")
	require.Equal(t, []string{"no-store"}, res.header.Values("Cache-Control"), "an answer about a user is not cached")

	// If the condition of Require cannot decide, the answer is 503, and no user is signed out.
	rolesDown.Store(true)
	status, text, _, handlers := send(admin, "GET", "/reports")
	require.Equal(t, http.StatusServiceUnavailable, status, text)
	require.NotContains(t, text, "table of roles", "the browser sees the application's error")
	require.Zero(t, handlers, "handlers that have run although the guard could not decide")
	rolesDown.Store(false)

	store.down.Store(true)
	status, text, _, handlers = send(user, "GET", "/hello")
	require.Equal(t, http.StatusServiceUnavailable, status, text)
	require.Zero(t, handlers, "handlers that have run during an outage")
	store.down.Store(false)

	// A session that was ended is refused at once, with and without a second guard.
	_, err := m.RevokeUser(t.Context(), google.Subject(ada))
	require.NoError(t, err)
	for _, path := range []string{"/hello", "/danger"} {
		status, text, _, handlers = send(user, "POST", path, "Origin", googletest.Origin)
		require.Equal(t, http.StatusUnauthorized, status, "%s: %s", path, text)
		require.Zero(t, handlers, "%s: handlers that have run after the session's end", path)
	}

	status, _, _, _ = send(admin, "POST", "/api/logout", "Origin", googletest.Origin)
	require.Equal(t, http.StatusNoContent, status)
	status, _, _, _ = send(admin, "GET", "/hello")
	require.Equal(t, http.StatusUnauthorized, status)
}

// A reply is what a test looks at of a response, whose body has been read.
type reply struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	text    string
}

// do sends a request whose header is given as names and values in turn. It follows no
// redirect.
func do(t testing.TB, c *http.Client, method, path string, header ...string) reply {
	t.Helper()
	return doWithBody(t, c, method, path, "", header...)
}

// postLogin posts a body to the sign-in route as login.js does.
func postLogin(t testing.TB, c *http.Client, body string) reply {
	t.Helper()
	return doWithBody(t, c, http.MethodPost, "/api/login", body, "Content-Type", "application/json", "Origin", googletest.Origin)
}

func doWithBody(t testing.TB, c *http.Client, method, path, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, googletest.Origin+path, strings.NewReader(body))
	require.NoError(t, err)
	for pair := range slices.Chunk(header, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	client := *c
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(r)
	require.NoError(t, err, "%s %s", method, path)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{res.StatusCode, res.Header, res.Cookies(), string(text)}
}

// code returns the code of a refusal.
func code(t testing.TB, problem string) googlesession.Code {
	t.Helper()
	var p struct{ Code googlesession.Code }
	decode(t, problem, &p)
	return p.Code
}

func decode(t testing.TB, text string, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), v), text)
}

// proxy returns a handler that passes every request on to a server at addr, as a proxy that
// ends TLS does. With it the clients of package googletest reach a real server.
func proxy(addr string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: addr})
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		},
		FlushInterval: -1, // a stream's bytes are passed on as they come
	}
}

// sending returns a handler that calls h with one more header in each request, as a
// client could send it.
func sending(h http.Handler, name, value string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set(name, value)
		h.ServeHTTP(w, r)
	})
}
