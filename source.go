package googlesession

import (
	"net"
	"net/http"
	"strings"
)

var (
	errForeignHost error = &operatorError{
		"googlesession: Host is not localhost, 127.0.0.1 or [::1], as Config.DangerouslyAllowHTTP requires",
		"Unset Config.DangerouslyAllowHTTP and serve this host over https. Behind a TLS proxy the library needs no setting for that.",
	}

	// Browsers send Origin: null with a form that goes from an https page to an http one, as
	// Google's does in RedirectMode on http://localhost, and from a page with
	// Referrer-Policy: no-referrer. A page of any site can make its browser send null, so
	// null is never trusted.
	errNullOrigin error = &operatorError{
		"googlesession: browser hides the origin (Origin: null)",
		"A browser does so for a form from an https page to an http one, so RedirectMode needs https. " +
			"It also does so for a page with Referrer-Policy: no-referrer, and in a sandboxed frame.",
	}
	errGoogleOrigin error = &operatorError{
		"googlesession: Google's page has posted a form, and Config.RedirectMode is not set",
		"Set Config.RedirectMode, or use Google's button without ux_mode redirect.",
	}
	errUntrustedOrigin error = &operatorError{
		"googlesession: browser says that the request comes from a page of another origin (Sec-Fetch-Site)",
		"If the page is yours, list its origin in Config.TrustedOrigins. If not, another site has tried to send a request in the user's name.",
	}
	errOtherHost error = &operatorError{
		"googlesession: Origin and Host of the request differ, and the browser sends no Sec-Fetch-Site",
		"If origin is the address of this server, a proxy changes Host, so let the proxy pass the browser's Host on or list the origin in Config.TrustedOrigins. " +
			"If it is a front end of yours, list the origin in Config.TrustedOrigins too. If not, another site has tried to send a request in the user's name.",
	}
)

// checkSource refuses an unsafe request that a page of another site has sent. It decides by
// Fetch Metadata and the Origin header, as [http.CrossOriginProtection] does. If
// DangerouslyAllowHTTP is set, it also refuses a request for a host that is not this
// machine.
func (m *Manager) checkSource(r *http.Request, trusted *http.CrossOriginProtection) error {
	if err := m.checkHost(r); err != nil {
		return err
	}
	if opensChannel(r) {
		r = asUnsafe(r)
	}
	if trusted.Check(r) == nil {
		return nil
	}
	return denial(CodeCrossOrigin, sourceError(r))
}

// checkHost refuses a request for a host that is not this machine, if DangerouslyAllowHTTP is
// set.
func (m *Manager) checkHost(r *http.Request) error {
	if m.cfg.DangerouslyAllowHTTP && !isLoopback(r.Host) {
		return denial(CodeMisdirectedRequest, errForeignHost)
	}
	return nil
}

// sourceError returns the cause of the refusal of a request from another origin.
func sourceError(r *http.Request) error {
	switch origin := r.Header.Get("Origin"); {
	case origin == "null":
		return errNullOrigin
	case origin == googleOrigin:
		return errGoogleOrigin
	case r.Header.Get("Sec-Fetch-Site") != "":
		return errUntrustedOrigin
	default:
		return errOtherHost
	}
}

// googleOrigin is the origin of the page that posts the form of ux_mode="redirect".
const googleOrigin = "https://accounts.google.com"

// checkSourceOfChange checks the source like checkSource, but treats every method as
// unsafe, because an application may call SignOut for a GET.
func (m *Manager) checkSourceOfChange(r *http.Request, trusted *http.CrossOriginProtection) error {
	return m.checkSource(asUnsafe(r), trusted)
}

// opensChannel reports whether the request asks for another protocol, as the handshake of
// a WebSocket does (RFC 6455, section 4.1; RFC 8441, section 5). The handshake is a GET,
// but browsers do not apply the same-origin policy to it, so a page of any site could
// read what the server writes. Chromium sends no Fetch Metadata with a handshake. Every
// browser sends Origin with it. Each header of a handshake counts by itself, because
// proxies drop or change some of them.
//
// A long GET of another kind, such as server-sent events, does not count, because without
// CORS headers a browser does not let a page of another origin read the answer.
func opensChannel(r *http.Request) bool {
	h := r.Header
	if h["Upgrade"] != nil || h["Sec-Websocket-Key"] != nil || h["Sec-Websocket-Version"] != nil || h[":protocol"] != nil {
		return true
	}
	mode := h.Get("Sec-Fetch-Mode")
	return mode == "websocket" || mode == "webtransport"
}

// asUnsafe returns a copy of the request with an unsafe method.
func asUnsafe(r *http.Request) *http.Request {
	unsafe := *r
	unsafe.Method = http.MethodPost
	return &unsafe
}

// isLoopback reports whether the host is this machine. It compares the text and resolves
// no name, because the owner of a name that resolves to 127.0.0.1 may change that at any
// time.
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
