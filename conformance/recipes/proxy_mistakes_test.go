package recipes_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// An edit without the new text removes a line. These are the lines of nginx.conf.
var (
	hostLine   = edit{"    proxy_set_header Host $host;\n", ""}
	addrLine   = edit{"    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n", ""}
	bufferLine = edit{"        proxy_buffering off;\n", ""}
	noUpgrade  = edit{"    proxy_set_header Upgrade $http_upgrade;\n", ""}
	bodyLine   = edit{"    client_max_body_size 10m;\n", ""}
	headerLine = edit{"    proxy_buffer_size 8k;\n", ""}
)

// inLocation adds lines to the first location of nginx.conf.
func inLocation(lines string) edit {
	return edit{"    location / {\n", "    location / {\n" + lines}
}

// longPause is how long a test waits for what must not arrive.
const longPause = 300 * time.Millisecond

// proxyMistakes are the rows of the first table of mistakes in docs/proxies.md.
var proxyMistakes = []struct {
	name  string
	kind  *proxyKind
	edits []edit
	see   func(t *testing.T, s *proxyServer, b *browser)
}{
	{"Host is replaced", nginx, []edit{hostLine}, seeOldBrowsersRefused},
	{"Host is replaced", caddy, []edit{{"reverse_proxy " + docsServer, "reverse_proxy " + docsServer + " {\n\t\theader_up Host {upstream_hostport}\n\t}"}}, seeOldBrowsersRefused},
	{"a location has a `proxy_set_header` of its own", nginx, []edit{inLocation("proxy_set_header X-Mine 1;\n")}, seeOldBrowsersRefused},
	{"Host lacks the port of the site", nginx, nil, seeOtherPortRefused},
	{"Origin and Sec-Fetch-Site are removed", nginx, []edit{{hostLine.old, hostLine.old + "proxy_set_header Origin \"\"; proxy_set_header Sec-Fetch-Site \"\";\n"}}, seeOtherSitesAdmitted},
	{"X-Forwarded-For is not set", nginx, []edit{addrLine}, seeForgedAddress},
	{"Upgrade is not passed on", nginx, []edit{noUpgrade}, seeNoSocket},
	{"events are buffered", nginx, []edit{bufferLine}, seeNoEvents},
	{"a stream is silent for too long", nginx, []edit{{bufferLine.old, bufferLine.old + "proxy_read_timeout 1s;\n"}}, seeStreamCut},
	{"bodies are limited to 1 MB", nginx, []edit{bodyLine}, seeBodyRefused},
	{"the headers of answers are limited to 4 KB", nginx, []edit{headerLine}, seeBadGateway},
	{"error pages replace refusals", nginx, []edit{inLocation("proxy_intercept_errors on; error_page 401 /401.html;\n")}, seeNoCode},
	{"a prefix is removed", nginx, []edit{{"    location / {\n        proxy_pass http://" + docsServer + ";", "    location /app/ {\n        proxy_pass http://" + docsServer + "/;"}}, seeWrongNext},
	{"the path of cookies is replaced", nginx, []edit{inLocation("proxy_cookie_path / /app/;\n")}, seeBadCookie},
	{"a cache ignores Cache-Control", nginx, []edit{cached[0], inLocation(cachedLocation + "proxy_ignore_headers Cache-Control Vary;\n")}, seeOtherUser},
}

// Each mistake has the effect that docs/proxies.md names.
func TestProxyMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range proxyMistakes {
		t.Run(tt.kind.name+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			s, b := tt.kind.inFront(t, tt.edits...)
			tt.see(t, s, b)
		})
	}
}

func seeOldBrowsersRefused(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada) // with Fetch Metadata
	require.Equal(t, http.StatusOK, b.post("/page", b.origin, "Sec-Fetch-Site", "same-origin").status)
	require.Equal(t, "cross_origin", b.post("/page", b.origin).code())
	status, _ := b.openSocket(b.origin)
	require.Equal(t, http.StatusForbidden, status, "Chromium sends no Fetch Metadata with this handshake")
}

// A site that is listed as a trusted origin needs no Host.
func TestProxyHostRewrittenWithTrustedOrigin(t *testing.T) {
	t.Parallel()
	s := newProxyServer(t, func(c *googlesession.Config) { c.TrustedOrigins = []string{"https://" + proxyHost} })
	b := newBrowser(t, startNginx(t, proxyConfig(t, "nginx.conf", s.addr(), "", hostLine)))
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusOK, b.post("/page", b.origin).status)
	require.Equal(t, "cross_origin", b.post("/page", "https://evil.example").code())
}

