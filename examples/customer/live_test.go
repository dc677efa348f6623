package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A stream is what a browser reads of an event stream.
type stream struct {
	lines *bufio.Reader
}

// live opens the event stream and reads the first event.
func (s *server) live(t *testing.T, c *http.Client) *stream {
	t.Helper()
	url := strings.Replace(s.url, "http://", "https://", 1) + "/api/live"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := c.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	st := &stream{bufio.NewReader(res.Body)}
	for _, want := range []string{"retry: 3000", "event: hello", "data: {}", ""} {
		require.Equal(t, want, st.line(t))
	}
	return st
}

func (st *stream) line(t *testing.T) string {
	t.Helper()
	line, err := st.lines.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

// rest waits for the end. An end that is none of the server's is part of the text.
func (st *stream) rest() string {
	text, err := io.ReadAll(st.lines)
	if err != nil {
		return string(text) + err.Error()
	}
	return string(text)
}

// A stream ends at once with what this server ends, and says what the next request will
// be told.
func TestLiveEndsWithTheSession(t *testing.T) {
	for name, db := range databases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			id := s.demo.google.Subject("ada@example.com")
			for what, end := range map[string]func(c *http.Client) answer{
				"sign-out": func(c *http.Client) answer { return s.do(t, c, http.MethodPost, "/api/logout", "") },
				"ended by an administrator": func(*http.Client) answer {
					return s.do(t, s.admin, http.MethodDelete, "/api/admin/users/"+id+"/sessions", "")
				},
				"disabled": func(*http.Client) answer {
					return s.do(t, s.admin, http.MethodPatch, "/api/admin/users/"+id, `{"disabled":true}`)
				},
			} {
				s.enter(newBrowser(t), "ada@example.com")
				s.patch(id, `{"disabled":false}`)
				ada := newBrowser(t)
				require.Equal(t, http.StatusOK, s.enter(ada, "ada@example.com").status)
				live, admins := s.live(t, ada), s.live(t, s.admin)
				old := ada.Jar.Cookies(origin(t, s.server))
				require.Less(t, end(ada).status, 300, what)
				began := time.Now()
				text := live.rest()
				require.Less(t, time.Since(began), liveRecheck/2, what)

				stale := newBrowser(t)
				stale.Jar.SetCookies(origin(t, s.server), old)
				a := s.get(t, stale, "/api/live")
				require.Equal(t, "event: ended\ndata: {\"code\":\""+code(t, a)+"\"}\n\n", text, what)

				// Somebody else's goes on.
				require.Equal(t, http.StatusOK, s.do(t, s.admin, http.MethodDelete, "/api/sessions", "").status)
				require.Zero(t, admins.lines.Buffered())
			}
		})
	}
}

func TestLiveRefusals(t *testing.T) {
	s := newSite(t, "-db", "memory")
	nobody := newBrowser(t)
	a := s.get(t, nobody, "/api/live")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, "no_session", code(t, a))
	a = s.do(t, s.admin, http.MethodPost, "/api/live", "")
	require.Equal(t, http.StatusMethodNotAllowed, a.status)
	require.Equal(t, "method_not_allowed", code(t, a))
	require.Equal(t, http.StatusOK, s.do(t, s.admin, http.MethodHead, "/api/live", "").status)
}

// A bubble has the server, with all its timeouts, and a clock of its own.
type bubble struct {
	*app
	server *server
	http   *http.Server
	pipes  *pipes
}

func newBubble(t *testing.T) *bubble {
	t.Helper()
	a, log := openApp(t, "-db", "memory")
	b := &bubble{
		app: a, server: &server{url: "http://localhost", log: log},
		http: a.server(), pipes: &pipes{conns: make(chan net.Conn), closed: make(chan struct{})},
	}
	keepKey(b.server.url, a)
	go func() { _ = b.http.Serve(b.pipes) }()
	t.Cleanup(func() { _ = b.http.Close() })
	return b
}

func (b *bubble) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{DialContext: b.pipes.dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme = "http"
		addKey(r)
		return transport.RoundTrip(r)
	})}
}

// pipes is a network of one server.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, errors.New("closed")
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// A stream outlives the server's timeouts, and not its session.
func TestLiveLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		c := b.browser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, c, "ada@example.com").status)
		began := time.Now()
		live := b.server.live(t, c)
		text := live.rest()
		// Thirty minutes without a request.
		require.Equal(t, 30*time.Minute, time.Since(began))
		pings, last, found := strings.Cut(text, "event: ")
		require.True(t, found)
		n := strings.Count(pings, ": ping\n\n")
		require.Equal(t, strings.Repeat(": ping\n\n", n), pings)
		require.InDelta(t, 30*time.Minute/livePing, n, 1)
		require.Equal(t, "ended\ndata: {\"code\":\"session_expired\"}\n\n", last)
	})
}

// What another server has ended is over at the next look.
func TestLiveLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		c := b.browser(t)
		a := b.server.signIn(t, c, "ada@example.com")
		live := b.server.live(t, c)
		// It has looked once, at its start.
		synctest.Wait()
		_, err := b.stores.sessions.RevokeUser(t.Context(), member(t, a, "id"), nil) // not by this Manager
		require.NoError(t, err)
		began := time.Now()
		require.Contains(t, live.rest(), "event: ended")
		require.Equal(t, liveRecheck, time.Since(began))
	})
}

// The server does not wait for streams when it stops, and they do not say that the
// session has ended.
func TestLiveStopsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		c := b.browser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, c, "ada@example.com").status)
		live := b.server.live(t, c)
		text := make(chan string)
		go func() { text <- live.rest() }()
		began := time.Now()
		require.NoError(t, b.http.Shutdown(t.Context()))
		require.Less(t, time.Since(began), 2*time.Second)
		require.Empty(t, <-text)
	})
}

// A browser that does not read what it is sent is given up.
func TestLiveUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		c := b.browser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, c, "ada@example.com").status)
		conn, err := b.pipes.dial(t.Context(), "", "")
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/api/live", nil)
		require.NoError(t, err)
		for _, cookie := range c.Jar.Cookies(origin(t, b.server)) {
			r.AddCookie(cookie)
		}
		addKey(r)
		require.NoError(t, r.Write(conn))
		synctest.Wait()
		began := time.Now()
		require.NoError(t, b.http.Shutdown(t.Context()), "the handler hangs")
		require.Less(t, time.Since(began), liveWrite+2*time.Second)
		require.NoError(t, conn.Close())
	})
}
