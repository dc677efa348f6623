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

// A request with a local name may still come from a stranger: a proxy on this machine
// that passes on neither the name nor the address of its client looks like a browser
// here. So the demo answers only a browser that knows its key. The program prints the
// key as a part of its address, which leaves a cookie.
//
// The key is as good as a password for the demo. It is not written to the log.

const (
	keyParameter  = "key"
	mintParameter = "mint"
)

func newDemoKey() string { return rand.Text() }

// isDemoKey admits a key that needs no escape and is not empty or next to it. Whether a
// stranger can guess it is for the operator to judge.
func isDemoKey(s string) bool {
	return len(s) >= 8 && len(s) <= 100 && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// keyCookie is the name of the cookie for a host. Cookies do not know ports, so demos on
// two ports have two names.
func keyCookie(host string) string {
	if _, port, err := net.SplitHostPort(host); err == nil {
		return "demo-key-" + port
	}
	return "demo-key"
}

// requireKey lets through what has the key in the query or in the cookie. A key in the
// query leaves the cookie.
func (d *demo) requireKey(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		switch {
		case equalConstantTime(query.Get(keyParameter), d.key):
			http.SetCookie(w, &http.Cookie{ //nolint:gosec // without Secure: the demo is served by plain HTTP
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

// withoutKey is the request as if the cookie had brought the key.
func withoutKey(r *http.Request, query url.Values) *http.Request {
	query.Del(keyParameter)
	r = r.Clone(r.Context())
	r.URL.RawQuery = query.Encode()
	return r
}

// redirectWithoutKey takes the key out of the address bar. The path begins with one slash, so
// that the browser stays on this server.
func redirectWithoutKey(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	path := "/" + strings.TrimLeft(r.URL.EscapedPath(), `/\`)
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, path, http.StatusSeeOther) //nolint:gosec // one slash, so a path of this server
}

func (d *demo) hasKeyCookie(r *http.Request) bool {
	for _, c := range r.CookiesNamed(keyCookie(r.Host)) {
		if equalConstantTime(c.Value, d.key) {
			return true
		}
	}
	return false
}

// mintKey lets the stand-in's script ask for a token from a page of another origin,
// whose requests have no cookie. It opens nothing else.
func (d *demo) mintKey() string {
	mac := hmac.New(sha256.New, []byte(d.key))
	_, _ = io.WriteString(mac, demoToken) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// equalConstantTime compares in a time that does not depend on where the two differ.
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
<p>Open the address that the program has printed in its terminal. It ends with the key, which is another one after each start.</p>
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
		"Demo mode signs in anybody, so it asks for its key. Open the address that the program has printed.")
}

// trustedPagesOnly keeps pages of another origin, such as another port of this machine, from
// minting tokens and events, unless the origin is in -origins. Their browser would send
// the key's cookie.
func (d *demo) trustedPagesOnly(h http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, origin := range d.origins {
		_ = protection.AddTrustedOrigin(origin) // checked by parseOptions
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The request for a script has no Origin, so where an origin is trusted all may load it.
		site := r.Header.Get("Sec-Fetch-Site")
		isForeign := len(d.origins) == 0 && (site == "same-site" || site == "cross-site")
		if isForeign || protection.Check(r) != nil {
			writeProblem(w, http.StatusForbidden, googlesession.CodeCrossOrigin, "The request came from another site.")
			return
		}
		h.ServeHTTP(w, r)
	})
}
