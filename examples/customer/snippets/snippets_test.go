package snippets

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// A site is an application made of the snippets.
type site struct {
	http.Handler

	google *googletest.Google
	m      *googlesession.Manager
	log    bytes.Buffer
	broken *brokenStore
}

// A brokenStore does not answer while down is set.
type brokenStore struct {
	googlesession.SessionStore

	down bool
}

func (s *brokenStore) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if s.down {
		return nil, googlesession.ErrUnavailable
	}
	return s.SessionStore.Sessions(ctx, userID)
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{google: googletest.NewGoogle("id.apps.googleusercontent.com")}
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{s.google.ClientID()}, HTTPClient: s.google.Client()})
	require.NoError(t, err)
	store := memstore.New(nil)
	s.broken = &brokenStore{SessionStore: store}
	config := googlesession.Config{Sessions: s.broken, Users: store, Verifier: verifier}
	Listen(&config, verifier, slog.New(slog.NewTextHandler(&s.log, nil)))
	s.m, err = googlesession.New(config)
	require.NoError(t, err)
	mux := http.NewServeMux()
	Serve(mux, s.m)
	mux.Handle("GET /stream", Stream(s.m))
	mux.Handle("GET /devices", s.m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ServeDevices(s.m, w, r) })))
	s.Handler = mux
	return s
}

func (s *site) signIn(t *testing.T) *http.Client {
	t.Helper()
	return s.google.SignIn(t, s, "/api/login", "ada@example.com")
}

// open returns the status and the body of an answer. The test closes the body when it ends.
func open(t *testing.T, client *http.Client, path string) (status int, body io.Reader) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, googletest.Origin+path, nil)
	require.NoError(t, err)
	res, err := client.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res.StatusCode, res.Body
}

func get(t *testing.T, client *http.Client, path string) (status int, body string) {
	t.Helper()
	status, answer := open(t, client, path)
	text, err := io.ReadAll(answer)
	require.NoError(t, err)
	return status, string(text)
}

func TestServe(t *testing.T) {
	s := newSite(t)
	status, body := get(t, s.signIn(t), "/hello")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "Hello, ada@example.com\n", body)
	status, _ = get(t, s.google.Browser(s), "/hello")
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestEndIdle(t *testing.T) {
	s := newSite(t)
	client, id := s.signIn(t), s.google.Subject("ada@example.com")
	require.NoError(t, EndIdle(t.Context(), s.m, id, time.Now().Add(-time.Minute)))
	status, _ := get(t, client, "/hello")
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, EndIdle(t.Context(), s.m, id, time.Now().Add(time.Minute)))
	status, _ = get(t, client, "/hello")
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestStreamEndsWhenTheUserIsDisabled(t *testing.T) {
	s := newSite(t)
	status, answer := open(t, s.signIn(t), "/stream")
	require.Equal(t, http.StatusOK, status)
	lines := bufio.NewReader(answer)
	hello, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "event: hello\n", hello)
	require.NoError(t, Disable(t.Context(), s.m, s.google.Subject("ada@example.com"), "test", ""))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(rest), "event: ended\ndata: {}\n\n"), "%s", rest)
}

func TestServeDevices(t *testing.T) {
	s := newSite(t)
	client := s.signIn(t)
	status, body := get(t, client, "/devices")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "Go-http-client/1.1\n", body)
	s.broken.down = true
	status, _ = get(t, client, "/devices")
	require.Equal(t, http.StatusServiceUnavailable, status)
	s.broken.down = false
	status, _ = get(t, client, "/hello")
	require.Equal(t, http.StatusOK, status, "an outage ends no session")
}

func TestListen(t *testing.T) {
	s := newSite(t)
	client := s.signIn(t)
	event := s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, "ada@example.com")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, googletest.Origin+"/api/security-events", strings.NewReader(event))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/secevent+jwt")
	res, err := s.google.Browser(s).Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusAccepted, res.StatusCode)
	status, _ := get(t, client, "/hello")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, s.log.String(), `msg="Google reports" event=sessions-revoked`)
	require.Contains(t, s.log.String(), "ended=1")
}

// The HTML of the tour is the login page of the minimal program.
func TestLoginPage(t *testing.T) {
	page, err := os.ReadFile("login.html")
	require.NoError(t, err)
	minimal, err := os.ReadFile("../../minimal/main.go")
	require.NoError(t, err)
	require.Contains(t, string(minimal), "`"+strings.ReplaceAll(string(page), "\n", "")+"`")
}
