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
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// runAsCustomer is an environment variable that makes the test binary run the program, for
// tests that need a separate process.
const runAsCustomer = "RUN_AS_CUSTOMER"

func TestMain(m *testing.M) {
	if os.Getenv(runAsCustomer) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A server is a running program.
type server struct {
	url  string
	log  *lockedBuffer
	stop func() int // stops the program as SIGTERM does and returns its exit status; may be called again
}

// start runs the program on a free port with these arguments and an empty environment,
// until the test ends.
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

// demoKeys holds the keys of the running demos by host. A browser from newBrowser sends
// them, as if it had opened the printed addresses.
var demoKeys sync.Map

// startApp serves the application and returns it, for tests that use its parts.
func startApp(t *testing.T, args ...string) (*server, *app) {
	t.Helper()
	a, log := openApp(t, args...)
	web := httptest.NewServer(a.handler())
	t.Cleanup(web.Close)
	rememberKey(web.URL, a)
	return &server{url: web.URL, log: log}, a
}

// rememberKey adds the key of a demo at url to demoKeys.
func rememberKey(url string, a *app) {
	if a.demo != nil {
		demoKeys.Store(strings.TrimPrefix(url, "http://"), a.demo.key)
	}
}

// openApp returns the application with open stores, without a server, and its log.
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

// readURL waits for the line with the address of the server. It adds the key of a demo to
// demoKeys.
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

// newBrowser returns a client with cookies that does not follow redirects. Browsers treat
// http://localhost as a secure context and send Secure cookies to it, but
// net/http/cookiejar does not. So requests to the client have https URLs, and the
// transport sends them over HTTP.
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

// key returns the key of the demo, or "" if the server is not a demo.
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

// An answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// request sends a request to a path of the server. A header is "Name: value".
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

// beginSignIn begins a sign-in and returns the nonce for the token.
func (s *server) beginSignIn(t *testing.T, browser *http.Client) string {
	t.Helper()
	return jsonString(t, s.get(t, browser, "/api/login"), "nonce")
}

// signIn signs the browser in with a token of the demo and returns the answer of
// POST /api/login.
func (s *server) signIn(t *testing.T, browser *http.Client, email string) answer {
	t.Helper()
	ask, err := json.Marshal(map[string]string{"email": email, "nonce": s.beginSignIn(t, browser)})
	require.NoError(t, err)
	token := s.request(t, browser, http.MethodPost, "/demo/token", string(ask))
	require.Equal(t, http.StatusOK, token.status, token.body)
	return s.request(t, browser, http.MethodPost, "/api/login", token.body)
}

// jsonString returns a string member of the JSON object in an answer with status 200.
func jsonString(t *testing.T, res answer, name string) string {
	t.Helper()
	require.Equal(t, http.StatusOK, res.status, res.body)
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(res.body), &object), res.body)
	text, ok := object[name].(string)
	require.True(t, ok, "%q is not a string in %s", name, res.body)
	return text
}

// problemCode returns the code of a problem (RFC 9457) and checks its other members.
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

// optionalHeader returns the arguments for one header, or for none if h is "".
func optionalHeader(h string) []string {
	if h == "" {
		return nil
	}
	return []string{h}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// tempDB returns the -db of a new SQLite database.
func tempDB(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// A lockedBuffer can be written by the server while the test reads it.
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

// cookieURL returns the URL under which the cookie jar of a browser keeps the cookies of a
// server.
func cookieURL(t *testing.T, s *server) *url.URL {
	t.Helper()
	u, err := url.Parse(strings.Replace(s.url, "http://", "https://", 1))
	require.NoError(t, err)
	return u
}

// newBrowserWithCookies returns a browser that has the cookies of another browser, moved
// from one server to another. Browsers share cookies between the ports of a host, but
// net/http/cookiejar files them under the whole URL of a test server.
func newBrowserWithCookies(t *testing.T, browser *http.Client, from, to *server) *http.Client {
	t.Helper()
	other := newBrowser(t)
	other.Jar.SetCookies(cookieURL(t, to), browser.Jar.Cookies(cookieURL(t, from)))
	return other
}