func seeOtherPortRefused(t *testing.T, s *proxyServer, b *browser) {
	_, port, err := net.SplitHostPort(b.addr)
	require.NoError(t, err)
	b.origin += ":" + port
	b.signIn(s.google, ada)
	require.Equal(t, "cross_origin", b.post("/page", b.origin).code())

	fixed := startNginx(t, proxyConfig(t, "nginx.conf", s.addr(), "", edit{"Host $host;", "Host $host:$server_port;"}))
	_, port, err = net.SplitHostPort(fixed)
	require.NoError(t, err)
	b = newBrowser(t, fixed)
	b.origin += ":" + port
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusOK, b.post("/page", b.origin).status)
}

func seeOtherSitesAdmitted(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusOK, b.post("/page", "https://evil.example", "Sec-Fetch-Site", "cross-site").status)
}

func seeForgedAddress(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	require.Contains(t, b.get("/api/sessions").body, `"127.0.0.1"`, "the address of the proxy")

	thief := newBrowser(t, b.addr)
	thief.client.Transport = headerTransport{thief.client.Transport, "X-Forwarded-For", "203.0.113.9"}
	thief.signIn(s.google, "eve@example.com")
	require.Contains(t, thief.get("/api/sessions").body, `"203.0.113.9"`, "an address that the browser has made up")
}

func seeNoSocket(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	status, _ := b.openSocket(b.origin)
	require.Equal(t, http.StatusUpgradeRequired, status)
	status, _ = b.openSocket("https://evil.example")
	require.Equal(t, http.StatusForbidden, status, "the guard knows the handshake by its other headers")
}

func seeNoEvents(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, "data: hello", <-b.events("/events?header"), "the header of the answer turns the buffer off")
	lines := b.events("/events")
	select {
	case line := <-lines:
		t.Fatalf("%q arrives although nginx buffers", line)
	case <-time.After(longPause):
	}
	s.revoke(t) // which ends the stream
	require.Equal(t, "data: hello", <-lines)
}

func seeStreamCut(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	lines := b.events("/events")
	require.Equal(t, "data: hello", <-lines)
	_, open := <-lines
	require.False(t, open)
	require.Equal(t, http.StatusOK, b.get("/page").status, "the session has not ended")
}

func seeBodyRefused(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	got := b.send(http.MethodPost, "/upload", strings.Repeat("x", 2<<20), "Origin", b.origin)
	require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
	require.Empty(t, got.code())
}

func seeBadGateway(t *testing.T, _ *proxyServer, b *browser) {
	require.Equal(t, http.StatusBadGateway, b.get("/page?"+strings.Repeat("&", 2000), navigation...).status)
}

func seeNoCode(t *testing.T, _ *proxyServer, b *browser) {
	require.Empty(t, b.get("/page").code())
}

func seeWrongNext(t *testing.T, _ *proxyServer, b *browser) {
	location := b.get("/app/page", navigation...).header.Get("Location")
	require.Equal(t, "/login?code=no_session&next=%2Fpage", location, "the way back lacks the prefix")
}

// Browsers refuse a cookie whose name begins with __Host- unless its path is / (RFC 6265bis,
// section 4.1.3).
func seeBadCookie(t *testing.T, _ *proxyServer, b *browser) {
	cookies := (&http.Response{Header: b.get("/api/login").header}).Cookies()
	require.Len(t, cookies, 1)
	require.True(t, strings.HasPrefix(cookies[0].Name, "__Host-"))
	require.Equal(t, "/app/", cookies[0].Path)
}

// cached makes nginx cache answers, unless their headers forbid it.
var (
	cachedLocation = "proxy_cache shared; proxy_cache_valid 200 1m;\n"
	cached         = []edit{{"\nserver {", "\nproxy_cache_path CACHE keys_zone=shared:1m;\nserver {"}, inLocation(cachedLocation)}
)

func TestProxyCacheObeysNoStore(t *testing.T) {
	t.Parallel()
	s, b := nginx.inFront(t, cached...)
	b.signIn(s.google, ada)
	other := newBrowser(t, b.addr)
	other.signIn(s.google, "eve@example.com")
	for range 2 {
		require.Equal(t, ada, b.get("/page").body)
		require.Equal(t, "eve@example.com", other.get("/page").body)
	}
	s.revoke(t)
	require.Equal(t, http.StatusUnauthorized, b.get("/page").status)
}

func seeOtherUser(t *testing.T, s *proxyServer, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, ada, b.get("/page").body)
	require.Equal(t, ada, newBrowser(t, b.addr).get("/page").body, "a browser without a session")
}
