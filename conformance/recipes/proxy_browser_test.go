package recipes_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// A browser sends requests to a proxy, from pages of the site. It has cookies, and does not
// follow redirects.
type browser struct {
	t      *testing.T
	addr   string // of the proxy
	origin string // of the site
	client *http.Client
}

// newBrowser returns a browser that connects to the proxy at addr for every host and port.
func newBrowser(t *testing.T, addr string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	_, pool := proxyCertificate(t)
	transport := &http.Transport{
		DialContext:     dialProxy(addr),
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: proxyHost, MinVersion: tls.VersionTLS12},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, addr, "https://" + proxyHost, &http.Client{
		Jar:           jar,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// An answer is a response whose body was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// code returns the member code of problem+json, or "" if the answer is something else.
func (a answer) code() string {
	var problem struct{ Code string }
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(a.body), &problem) != nil {
		return ""
	}
	return problem.Code
}

// request returns a request with these headers, given as name and value in turns.
func (b *browser) request(method, path, body string, headers ...string) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.origin+path, strings.NewReader(body))
	require.NoError(b.t, err)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return r
}

// send sends a request and reads the answer.
func (b *browser) send(method, path, body string, headers ...string) answer {
	b.t.Helper()
	res, err := b.client.Do(b.request(method, path, body, headers...))
	require.NoError(b.t, err, "%s %s", method, path)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err, "%s %s", method, path)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, "", headers...)
}

// post sends a form as an old browser does, which has no Fetch Metadata.
func (b *browser) post(path, origin string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, "a=b", append([]string{"Origin", origin, "Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// navigation are the headers of a browser that opens a page.
var navigation = []string{"Sec-Fetch-Mode", "navigate", "Accept", "text/html"}

// signIn signs in as a page of the site does.
func (b *browser) signIn(google *googletest.Google, email string) {
	b.t.Helper()
	var login struct{ Nonce string }
	got := b.get("/api/login")
	require.NoError(b.t, json.Unmarshal([]byte(got.body), &login), got.body)
	credential, err := json.Marshal(map[string]string{"credential": google.Token(email, login.Nonce)})
	require.NoError(b.t, err)
	got = b.send(http.MethodPost, "/api/login", string(credential),
		"Content-Type", "application/json", "Origin", b.origin, "Sec-Fetch-Site", "same-origin")
	require.Equal(b.t, http.StatusOK, got.status, got.body)
}

// A socket is the connection of a WebSocket after its handshake. These tests send plain
// bytes instead of frames, because proxies do not look at them.
type socket struct {
	io.ReadWriteCloser

	lines *bufio.Reader
}

// openSocket sends the handshake of a WebSocket from a page of the origin. It returns nil
// as the socket if the answer is not 101.
func (b *browser) openSocket(origin string) (int, *socket) {
	b.t.Helper()
	r := b.request(http.MethodGet, "/socket", "", "Connection", "Upgrade", "Upgrade", "websocket", "Origin", origin,
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	res, err := b.client.Do(r)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusSwitchingProtocols {
		return res.StatusCode, nil
	}
	conn := res.Body.(io.ReadWriteCloser)
	return res.StatusCode, &socket{conn, bufio.NewReader(conn)}
}

// echo sends a line and returns the line that comes back.
func (s *socket) echo(line string) (string, error) {
	if _, err := io.WriteString(s, line+"\n"); err != nil {
		return "", err
	}
	got, err := s.lines.ReadString('\n')
	return strings.TrimSuffix(got, "\n"), err
}

// serveEcho is the server's side of a WebSocket. It sends every line back, and closes the
// connection when the request's context is done. It demands the headers that RFC 6455,
// section 4.2.1, demands.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	if !r.ProtoAtLeast(1, 1) || r.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
		http.Error(w, "this is not the handshake of a WebSocket", http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-r.Context().Done():
			_ = conn.Close()
		case <-stop:
		}
	}()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, line); err != nil {
			return
		}
	}
}
