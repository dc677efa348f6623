package googlesession_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// handshakes has requests for another protocol, as browsers send them and with the headers
// that proxies leave.
var handshakes = []struct {
	name, method string
	header       []string
}{
	{"WebSocket", http.MethodGet, []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13"}},
	{"in other letters", http.MethodGet, []string{"connection", "keep-alive, upgrade", "upgrade", "WebSocket"}},
	{"any protocol", http.MethodGet, []string{"Upgrade", "mqtt"}},
	{"an empty line first", http.MethodGet, []string{"Upgrade", "", "Upgrade", "websocket"}},
	{"the key alone", http.MethodGet, []string{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}},
	{"the version alone", http.MethodGet, []string{"Sec-WebSocket-Version", "13"}},
	{"HEAD", http.MethodHead, []string{"Upgrade", "websocket"}},
	{"OPTIONS", http.MethodOptions, []string{"Upgrade", "websocket"}},
	{"HTTP/2", http.MethodConnect, []string{":protocol", "websocket"}},
	{"HTTP/2 by a proxy that makes it a GET", http.MethodGet, []string{":protocol", "websocket"}},
	{"Fetch Metadata alone", http.MethodGet, []string{"Sec-Fetch-Mode", "websocket"}},
	{"WebTransport", http.MethodGet, []string{"Sec-Fetch-Mode", "webtransport"}},
}

// sources has the headers by which browsers say where a request comes from.
var sources = []struct {
	name    string
	header  []string
	refused bool
}{
	{"sibling host, Chromium", []string{"Origin", "https://evil.app.test"}, true},
	{"sibling host", []string{"Origin", "https://evil.app.test", "Sec-Fetch-Site", "same-site"}, true},
	{"another site", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, true},
	{"another port", []string{"Origin", "https://app.test:8443"}, true},
	{"sandboxed frame", []string{"Origin", "null"}, true},
	{"own page, Chromium", []string{"Origin", "https://app.test"}, false},
	{"own page", []string{"Origin", "https://app.test", "Sec-Fetch-Site", "same-origin"}, false},
	{"trusted origin", []string{"Origin", "https://front.app.test"}, false},
	{"trusted origin with Fetch Metadata", []string{"Origin", "https://front.app.test", "Sec-Fetch-Site", "same-site"}, false},
	{"no browser", nil, false},
}

// A page of another origin cannot open a WebSocket in the name of the user, through whichever
// guard, inside EndWithSession and around it.
func TestHandshakeOfAnotherOrigin(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) {
		c.Admins = []string{alice}
		c.TrustedOrigins = []string{"https://front.app.test"}
	})
	c := s.signIn(t, alice)
	m := s.manager
	stream := m.EndWithSession(0)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := googlesession.UserFrom(r.Context()); ok {
			w.Header().Set("User", "known")
		}
	})
	for _, guard := range []struct {
		name    string
		handler http.Handler
		refused int // the status of a refused request
	}{
		{"RequireUser", m.RequireUser(h), http.StatusForbidden},
		{"RequireAdmin", m.RequireAdmin(h), http.StatusForbidden},
		{"RequireFresh", m.RequireFresh(time.Hour)(h), http.StatusForbidden},
		{"a stream in a guard", m.RequireUser(stream(h)), http.StatusForbidden},
		{"a guard in a stream", stream(m.RequireUser(h)), http.StatusForbidden},
		{"a guard in Load", m.Load(m.RequireUser(h)), http.StatusForbidden},
		{"Load", m.Load(h), http.StatusOK},
		{"a stream in Load", m.Load(stream(h)), http.StatusOK},
		{"Load in a stream", stream(m.Load(h)), http.StatusOK},
	} {
		for _, shake := range handshakes {
			for _, from := range sources {
				t.Run(guard.name+"/"+shake.name+"/"+from.name, func(t *testing.T) {
					r := httptest.NewRequestWithContext(t.Context(), shake.method, "/ws", nil)
					r.Host = "app.test"
					r.Header.Set("Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
					for pair := range slices.Chunk(slices.Concat(shake.header, from.header), 2) {
						r.Header.Add(pair[0], pair[1])
					}
					want, user := http.StatusOK, "known"
					if from.refused {
						want, user = guard.refused, ""
					}
					w := httptest.NewRecorder()
					guard.handler.ServeHTTP(w, r)
					require.Equal(t, want, w.Code)
					require.Equal(t, user, w.Header().Get("User"))
				})
			}
		}
	}
}

// A GET that is not a handshake is answered, because a link from another site must lead to
// the page, and a page of another origin cannot read the answer.
func TestOtherGETsStaySafe(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	for name, header := range map[string][]string{
		"a link":             {"Sec-Fetch-Mode", "navigate", "Upgrade-Insecure-Requests", "1"},
		"server-sent events": {"Sec-Fetch-Mode", "cors", "Accept", "text/event-stream", "Origin", "https://evil.app.test"},
		"an image":           {"Sec-Fetch-Mode", "no-cors"},
	} {
		a := get(t, c, "/private", append(header, "Sec-Fetch-Site", "same-site")...)
		require.Equal(t, http.StatusOK, a.status, name)
		require.Empty(t, a.header.Get("Access-Control-Allow-Origin"), name)
	}
}

// A link of another site does not sign out of an application that signs out by GET.
func TestSignOutByGET(t *testing.T) {
	s := newSite(t, nil)
	s.Handler = func(api http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", api)
		mux.HandleFunc("GET /signout", func(w http.ResponseWriter, r *http.Request) {
			if err := s.manager.SignOut(w, r); err != nil {
				w.WriteHeader(http.StatusForbidden)
			}
		})
		return mux
	}(s.Handler)
	c := s.signIn(t, alice)
	require.Equal(t, http.StatusForbidden, get(t, c, "/signout", "Sec-Fetch-Site", "cross-site").status)
	require.Equal(t, http.StatusForbidden, get(t, c, "/signout", "Origin", "https://evil.app.test").status)
	require.Equal(t, alice, get(t, c, "/private").body)
	require.Equal(t, http.StatusOK, get(t, c, "/signout", "Sec-Fetch-Site", "same-origin").status)
	require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
}

// The same holds for a real server whose handler takes the connection over.
func TestHandshakeOverTheNetwork(t *testing.T) {
	s := newSite(t, nil)
	value := cookie(t, s.signIn(t, alice), sessionCookie)
	server := httptest.NewServer(s.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	})))
	defer server.Close()
	address := server.Listener.Addr().String()
	for origin, want := range map[string]int{
		"https://evil.app.test": http.StatusForbidden,
		"http://" + address:     http.StatusSwitchingProtocols,
		"":                      http.StatusSwitchingProtocols,
	} {
		conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		require.NoError(t, err)
		request := "GET /ws HTTP/1.1\r\nHost: " + address + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: " + sessionCookie + "=" + value + "\r\n"
		if origin != "" {
			request += "Origin: " + origin + "\r\n"
		}
		_, err = io.WriteString(conn, request+"\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, want, answer.StatusCode, "Origin %q", origin)
		require.NoError(t, answer.Body.Close())
		require.NoError(t, conn.Close())
	}
}
