package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/googlesession/googlesession"
)

// A request for a local host name may still come from a stranger, because a proxy on
// this machine may pass on neither the name nor the address of its client. So the demo
// answers only a browser that knows its key. The program prints the key as part of its
// address. Opening the address sets a cookie with the key.
//
// The key is the password of the demo. It is not written to the log.

const (
	keyParameter  = "key"
	mintParameter = "mint"
)

func newDemoKey() string { return rand.Text() }

// isDemoKey reports whether s has 8 to 100 characters that need no escaping in a URL or a
// cookie. It does not judge whether a stranger can guess s.
func isDemoKey(s string) bool {
	return len(s) >= 8 && len(s) <= 100 && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// keyCookie returns the name of the cookie for a host. It includes the port, because
// browsers share cookies between the ports of a host, and two demos have two keys.
func keyCookie(host string) string {
	if _, port, err := net.SplitHostPort(host); err == nil {
		return "demo-key-" + port
	}
	return "demo-key"
}

// requireKey passes on requests that have the key in the query or in the cookie. It sets
// the cookie if the key is in the query.
func (d *demo) requireKey(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		switch {
		case equalConstantTime(query.Get(keyParameter), d.key):
			http.SetCookie(w, &http.Cookie{ //nolint:gosec // not Secure, because the demo is served over plain HTTP
				Name: keyCookie(r.Host), Value: d.key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
			})
			r = withoutKey(r, query)
			if r.Method == http.MethodGet && wantsPage(r) {
				redirectWithoutKey(w, r)
				return
			}
		case d.hasKeyCookie(r):
		case r.URL.Path == demoToken && equalConstantTime(query.Get(mintParameter), d.mintKey()):
		default:
			refuseWithoutKey(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// withoutKey returns the request without the key in its query.
func withoutKey(r *http.Request, query url.Values) *http.Request {
	query.Del(keyParameter)
	r = r.Clone(r.Context())
	r.URL.RawQuery = query.Encode()
	return r
}

// redirectWithoutKey redirects to the same address, so that the key leaves the address
// bar. The path begins with one slash, so that the browser stays on this server.
func redirectWithoutKey(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	path := "/" + strings.TrimLeft(r.URL.EscapedPath(), `/\`)
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, path, http.StatusSeeOther) //nolint:gosec // path begins with one slash
}

func (d *demo) hasKeyCookie(r *http.Request) bool {
	for _, c := range r.CookiesNamed(keyCookie(r.Host)) {
		if equalConstantTime(c.Value, d.key) {
			return true
		}
	}
	return false
}

// mintKey returns a key with which the stand-in's script can ask for a token from a page
// of another origin, whose requests lack the cookie. It is valid for demoToken only.
func (d *demo) mintKey() string {
	mac := hmac.New(sha256.New, []byte(d.key))
	_, _ = io.WriteString(mac, demoToken) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// equalConstantTime compares two strings in a time that does not depend on where they
// differ.
func equalConstantTime(given, want string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

const keyPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Demo</title>
<h1>This demo needs its key</h1>
<p>Open the address that the program has printed in its terminal. It ends with the key, which changes with each start.</p>
</html>
`

func refuseWithoutKey(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if wantsPage(r) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusMisdirectedRequest)
		_, _ = io.WriteString(w, keyPage)
		return
	}
	writeProblem(w, http.StatusMisdirectedRequest, "misdirected_request",
		"Demo mode signs in any account, so it needs its key. Open the address that the program has printed.")
}

// trustedPagesOnly refuses requests from pages of another origin, such as another port of
// this machine, unless the origin is in -origins. Such a page could otherwise make tokens
// and events, because the browser sends the key's cookie with its requests.
func (d *demo) trustedPagesOnly(h http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, origin := range d.origins {
		_ = protection.AddTrustedOrigin(origin) // parseOptions has checked the origin
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The request for a script has no Origin header. So if an origin is trusted, pages of
		// every origin may load the script.
		site := r.Header.Get("Sec-Fetch-Site")
		isForeign := len(d.origins) == 0 && (site == "same-site" || site == "cross-site")
		if isForeign || protection.Check(r) != nil {
			writeProblem(w, http.StatusForbidden, googlesession.CodeCrossOrigin, "The request came from another site.")
			return
		}
		h.ServeHTTP(w, r)
	})
}
