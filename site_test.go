package googlesession_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const (
	clientID      = "client.apps.googleusercontent.com"
	origin        = googletest.Origin
	sessionCookie = "__Host-Http-session"
	loginCookie   = "__Host-Http-login"

	alice      = "alice@gmail.com"
	adminEmail = "boss@example.com"
)

var (
	yes, no = true, false
	disable = googlesession.AccessChange{Disabled: &yes}
	enable  = googlesession.AccessChange{Disabled: &no}
	demote  = googlesession.AccessChange{Admin: &no}
	promote = googlesession.AccessChange{Admin: &yes}
)

// A site is an application with the library and with the stand-in for Google. It keeps the
// log and the events.
type site struct {
	http.Handler
	google  *googletest.Google
	manager *googlesession.Manager
	store   *spy
	log     *syncBuffer

	mu     sync.Mutex
	events []googlesession.Event
}

// newSite returns a site with a memory store. If edit is not nil, it may change the
// configuration.
func newSite(t testing.TB, edit func(*googlesession.Config)) *site {
	t.Helper()
	s := &site{
		google: googletest.NewGoogle(clientID),
		store:  &spy{store: memstore.New(nil)},
		log:    new(syncBuffer),
	}
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{clientID},
		HTTPClient: s.google.Client(),
	})
	require.NoError(t, err)
	cfg := googlesession.Config{
		Sessions: s.store,
		Verifier: verifier,
		Logger:   slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Events: func(_ context.Context, e googlesession.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
		},
	}
	if edit != nil {
		edit(&cfg)
	}
	s.manager, err = googlesession.New(cfg)
	require.NoError(t, err)
	s.Handler = routes(s.manager)
	return s
}

// routes returns an application with the library under /api and a few pages of its own.
func routes(m *googlesession.Manager) http.Handler {
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := googlesession.UserFrom(r.Context())
		if !ok {
			io.WriteString(w, "no user")
			return
		}
		io.WriteString(w, user.Email)
	})
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/private", m.RequireUser(greet))
	mux.Handle("/admin", m.RequireAdmin(greet))
	mux.Handle("/public", m.Load(greet))
	mux.Handle("/both", m.Load(m.RequireUser(greet)))
	return mux
}

// signIn returns the signed-in browser of email.
func (s *site) signIn(t testing.TB, email string) *http.Client {
	t.Helper()
	return s.google.SignIn(t, s, "/api/login", email)
}

// user returns the store's record of the user with this address.
func (s *site) user(t testing.TB, email string) googlesession.User {
	t.Helper()
	u, err := s.store.User(t.Context(), s.google.Subject(email))
	require.NoError(t, err)
	return u
}

func (s *site) kinds() []googlesession.EventKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kinds []googlesession.EventKind
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// An answer is a response whose body was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// code returns the member code of a problem+json body.
func (a answer) code(t testing.TB) googlesession.Code {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "body: %s", a.body)
	var p struct {
		Title, Detail string
		Code          googlesession.Code
		Status        int
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &p), a.body)
	require.Equal(t, a.status, p.Status)
	require.Equal(t, http.StatusText(a.status), p.Title)
	require.NotEmpty(t, p.Detail)
	return p.Code
}

// do sends a request from a browser. The header is given as names and values in turn.
func do(t testing.TB, c *http.Client, method, target, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, origin+target, strings.NewReader(body))
	require.NoError(t, err)
	for pair := range slices.Chunk(header, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	client := *c
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(r)
	require.NoError(t, err, "%s %s", method, target)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// get is do with GET.
func get(t testing.TB, c *http.Client, target string, header ...string) answer {
	t.Helper()
	return do(t, c, http.MethodGet, target, "", header...)
}

// serve sends a request without a browser. The header, cookies included, is given as names
// and values in turn.
func serve(t testing.TB, h http.Handler, method, target, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, origin+target, strings.NewReader(body))
	r.RequestURI = target
	for pair := range slices.Chunk(header, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Result().Header, w.Body.String()}
}

// begin gets a nonce as a page does.
func begin(t testing.TB, c *http.Client) (nonce string) {
	t.Helper()
	a := get(t, c, "/api/login")
	require.Equal(t, http.StatusOK, a.status, a.body)
	var body struct {
		ClientID string `json:"client_id"`
		Nonce    string `json:"nonce"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &body))
	require.Equal(t, clientID, body.ClientID)
	return body.Nonce
}

// post posts a token as login.js does.
func post(t testing.TB, c *http.Client, token string, header ...string) answer {
	t.Helper()
	body, err := json.Marshal(map[string]string{"credential": token})
	require.NoError(t, err)
	return do(t, c, http.MethodPost, "/api/login", string(body), append([]string{"Content-Type", "application/json"}, header...)...)
}

// postQuietly is post for goroutines other than the test's.
func (s *site) postQuietly(c *http.Client, token string) (status int, err error) {
	r, err := http.NewRequest(http.MethodPost, origin+"/api/login", strings.NewReader(`{"credential":"`+token+`"}`)) //nolint:noctx // the test ends it
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// cookie returns the value of a browser's cookie, or "" if the browser does not have it.
func cookie(t testing.TB, c *http.Client, name string) string {
	t.Helper()
	u, err := url.Parse(origin)
	require.NoError(t, err)
	for _, ck := range c.Jar.Cookies(u) {
		if ck.Name == name {
			return ck.Value
		}
	}
	return ""
}

// syncBuffer is a log that goroutines may write at the same time.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// advance moves the clock of a synctest bubble.
func advance(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // in a bubble it takes no time

// again posts a token as a page does after reauth_needed.
func again(t testing.TB, c *http.Client, token string) answer {
	t.Helper()
	return do(t, c, http.MethodPost, "/api/login", `{"credential":"`+token+`","reauth":true}`,
		"Content-Type", "application/json", "User-Agent", "the same browser, updated")
}

type sessionList struct {
	Sessions []struct {
		ID        string    `json:"id"`
		PublicID  string    `json:"public_id"`
		Kind      string    `json:"kind"`
		Label     *string   `json:"label"`
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

func localhost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost:8080"
		h.ServeHTTP(w, r)
	})
}
