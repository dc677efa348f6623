package recipes_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// An otherProgram does not know the library. It believes its proxy.
type otherProgram struct {
	addr string

	mu   sync.Mutex
	seen []seenRequest
}

// A seenRequest is a request that has reached the other program.
type seenRequest struct {
	method, uri string
	header      http.Header
	body        int // bytes
}

func newOtherProgram(t *testing.T) *otherProgram {
	t.Helper()
	o := &otherProgram{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/socket" {
			serveEcho(w, r)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.seen = append(o.seen, seenRequest{r.Method, r.RequestURI, r.Header, int(n)})
		_, _ = io.WriteString(w, "the other program")
	}))
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	o.addr = strings.TrimPrefix(server.URL, "http://")
	return o
}

// requests returns the requests that have come since the last call.
func (o *otherProgram) requests() []seenRequest {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.seen
	o.seen = nil
	return seen
}

// asking starts a Go server, another program, and a proxy that asks the Go server about
// requests to the other program.
func (k *proxyKind) asking(t *testing.T, edits ...edit) (*proxyServer, *otherProgram, *browser) {
	t.Helper()
	s, o := newProxyServer(t, nil), newOtherProgram(t)
	return s, o, newBrowser(t, k.start(t, proxyConfig(t, k.ask, s.addr(), o.addr, edits...)))
}

// forgedUser are headers of a client that says that it is another user.
var forgedUser = []string{"X-User-ID", "1", "X-User-Email", root}

const root = "root@example.com"

// dottedPaths are paths of pages that need a sign-in, if a program goes by how they begin,
// and of pages that need none, if a proxy resolves the dots.
var dottedPaths = []string{
	"/app/../public/x", "//app/../public/x", "/app/%2e%2e/public/x", "/app/.%2E/public/x", "/app/..%2fpublic/x", "/app%2f..%2fpublic%2fx",
	"/public/../app", "/public/%2e%2e/app", "/public/..%2fapp", "/public/x/../../app",
}

// A proxy that asks the Go server keeps what the guards promise.
func TestForwardAuth(t *testing.T) {
	t.Parallel()
	for _, kind := range []*proxyKind{nginx, caddy, traefik} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, o, b := kind.asking(t)

			t.Run("not signed in", func(t *testing.T) {
				got := b.get("/app?a=1&b=2", append(navigation, "X-Forwarded-Uri", "/elsewhere", "X-Forwarded-Host", "evil.example")...)
				require.Equal(t, http.StatusSeeOther, got.status)
				require.Equal(t, "/login?code=no_session&next=%2Fapp%3Fa%3D1%26b%3D2", got.header.Get("Location"))
				require.Equal(t, "the login page", b.get(got.header.Get("Location")).body)
				require.Contains(t, got.header.Get("Cache-Control"), "no-store")

				got = b.get("/app?"+strings.Repeat("&", 2000), navigation...)
				require.Equal(t, http.StatusSeeOther, got.status)
				require.Greater(t, len(got.header.Get("Location")), 6000)

				got = b.get("/app", forgedUser...)
				require.Equal(t, http.StatusUnauthorized, got.status)
				require.Equal(t, "no_session", got.code())
				require.Empty(t, o.requests())
			})
			b.signIn(s.google, ada)

			t.Run("signed in", func(t *testing.T) {
				before := s.store.checks.Load()
				require.Equal(t, "the other program", b.get("/app?a=1", forgedUser...).body)
				require.EqualValues(t, 1, s.store.checks.Load()-before, "calls to the store")
				seen := o.requests()
				require.Len(t, seen, 1)
				require.Equal(t, "/app?a=1", seen[0].uri)
				require.Equal(t, []string{s.google.Subject(ada)}, seen[0].header["X-User-Id"])
				require.Equal(t, []string{ada}, seen[0].header["X-User-Email"])

				got := b.send(http.MethodDelete, "/api/sessions", "", "Origin", b.origin)
				require.Equal(t, http.StatusOK, got.status, "the Go server itself, without Fetch Metadata")
			})
			t.Run("body", func(t *testing.T) {
				got := b.send(http.MethodPost, "/app", strings.Repeat("x", 100<<10), "Origin", b.origin)
				require.Equal(t, http.StatusOK, got.status, got.body)
				seen := o.requests()
				require.Len(t, seen, 1)
				require.Equal(t, http.MethodPost, seen[0].method)
				require.Equal(t, 100<<10, seen[0].body)
			})
			t.Run("other origin", func(t *testing.T) {
				for _, forged := range [][]string{
					nil,
					{"X-Forwarded-Method", "GET", "X-Original-Method", "GET"},
					{"X-Forwarded-Host", "evil.example"},
				} {
					got := b.post("/app", "https://evil.example", forged...)
					require.Equal(t, http.StatusForbidden, got.status, "%v", forged)
					require.Equal(t, "cross_origin", got.code(), "%v", forged)
				}
				require.Empty(t, o.requests())
			})
			t.Run("part without sign-in", func(t *testing.T) {
				require.Equal(t, http.StatusOK, newBrowser(t, b.addr).get("/public/x", forgedUser...).status)
				seen := o.requests()
				require.Len(t, seen, 1)
				require.Empty(t, seen[0].header["X-User-Id"])
				require.Empty(t, seen[0].header["X-User-Email"])
			})
			t.Run("part without sign-in, by another way", func(t *testing.T) {
				for _, path := range dottedPaths {
					newBrowser(t, b.addr).get(path)
					for _, seen := range o.requests() {
						require.Regexp(t, "^/public/[^.]*$", seen.uri, path)
					}
				}
			})
			t.Run("the question from outside", func(t *testing.T) {
				for _, path := range []string{"/forward-auth", "/forward-auth/refused"} {
					got := b.get(path, "X-Forwarded-Method", "GET", "X-Forwarded-Host", proxyHost, "X-Forwarded-Uri", "/")
					require.NotEqual(t, http.StatusNoContent, got.status)
					require.Empty(t, got.header.Get("X-User-ID"))
				}
				o.requests()
			})
			t.Run("outage", func(t *testing.T) {
				s.store.down.Store(true)
				defer s.store.down.Store(false)
				for _, headers := range [][]string{nil, navigation} {
					got := b.get("/app", headers...)
					require.Equal(t, http.StatusServiceUnavailable, got.status)
					require.NotEmpty(t, got.header.Get("Retry-After"))
				}
				require.Empty(t, o.requests())
			})
			t.Run("outage of a moment", func(t *testing.T) {
				s.store.failOnce.Store(true)
				got := b.send(http.MethodPost, "/app", "x", "Origin", b.origin)
				require.Equal(t, http.StatusServiceUnavailable, got.status, "a POST that was not made must not look as if it was")
				require.NotEmpty(t, got.header.Get("Retry-After"))
				require.Empty(t, o.requests())
				require.Equal(t, http.StatusOK, b.get("/app").status)
				o.requests()
			})
			t.Run("ended", func(t *testing.T) {
				status, _ := b.openSocket("https://evil.example")
				require.Equal(t, http.StatusForbidden, status)
				status, socket := b.openSocket(b.origin)
				require.Equal(t, http.StatusSwitchingProtocols, status)
				s.revoke(t)
				before := s.store.checks.Load()
				require.Equal(t, http.StatusUnauthorized, b.get("/app").status)
				require.Equal(t, kind.refused, s.store.checks.Load()-before, "calls to the store")
				status, _ = b.openSocket(b.origin)
				require.Equal(t, http.StatusUnauthorized, status)

				// docs/proxies.md says that the other program has to end what is open.
				got, err := socket.echo("hello")
				require.NoError(t, err)
				require.Equal(t, "hello", got)
			})
			t.Run("Go server down", func(t *testing.T) {
				s.close()
				require.Equal(t, kind.down, b.get("/app").status)
				require.Empty(t, o.requests())
			})
		})
	}
}

