package googlesession_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestClientIPBehind(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	unix := []netip.Prefix{{}}
	for _, tt := range []struct {
		name    string
		proxies []netip.Prefix
		remote  string
		forward []string
		want    string
	}{
		{"no proxy", nil, "192.0.2.1:1234", nil, "192.0.2.1"},
		{"no proxy configured, header invented", nil, "192.0.2.1:1234", []string{"198.51.100.1"}, "192.0.2.1"},
		{"not from a proxy, header invented", proxies, "192.0.2.1:1234", []string{"198.51.100.1"}, "192.0.2.1"},
		{"behind one", proxies, "10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"behind two", proxies, "10.0.0.1:1234", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"behind two, two lines", proxies, "10.0.0.1:1234", []string{"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"client invents more", proxies, "10.0.0.1:1234", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"client invents a proxy", proxies, "10.0.0.1:1234", []string{"203.0.113.9, 10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"the proxy itself", proxies, "10.0.0.1:1234", nil, "10.0.0.1"},
		{"proxies only", proxies, "10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"garbage", proxies, "10.0.0.1:1234", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"with a port", proxies, "10.0.0.1:1234", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6", proxies, "[fd00::1]:1234", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 with port and zone", proxies, "[fd00::1%eth0]:1234", []string{"[2001:db8::1%eth0]:1"}, "2001:db8::1"},
		{"IPv4 in IPv6", proxies, "[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"Unix socket", proxies, "@", []string{"198.51.100.1"}, "invalid IP"},
		{"Unix socket, no proxy", nil, "@", []string{"198.51.100.1"}, "invalid IP"},
		{"Unix socket, everything is a proxy", all, "@", []string{"198.51.100.1"}, "invalid IP"},
		{"Unix socket that was named", unix, "@", []string{"198.51.100.1"}, "198.51.100.1"},
		{"Unix socket without a name", unix, "", []string{"198.51.100.1"}, "198.51.100.1"},
		{"Unix socket of a peer with a path", unix, "/run/proxy.sock", []string{"198.51.100.1"}, "198.51.100.1"},
		{"Unix socket of a peer with an abstract name", unix, "@proxy", []string{"198.51.100.1"}, "198.51.100.1"},
		{"Unix socket, client invents more", unix, "@", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"Unix socket, client invents a socket", unix, "@", []string{"203.0.113.9, unix:, 198.51.100.1"}, "198.51.100.1"},
		{"Unix socket, no header", unix, "@", nil, "invalid IP"},
		{"Unix socket, empty header", unix, "@", []string{""}, "invalid IP"},
		{"Unix socket, garbage", unix, "@", []string{"198.51.100.1, unknown"}, "invalid IP"},
		{"Unix socket, then a proxy with an address", append(unix, proxies...), "@", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"Unix socket, then a proxy that was not named", unix, "@", []string{"198.51.100.1, 10.0.0.2"}, "10.0.0.2"},
		{"two Unix sockets", unix, "@", []string{"198.51.100.1, unix:"}, "198.51.100.1"},
		{"two Unix sockets, two lines", unix, "@", []string{"198.51.100.1", "unix:"}, "198.51.100.1"},
		{"a Unix socket behind a proxy", append(unix, proxies...), "10.0.0.1:1234", []string{"198.51.100.1, unix:"}, "198.51.100.1"},
		{"a Unix socket behind a proxy, not named", proxies, "10.0.0.1:1234", []string{"198.51.100.1, unix:"}, "invalid IP"},
		{"Unix sockets named, and a client that calls directly", unix, "192.0.2.1:1234", []string{"198.51.100.1"}, "192.0.2.1"},
		{"what is not an address", unix, "pipe", []string{"198.51.100.1"}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.RemoteAddr = tt.remote
			r.Header["X-Forwarded-For"] = tt.forward
			require.Equal(t, tt.want, googlesession.ClientIPBehind(tt.proxies...)(r).String())
		})
	}
}

// Without proxies a forged header is not read, however long it is.
func TestClientIPWithoutProxies(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.Header.Set("X-Forwarded-For", strings.Repeat(",", 1<<20))
	for name, ip := range map[string]func(*http.Request) netip.Addr{
		"no proxy":                googlesession.ClientIPBehind(),
		"a proxy, and no address": googlesession.ClientIPBehind(netip.MustParsePrefix("192.0.2.0/24")),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 10 {
			ip(r)
		}
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<16), name)
	}
}

// Behind the Unix socket of a real server the list of sessions has the client's address.
func TestClientIPThroughAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	require.NoError(t, err)
	addr := googlesession.ClientIPBehind(netip.Prefix{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, addr(r).String())
	}))
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	defer server.Close()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://app.test/", nil)
	require.NoError(t, err)
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, "198.51.100.1", string(body))
}

// Some adaptors to net/http reuse the memory of a header for the next request. The list of
// sessions must not change with it.
func TestDeviceKeepsNoMemoryOfTheRequest(t *testing.T) {
	s := newSite(t, nil)
	memory := []byte("Firefox 1")
	header := unsafe.String(&memory[0], len(memory)) //nolint:gosec // the test changes the memory behind a header, as an adaptor does
	client := s.google.SignIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("User-Agent", header)
		s.ServeHTTP(w, r)
	}), "/api/login", alice)
	require.NotNil(t, client)
	copy(memory, "Mallory 9")
	list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
	require.NoError(t, err)
	require.Equal(t, "Firefox 1", list[0].Device.UserAgent)
}
