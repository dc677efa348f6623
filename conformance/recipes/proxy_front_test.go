package recipes_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ada is the user of the tests.
const ada = "ada@example.com"

// inFront starts a server and a proxy in front of it, and returns a browser.
func (k *proxyKind) inFront(t *testing.T, edits ...edit) (*proxyServer, *browser) {
	t.Helper()
	s := newProxyServer(t, nil)
	return s, newBrowser(t, k.start(t, proxyConfig(t, k.front, s.addr(), "", edits...)))
}

// The configurations of docs/proxies.md keep what the guards promise.
func TestProxyInFront(t *testing.T) {
	t.Parallel()
	for _, kind := range []*proxyKind{nginx, caddy} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, b := kind.inFront(t)

			got := b.get("/page?a=1&b=2", navigation...)
			require.Equal(t, http.StatusSeeOther, got.status)
			require.Equal(t, "/login?code=no_session&next=%2Fpage%3Fa%3D1%26b%3D2", got.header.Get("Location"))
			got = b.get("/page")
			require.Equal(t, http.StatusUnauthorized, got.status)
			require.Equal(t, "no_session", got.code())

			b.signIn(s.google, ada)
			require.Equal(t, ada, b.get("/page").body)
			require.Contains(t, b.get("/api/sessions").body, `"`+browserIP+`"`, "the address of the browser")

			t.Run("forged address", func(t *testing.T) {
				thief := newBrowser(t, b.addr)
				thief.client.Transport = headerTransport{thief.client.Transport, "X-Forwarded-For", "203.0.113.9"}
				thief.signIn(s.google, "eve@example.com")
				list := thief.get("/api/sessions").body
				require.Contains(t, list, `"`+browserIP+`"`)
				require.NotContains(t, list, "203.0.113.9")
			})
			t.Run("origin", func(t *testing.T) {
				require.Equal(t, http.StatusOK, b.post("/page", b.origin).status, "without Fetch Metadata")
				got := b.post("/page", "https://evil.example")
				require.Equal(t, http.StatusForbidden, got.status)
				require.Equal(t, "cross_origin", got.code())
				got = b.post("/page", b.origin, "Sec-Fetch-Site", "cross-site")
				require.Equal(t, "cross_origin", got.code())
			})
			t.Run("sizes", func(t *testing.T) {
				got := b.send(http.MethodPost, "/upload", strings.Repeat("x", 5<<20), "Origin", b.origin)
				require.Equal(t, "5242880 <nil>", got.body)
				got = b.send(http.MethodPost, "/api/login", strings.Repeat("x", 100<<10), "Origin", b.origin, "Content-Type", "application/json")
				require.Equal(t, "body_too_large", got.code())

				long := "/page?" + strings.Repeat("&", 2000) // three times as long in ?next=
				got = newBrowser(t, b.addr).get(long, navigation...)
				require.Equal(t, http.StatusSeeOther, got.status)
				require.Greater(t, len(got.header.Get("Location")), 6000)
				require.Equal(t, "the login page", b.get(got.header.Get("Location")).body)
			})
			t.Run("outage", func(t *testing.T) {
				s.store.down.Store(true)
				defer s.store.down.Store(false)
				got := b.get("/page")
				require.Equal(t, http.StatusServiceUnavailable, got.status)
				require.Equal(t, "unavailable", got.code())
				require.NotEmpty(t, got.header.Get("Retry-After"))
			})
			t.Run("events", func(t *testing.T) {
				lines := b.events("/events")
				require.Equal(t, "data: hello", <-lines)
				s.more <- struct{}{}
				require.Equal(t, "data: hello", <-lines)
				s.revoke(t)
				_, open := <-lines
				require.False(t, open, "the stream goes on after the session has ended")
				require.Equal(t, http.StatusUnauthorized, b.get("/page").status)
			})
			t.Run("socket", func(t *testing.T) {
				b.signIn(s.google, ada)
				status, _ := b.openSocket("https://evil.example")
				require.Equal(t, http.StatusForbidden, status)
				status, socket := b.openSocket(b.origin)
				require.Equal(t, http.StatusSwitchingProtocols, status)
				got, err := socket.echo("hello")
				require.NoError(t, err)
				require.Equal(t, "hello", got)
				s.revoke(t)
				_, err = socket.lines.ReadByte()
				require.ErrorIs(t, err, io.EOF, "the socket is open after the session has ended")
			})
		})
	}
}

// events returns the lines of a stream, without the empty ones. The channel is closed when
// the stream ends.
func (b *browser) events(path string) <-chan string {
	b.t.Helper()
	lines := make(chan string)
	r := b.request(http.MethodGet, path, "")
	ctx := b.t.Context()
	go func() {
		defer close(lines)
		res, err := b.client.Do(r)
		if err != nil {
			return
		}
		defer func() { _ = res.Body.Close() }()
		for text := bufio.NewScanner(res.Body); text.Scan(); {
			if text.Text() == "" {
				continue
			}
			select {
			case lines <- text.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// Browsers speak HTTP/2 with a proxy, and the proxy speaks HTTP/1.1 with the server.
func TestProxyHTTP2(t *testing.T) {
	t.Parallel()
	for kind, edits := range map[*proxyKind][]edit{nginx: {{"443 ssl;", "443 ssl http2;"}}, caddy: nil} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, b := kind.inFront(t, edits...)
			b.client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
			res, err := b.client.Do(b.request(http.MethodGet, "/login", ""))
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, 2, res.ProtoMajor)

			b.signIn(s.google, ada)
			require.Equal(t, http.StatusOK, b.post("/page", b.origin).status)
			require.Equal(t, "cross_origin", b.post("/page", "https://evil.example").code())
			lines := b.events("/events")
			require.Equal(t, "data: hello", <-lines)
			s.revoke(t)
			_, open := <-lines
			require.False(t, open, "the stream goes on after the session has ended")
		})
	}
}
