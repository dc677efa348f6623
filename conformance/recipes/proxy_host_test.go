package recipes_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Host that nginx passes on decides about forms of old browsers. docs/proxies.md uses
// $host, and adds the port of the site if it is not 443. $http_host knows the port, but it
// can be empty.
func TestProxyNginxHost(t *testing.T) {
	t.Parallel()
	const refused = http.StatusForbidden
	for _, tt := range []struct {
		name    string
		host    string // in nginx.conf
		https   int    // the status of a form on port 443
		own     int    // the same on the port on which nginx listens
		mapped  int    // the same on port 8443, which something else maps to that of nginx
		without int    // the status of a page, without the header Host
	}{
		{"name", "$host", 200, refused, refused, 200},
		{"name and nginx's port", "$host:$server_port", refused, 200, refused, 200},
		{"name and the site's port", "$host:8443", refused, refused, 200, 200},
		{"header", "$http_host", 200, 200, 200, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, b := nginx.inFront(t, edit{"Host $host;", "Host " + tt.host + ";"})
			_, port, err := net.SplitHostPort(b.addr)
			require.NoError(t, err)
			for suffix, want := range map[string]int{"": tt.https, ":" + port: tt.own, ":8443": tt.mapped} {
				user := newBrowser(t, b.addr)
				user.origin += suffix
				user.signIn(s.google, ada)
				require.Equal(t, want, user.post("/page", user.origin).status, user.origin)
			}
			require.Equal(t, tt.without, b.statusOf("GET /login HTTP/1.0\r\n\r\n"))
		})
	}
}

// statusOf returns the status of the answer to a request that no browser would send.
func (b *browser) statusOf(request string) int {
	b.t.Helper()
	conn, err := dialProxy(b.addr)(context.Background(), "tcp", "")
	require.NoError(b.t, err)
	defer func() { _ = conn.Close() }()
	conn = tls.Client(conn, b.client.Transport.(*http.Transport).TLSClientConfig)
	_, err = io.WriteString(conn, request)
	require.NoError(b.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(b.t, err)
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}
