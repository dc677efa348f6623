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
// this machine may hide the host name that its client asked for and the client's address.
// So the demo answers only a browser that knows the demo's key. The program prints the
// demo's address, which contains the key. Opening that address sets a cookie with the key.
//
// The key is the password of the demo. The program does not write the key to the log.

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

// keyCookie returns the name of the cookie that holds the key. The name includes the port
// of host, because browsers share cookies between the ports of a host, and two demos have
// two keys.
func keyCookie(host string) string {
	if _, port, err := net.SplitHostPort(host); err == nil {
		return "demo-key-" + port
	}
	return "demo-key"
}

// requireKey passes on requests that have the key in the query or in the cookie, and
// requests for demoToken that have the mint key. It refuses all others. It sets the cookie
// if the key is in the query.
func (d *demo) requireKey(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		switch {
		case equalConstantTime(query.Get(keyParameter), d.key):
			http.SetCookie(w, &http.Cookie{ //nolint:gosec // the cookie cannot be Secure, because the demo is served over plain HTTP
				Name: keyCookie(r.Host), Value: d.key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
			})
			r = withoutKey(r, query)
			if r.Method == http.MethodGet && wantsPage(r) {
				redirectWithoutKey(w, r)
				return
			}
		case d.hasKeyCookie(r):
		case strings.HasPrefix(r.URL.Path, "/api/dbsc/"): // a browser brings a proof and, after a link on another site, no cookie
		case r.URL.Path == demoToken && equalConstantTime(query.Get(mintParameter), d.mintKey()):
		default:
			refuseWithoutKey(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// withoutKey returns a copy of r whose query does not have the key.
func withoutKey(r *http.Request, query url.Values) *http.Request {
	query.Del(keyParameter)
	r = r.Clone(r.Context())
	r.URL.RawQuery = query.Encode()
	return r
}

// redirectWithoutKey redirects to the address of r, from which withoutKey has removed the
// key, so that the key leaves the address bar. The path begins with exactly one slash,
// because browsers take what follows two slashes for another host.
func redirectWithoutKey(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	path := "/" + strings.TrimLeft(r.URL.EscapedPath(), `/\`)
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, path, http.StatusSeeOther) //nolint:gosec // path begins with exactly one slash, so the browser stays on this server
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
// of another origin, whose requests lack the cookie. The key is valid for demoToken only.
func (d *demo) mintKey() string {
	mac := hmac.New(sha256.New, []byte(d.key))
	_, _ = io.WriteString(mac, demoToken) // writing to a hash never fails
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

// trustedPagesOnly refuses requests from pages of other origins, except those in -origins.
// The browser sends the demo key's cookie even with requests from, say, another port of
// this machine, so a foreign page could otherwise make tokens and events. If -origins is
// set, trustedPagesOnly passes on every GET, HEAD and OPTIONS request, from any origin.
func (d *demo) trustedPagesOnly(h http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, origin := range d.origins {
		_ = protection.AddTrustedOrigin(origin) // never fails, because parseOptions has checked the origin
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A request for a script has no Origin header that could show a trusted origin. So
		// if -origins is set, pages of every origin may load the script.
		site := r.Header.Get("Sec-Fetch-Site")
		isForeign := len(d.origins) == 0 && (site == "same-site" || site == "cross-site")
		if isForeign || protection.Check(r) != nil {
			writeProblem(w, http.StatusForbidden, googlesession.CodeCrossOrigin, "The request came from another site.")
			return
		}
		h.ServeHTTP(w, r)
	})
}