// originalRequest gives its handler the request of the browser.
func TestOriginalRequest(t *testing.T) {
	t.Parallel()
	status, got := askOriginal(t, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"DELETE", proxyHost, "/app?a=1", "/app?a=1"}, []string{got.Method, got.Host, got.RequestURI, got.URL.String()})
	require.Equal(t, "https://evil.example", got.Header.Get("Origin"))
}

// originalRequest does not call its handler if the proxy does not say which request it asks
// about.
func TestOriginalRequestRefusesUnclear(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		edit   func(http.Header)
		status int
	}{
		{"no method", func(h http.Header) { h.Del("X-Forwarded-Method") }, http.StatusInternalServerError},
		{"no host", func(h http.Header) { h.Del("X-Forwarded-Host") }, http.StatusInternalServerError},
		{"no path", func(h http.Header) { h.Del("X-Forwarded-Uri") }, http.StatusInternalServerError},
		{"two methods", func(h http.Header) { h.Add("X-Forwarded-Method", "GET") }, http.StatusInternalServerError},
		{"two hosts", func(h http.Header) { h.Add("X-Forwarded-Host", "evil.example") }, http.StatusInternalServerError},
		{"two paths", func(h http.Header) { h.Add("X-Forwarded-Uri", "/") }, http.StatusInternalServerError},
		{"malformed path", func(h http.Header) { h.Set("X-Forwarded-Uri", "app") }, http.StatusBadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, got := askOriginal(t, tt.edit)
			require.Equal(t, tt.status, status)
			require.Nil(t, got, "the handler was called")
		})
	}
}

// askOriginal asks about a request, with the headers as edit changes them. It returns the
// status, and the request that the handler has got.
func askOriginal(t *testing.T, edit func(http.Header)) (status int, got *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	asked := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+docsServer+"/forward-auth", nil)
	asked.Header = http.Header{
		"X-Forwarded-Method": {"DELETE"},
		"X-Forwarded-Host":   {proxyHost},
		"X-Forwarded-Uri":    {"/app?a=1"},
		"Origin":             {"https://evil.example"},
	}
	if edit != nil {
		edit(asked.Header)
	}
	originalRequest(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })).ServeHTTP(w, asked)
	return w.Code, got
}
