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
)

// store is both interfaces of a store.
type store interface {
	googlesession.SessionStore
	googlesession.UserStore
}

// A site is an application with the library mounted, Google's stand-in, and
// everything that it wrote.
type site struct {
	http.Handler
	google  *googletest.Google
	manager *googlesession.Manager
	store   *spy
	log     *syncBuffer

	mu     sync.Mutex
	events []googlesession.Event
}

// newSite returns a site on a memory store; edit may change its configuration.
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

// routes is an application: the library under /api and three pages of its own.
func routes(m *googlesession.Manager) http.Handler {
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := googlesession.UserFrom(r.Context())
		if !ok {
			io.WriteString(w, "nobody")
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

// user is the store's record of email.
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

// spy counts calls and can make a method fail. The zero value with a store is
// transparent.
type spy struct {
	store

	mu    sync.Mutex
	calls map[string]int
	fail  map[string]error
	hook  func(method string)
	lose  bool                     // answers of SetAccess
	told  func(googlesession.User) // by PutUser
}

func (s *spy) call(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[method]++
	if s.hook != nil {
		s.hook(method)
	}
	return s.fail[method]
}

// count returns how often methods were called, all without names.
func (s *spy) count(methods ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for m, c := range s.calls {
		if len(methods) == 0 {
			n += c
		}
		for _, want := range methods {
			if m == want {
				n += c
			}
		}
	}
	return n
}

// failing makes a method return err, nil ends it.
func (s *spy) failing(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.fail = map[string]error{}
	}
	s.fail[method] = err
}

func (s *spy) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := s.call("CreateSession"); err != nil {
		return googlesession.Session{}, err
	}
	return s.store.CreateSession(ctx, n)
}

func (s *spy) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	if err := s.call("CheckSession"); err != nil {
		return googlesession.Session{}, err
	}
	return s.store.CheckSession(ctx, r, d)
}

func (s *spy) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := s.call("RevokeSession"); err != nil {
		return false, err
	}
	return s.store.RevokeSession(ctx, r)
}

func (s *spy) RevokeUser(ctx context.Context, id string, keep *googlesession.Ref) (int, error) {
	if err := s.call("RevokeUser"); err != nil {
		return 0, err
	}
	return s.store.RevokeUser(ctx, id, keep)
}

func (s *spy) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := s.call("PutUser"); err != nil {
		return false, err
	}
	if s.told != nil {
		s.told(u)
	}
	return s.store.PutUser(ctx, u)
}

func (s *spy) Sessions(ctx context.Context, id string) ([]googlesession.Session, error) {
	if err := s.call("Sessions"); err != nil {
		return nil, err
	}
	return s.store.Sessions(ctx, id)
}

func (s *spy) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := s.call("SignIn"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.SignIn(ctx, id)
}

func (s *spy) User(ctx context.Context, id string) (googlesession.User, error) {
	if err := s.call("User"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.User(ctx, id)
}

func (s *spy) Users(ctx context.Context, after string, limit int) ([]googlesession.User, error) {
	if err := s.call("Users"); err != nil {
		return nil, err
	}
	return s.store.Users(ctx, after, limit)
}

func (s *spy) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	if err := s.call("SetAccess"); err != nil {
		return googlesession.User{}, err
	}
	u, err := s.store.SetAccess(ctx, id, a)
	if s.lose {
		return googlesession.User{}, googlesession.ErrUnavailable
	}
	return u, err
}

func (s *spy) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	if err := s.call("RefuseTokens"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.RefuseTokens(ctx, id, t)
}

func (s *spy) DeleteUser(ctx context.Context, id string) error {
	if err := s.call("DeleteUser"); err != nil {
		return err
	}
	return s.store.DeleteUser(ctx, id)
}

// An answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// code is the code member of a problem+json body.
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

// do sends a request; header is pairs of name and value.
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

func get(t testing.TB, c *http.Client, target string, header ...string) answer {
	t.Helper()
	return do(t, c, http.MethodGet, target, "", header...)
}

// serve sends a request without a browser, with cookies given as name=value.
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

// begin asks for a nonce as a page does.
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

// cookie is the value that a browser holds; "" if none.
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

// syncBuffer is a log that many goroutines write.
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
