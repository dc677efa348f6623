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

// A stream is an event stream as a browser reads it.
type stream struct {
	lines *bufio.Reader
}

// openStream opens the event stream of the session and checks its first event.
func (s *server) openStream(t *testing.T, browser *http.Client) *stream {
	t.Helper()
	return s.openStreamAt(t, browser, "/api/live")
}

func (s *server) openStreamAt(t *testing.T, browser *http.Client, path string) *stream {
	t.Helper()
	url := strings.Replace(s.url, "http://", "https://", 1) + path
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := browser.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	st := &stream{bufio.NewReader(res.Body)}
	for _, want := range []string{"retry: 3000", "event: hello", "data: {}", ""} {
		require.Equal(t, want, st.readLine(t))
	}
	return st
}

func (st *stream) readLine(t *testing.T) string {
	t.Helper()
	line, err := st.lines.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

// readToEnd returns the text up to the end of the stream. If the stream breaks off, the
// error is part of the text.
func (st *stream) readToEnd() string {
	text, err := io.ReadAll(st.lines)
	if err != nil {
		return string(text) + err.Error()
	}
	return string(text)
}

// A stream ends at once if this server ends its session. It sends the code that the next
// request gets.
func TestLiveEndsWithTheSession(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			id := s.demo.google.Subject("ada@example.com")
			for what, end := range map[string]func(browser *http.Client) answer{
				"sign-out": func(browser *http.Client) answer { return s.request(t, browser, http.MethodPost, "/api/logout", "") },
				"revoked by an administrator": func(*http.Client) answer {
					return s.request(t, s.admin, http.MethodDelete, "/api/admin/users/"+id+"/sessions", "")
				},
				"disabled": func(*http.Client) answer {
					return s.request(t, s.admin, http.MethodPatch, "/api/admin/users/"+id, `{"disabled":true}`)
				},
			} {
				s.signInWith(newBrowser(t), "ada@example.com")
				s.changeAccess(id, `{"disabled":false}`)
				ada := newBrowser(t)
				require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
				live, admins := s.openStream(t, ada), s.openStream(t, s.admin)
				old := ada.Jar.Cookies(cookieURL(t, s.server))
				require.Less(t, end(ada).status, 300, what)
				began := time.Now()
				text := live.readToEnd()
				require.Less(t, time.Since(began), liveRecheck/2, what)

				stale := newBrowser(t)
				stale.Jar.SetCookies(cookieURL(t, s.server), old)
				res := s.get(t, stale, "/api/live")
				require.Equal(t, "event: ended\ndata: {\"code\":\""+problemCode(t, res)+"\"}\n\n", text, what)

				// The stream of another user goes on.
				require.Equal(t, http.StatusOK, s.request(t, s.admin, http.MethodDelete, "/api/sessions", "").status)
				require.Zero(t, admins.lines.Buffered())
			}
		})
	}
}

// If a user loses the rights of an administrator, the stream ends and says so, and the
// session goes on.
func TestLiveTellsOfLostRights(t *testing.T) {
	s := newSite(t, "-db", "memory")
	id := s.demo.google.Subject("ada@example.com")
	ada := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
	s.changeAccess(id, `{"admin":true}`)
	live := s.openStream(t, ada)
	s.changeAccess(id, `{"admin":false}`)
	require.Equal(t, "event: rights\ndata: {}\n\n", live.readToEnd())
	require.Equal(t, http.StatusOK, s.get(t, ada, "/api/user").status)
}

func TestLiveRefusals(t *testing.T) {
	s := newSite(t, "-db", "memory")
	visitor := newBrowser(t)
	res := s.get(t, visitor, "/api/live")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, "no_session", problemCode(t, res))
	res = s.request(t, s.admin, http.MethodPost, "/api/live", "")
	require.Equal(t, http.StatusMethodNotAllowed, res.status)
	require.Equal(t, "method_not_allowed", problemCode(t, res))
	require.Equal(t, http.StatusOK, s.request(t, s.admin, http.MethodHead, "/api/live", "").status)
}

// A bubble is the server with all its timeouts inside a synctest bubble, which has its own
// clock.
type bubble struct {
	*app
	server *server
	http   *http.Server
	pipes  *pipeListener
}

func newBubble(t *testing.T) *bubble {
	t.Helper()
	a, log := openApp(t, "-db", "memory")
	b := &bubble{
		app: a, server: &server{url: "http://localhost", log: log},
		http: a.server(), pipes: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})},
	}
	rememberKey(b.server.url, a)
	go func() { _ = b.http.Serve(b.pipes) }()
	t.Cleanup(func() { _ = b.http.Close() })
	return b
}

func (b *bubble) newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{DialContext: b.pipes.dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme = "http"
		addKeyCookie(r)
		return transport.RoundTrip(r)
	})}
}

// A pipeListener accepts the connections that its method dial makes with net.Pipe.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
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

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// A stream outlives the server's timeouts but not its session.
func TestLiveOutlivesTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		browser := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, browser, "ada@example.com").status)
		began := time.Now()
		live := b.server.openStream(t, browser)
		text := live.readToEnd()
		// The session expires after thirty minutes without a request.
		require.Equal(t, 30*time.Minute, time.Since(began))
		pings, last, found := strings.Cut(text, "event: ")
		require.True(t, found)
		n := strings.Count(pings, ": ping\n\n")
		require.Equal(t, strings.Repeat(": ping\n\n", n), pings)
		require.InDelta(t, 30*time.Minute/livePing, n, 1)
		require.Equal(t, "ended\ndata: {\"code\":\"session_expired\"}\n\n", last)
	})
}

// If another server ends the session, the stream ends at the next check.
func TestLiveRechecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		browser := b.newBrowser(t)
		res := b.server.signIn(t, browser, "ada@example.com")
		live := b.server.openStream(t, browser)
		// The stream checks the session once when it begins.
		synctest.Wait()
		_, err := b.stores.sessions.RevokeUser(t.Context(), jsonString(t, res, "id"), nil) // this Manager does not learn of it
		require.NoError(t, err)
		began := time.Now()
		require.Contains(t, live.readToEnd(), "event: ended")
		require.Equal(t, liveRecheck, time.Since(began))
	})
}

// Streams end when the server stops. They do not send that the session has ended.
func TestLiveStopsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		browser := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, browser, "ada@example.com").status)
		live := b.server.openStream(t, browser)
		text := make(chan string)
		go func() { text <- live.readToEnd() }()
		began := time.Now()
		require.NoError(t, b.http.Shutdown(t.Context()))
		require.Less(t, time.Since(began), 2*time.Second)
		require.Empty(t, <-text)
	})
}

// The server closes the stream of a browser that does not read it.
func TestLiveUnreadStreamIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		browser := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, browser, "ada@example.com").status)
		conn, err := b.pipes.dial(t.Context(), "", "")
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/api/live", nil)
		require.NoError(t, err)
		for _, cookie := range browser.Jar.Cookies(cookieURL(t, b.server)) {
			r.AddCookie(cookie)
		}
		addKeyCookie(r)
		require.NoError(t, r.Write(conn))
		synctest.Wait()
		began := time.Now()
		require.NoError(t, b.http.Shutdown(t.Context()), "the handler hangs")
		require.Less(t, time.Since(began), liveWrite+2*time.Second)
		require.NoError(t, conn.Close())
	})
}
