package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// runAsCustomer in the environment makes the test binary the program itself, for
// what only a process of its own can show.
const runAsCustomer = "RUN_AS_CUSTOMER"

func TestMain(m *testing.M) {
	if os.Getenv(runAsCustomer) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A server is the program, running.
type server struct {
	url  string
	log  *lockedBuffer
	stop func() int // like SIGTERM; returns the exit status; may be called again
}

// start runs the program with these arguments and nothing in its environment, on a
// free port, until the test ends.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{log: &lockedBuffer{}}
	out, stdout := io.Pipe()
	exited := make(chan int, 1)
	go func() {
		args := append([]string{"-addr", "127.0.0.1:0"}, args...)
		exited <- run(ctx, args, stdout, s.log, func(string) string { return "" })
		_ = stdout.Close()
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-exited
	})
	t.Cleanup(func() { s.stop() })
	s.url = readURL(t, out, s.log)
	return s
}

// demoKeys are those of the demos that run, by host. newBrowser's browsers have opened the
// address that the program has printed.
var demoKeys sync.Map

// startApp is start for tests that reach into the program.
func startApp(t *testing.T, args ...string) (*server, *app) {
	t.Helper()
	a, log := openApp(t, args...)
	web := httptest.NewServer(a.handler())
	t.Cleanup(web.Close)
	rememberKey(web.URL, a)
	return &server{url: web.URL, log: log}, a
}

func rememberKey(url string, a *app) {
	if a.demo != nil {
		demoKeys.Store(strings.TrimPrefix(url, "http://"), a.demo.key)
	}
}

func openApp(t *testing.T, args ...string) (*app, *lockedBuffer) {
	t.Helper()
	o, err := parseOptions(args, func(string) string { return "" })
	require.NoError(t, err)
	log := &lockedBuffer{}
	a, err := newApp(o, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	require.NoError(t, a.stores.open(t.Context()))
	t.Cleanup(func() { require.NoError(t, a.stores.close()) })
	return a, log
}

// readURL waits for the line that says where the server listens.
func readURL(t *testing.T, stdout io.Reader, log *lockedBuffer) string {
	t.Helper()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "no URL on stdout; stderr:\n%s", log)
	address, found := strings.CutPrefix(strings.TrimSpace(line), "Open ")
	require.True(t, found, line)
	url, key, isDemo := strings.Cut(address, "/?key=")
	if isDemo {
		demoKeys.Store(strings.TrimPrefix(url, "http://"), key)
	}
	return url
}

// newBrowser returns a client with cookies. Browsers take http://localhost for a
// secure context and send it Secure cookies; net/http/cookiejar does not. So the
// URLs that the client is given begin with https, and the transport leaves the s
// away. Redirects are not followed.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.URL.Scheme = "http"
			addKeyCookie(r)
			return transport.RoundTrip(r)
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// key is the demo's.
func (s *server) key() string {
	key, _ := demoKeys.Load(strings.TrimPrefix(s.url, "http://"))
	text, _ := key.(string)
	return text
}

func addKeyCookie(r *http.Request) {
	if key, ok := demoKeys.Load(r.URL.Host); ok {
		r.AddCookie(&http.Cookie{Name: keyCookie(r.Host), Value: key.(string)})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// request sends a request to a path of the server. Headers are "Name: value".
func (s *server) request(t *testing.T, browser *http.Client, method, path, body string, headers ...string) answer {
	t.Helper()
	url := strings.Replace(s.url, "http://", "https://", 1) + path
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	setHeaders(r, headers...)
	res, err := browser.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func setHeaders(r *http.Request, headers ...string) {
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
}

func (s *server) get(t *testing.T, browser *http.Client, path string, headers ...string) answer {
	t.Helper()
	return s.request(t, browser, http.MethodGet, path, "", headers...)
}

// beginSignIn returns the nonce that the token has to carry.
func (s *server) beginSignIn(t *testing.T, browser *http.Client) string {
	t.Helper()
	return jsonString(t, s.get(t, browser, "/api/login"), "nonce")
}

// signIn signs the browser in, in demo mode, and returns what POST /api/login says.
func (s *server) signIn(t *testing.T, browser *http.Client, email string) answer {
	t.Helper()
	ask, err := json.Marshal(map[string]string{"email": email, "nonce": s.beginSignIn(t, browser)})
	require.NoError(t, err)
	token := s.request(t, browser, http.MethodPost, "/demo/token", string(ask))
	require.Equal(t, http.StatusOK, token.status, token.body)
	return s.request(t, browser, http.MethodPost, "/api/login", token.body)
}

// jsonString returns a text of a JSON object that was answered with 200.
func jsonString(t *testing.T, res answer, name string) string {
	t.Helper()
	require.Equal(t, http.StatusOK, res.status, res.body)
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(res.body), &object), res.body)
	text, ok := object[name].(string)
	require.True(t, ok, "%q is no text in %s", name, res.body)
	return text
}

// problemCode returns the code of a problem, after checking its shape (RFC 9457).
func problemCode(t *testing.T, res answer) string {
	t.Helper()
	require.Equal(t, "application/problem+json", res.header.Get("Content-Type"), res.body)
	var problem struct {
		Title, Detail, Code string
		Status              int
	}
	require.NoError(t, json.Unmarshal([]byte(res.body), &problem), res.body)
	require.Equal(t, res.status, problem.Status)
	require.NotEmpty(t, problem.Title)
	require.NotEmpty(t, problem.Detail)
	return problem.Code
}

func tempDB(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// lockedBuffer is written by the server while the test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
