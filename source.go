package googlesession

import (
	"errors"
	"net"
	"net/http"
	"strings"
)

// checkSource refuses a request that another site's page has sent, unless it is safe, by
// Fetch Metadata and Origin. With DangerouslyAllowHTTP it also refuses what did not come
// from this machine.
func (m *Manager) checkSource(r *http.Request, origins *http.CrossOriginProtection) error {
	if m.cfg.DangerouslyAllowHTTP && !isLoopback(r.Host) {
		return denial(CodeMisdirectedRequest, errForeignHost)
	}
	if opensChannel(r) {
		r = asUnsafe(r)
	}
	err := origins.Check(r)
	switch {
	case err == nil:
		return nil
	case r.Header.Get("Origin") == "null":
		err = errNullOrigin
	}
	return denial(CodeCrossOrigin, err)
}

// errNullOrigin is for the operator's log. Browsers hide the origin of a form that goes
// from https to http, as Google's does in RedirectMode on http://localhost, and of a page
// with Referrer-Policy: no-referrer. Any page can send null, so it is never trusted.
var errNullOrigin = errors.New("googlesession: browser hides the origin (Origin: null), as it does for a form from an https page to an http one: RedirectMode needs https")

// checkChange is checkSource for what changes something, whatever the method: an
// application may call SignOut for a GET.
func (m *Manager) checkChange(r *http.Request, origins *http.CrossOriginProtection) error {
	return m.checkSource(asUnsafe(r), origins)
}

// opensChannel reports whether the request asks for another protocol, as the handshake
// of a WebSocket does (RFC 6455, section 4.1; RFC 8441, section 5). The handshake is a
// GET, but browsers do not apply the same-origin policy to it, so a page of any site
// could read what the server writes. Chromium sends no Fetch Metadata with it, and every
// browser sends Origin. Proxies drop or change parts of a handshake, so each part counts.
//
// Other GETs that go on, such as server-sent events, are not channels: without CORS
// headers a browser does not let a page of another origin read their answers.
func opensChannel(r *http.Request) bool {
	h := r.Header
	if h["Upgrade"] != nil || h["Sec-Websocket-Key"] != nil || h["Sec-Websocket-Version"] != nil || h[":protocol"] != nil {
		return true
	}
	mode := h.Get("Sec-Fetch-Mode")
	return mode == "websocket" || mode == "webtransport"
}

// asUnsafe returns the request with a method that no browser takes for safe.
func asUnsafe(r *http.Request) *http.Request {
	unsafe := *r
	unsafe.Method = http.MethodPost
	return &unsafe
}

// isLoopback is a list of names, not a look-up: a name that resolves to 127.0.0.1
// today may be anybody's.
func isLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	switch strings.ToLower(name) {
	case "localhost", "127.0.0.1", "::1", "[::1]":
		return true
	}
	return false
}
