package recipes_test

import (
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A traefikProxy stands in for the parts of Traefik that testdata/proxies/traefik.yml uses.
// The module of the real Traefik needs four hundred others, so these tests do not run it. The
// stand-in does what the documentation and the source of version 3.7 say about the
// middlewares headers and forwardAuth, and about the headers that an entry point removes. Its
// entry point resolves dots and refuses encoded slashes.
type traefikProxy struct {
	insecure         bool     // forwardedHeaders.insecure of the entry point
	address          string   // forwardAuth.address
	trustForwarded   bool     // forwardAuth.trustForwardHeader
	preserveLocation bool     // forwardAuth.preserveLocationHeader
	copied           []string // forwardAuth.authResponseHeaders
	removed          []string // headers.customRequestHeaders without a value
	server, other    http.Handler
	client           http.Client
}

// startTraefik starts a stand-in with this configuration, and returns its address.
func startTraefik(t *testing.T, config string) string {
	t.Helper()
	one := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(config)
		if found == nil {
			return ""
		}
		return found[1]
	}
	servers := regexp.MustCompile(`url: "(.*)"`).FindAllStringSubmatch(config, -1)
	require.Len(t, servers, 2)
	p := &traefikProxy{
		insecure:         one(`insecure: (\w+)`) == "true",
		address:          one(`address: (\S+)`),
		trustForwarded:   one(`trustForwardHeader: (\w+)`) == "true",
		preserveLocation: one(`preserveLocationHeader: (\w+)`) == "true",
		copied:           strings.Split(one(`authResponseHeaders: \[(.*)\]`), ", "),
		server:           traefikService(t, servers[0][1]),
		other:            traefikService(t, servers[1][1]),
		client:           http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	for _, header := range regexp.MustCompile(`(\S+): ""`).FindAllStringSubmatch(config, -1) {
		p.removed = append(p.removed, header[1])
	}
	cert, _ := proxyCertificate(t)
	s := httptest.NewUnstartedServer(p)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// traefikService returns a service, which passes the client's Host on.
func traefikService(t *testing.T, address string) http.Handler {
	t.Helper()
	target, err := url.Parse(address)
	require.NoError(t, err)
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.SetXForwarded()
		r.Out.Host = r.In.Host
	}}
}

func (p *traefikProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.insecure {
		removeForwarded(r.Header)
	}
	if strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f") {
		w.WriteHeader(http.StatusBadRequest) // encodedCharacters
		return
	}
	r.URL.RawPath = ""
	r.URL = r.URL.JoinPath() // sanitizePath
	switch path := r.URL.Path; {
	case path == "/login" || strings.HasPrefix(path, "/api/"):
		p.server.ServeHTTP(w, r)
		return
	case strings.HasPrefix(path, "/public/"):
		p.removeUser(r)
		p.other.ServeHTTP(w, r)
		return
	}
	p.removeUser(r)
	p.forwardAuth(w, r)
}

func (p *traefikProxy) removeUser(r *http.Request) {
	for _, name := range p.removed {
		r.Header.Del(name)
	}
}

// forwardAuth asks with a GET that has the headers of the request, without those of the
// connection. It passes on every answer that is not 2xx, and resolves its Location against
// the address that it has asked, unless preserveLocation is set.
func (p *traefikProxy) forwardAuth(w http.ResponseWriter, r *http.Request) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, p.address, nil)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	ask.Header = r.Header.Clone()
	removeHops(ask.Header)
	if !p.trustForwarded {
		removeForwarded(ask.Header)
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	for name, value := range map[string]string{
		"X-Forwarded-For":    client,
		"X-Forwarded-Method": r.Method,
		"X-Forwarded-Proto":  "https",
		"X-Forwarded-Host":   r.Host,
		"X-Forwarded-Uri":    r.URL.RequestURI(),
	} {
		if ask.Header.Get(name) == "" {
			ask.Header.Set(name, value)
		}
	}
	res, err := p.client.Do(ask)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 == 2 {
		for _, name := range p.copied {
			r.Header.Del(name)
			for _, value := range res.Header.Values(name) {
				r.Header.Add(name, value)
			}
		}
		p.other.ServeHTTP(w, r)
		return
	}
	maps.Copy(w.Header(), res.Header)
	removeHops(w.Header())
	if location, err := res.Location(); err == nil && !p.preserveLocation {
		w.Header().Set("Location", location.String())
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

func removeHops(h http.Header) {
	for _, name := range []string{"Connection", "Keep-Alive", "Te", "Trailers", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
}

func removeForwarded(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded-") || name == "X-Real-Ip" {
			h.Del(name)
		}
	}
}
