package googlesession

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
)

// The library has four cookies. The session cookie is the credential of a signed-in browser.
// The nonce cookie holds the secret of a browser that is about to sign in, without which a
// Google token is worthless. The device cookie tells a browser from which the user has signed
// in before from a new one, and admits to nothing. The bound cookie is described in binding.go.
// All are HttpOnly, so that no script can read them.

const (
	nonceCookieAge = 24 * time.Hour       // how long a browser keeps the nonce cookie; the token's age limits the sign-in
	maxCookieAge   = 400 * 24 * time.Hour // browsers shorten a longer Max-Age (RFC 6265bis, section 5.5); the device cookie has this age
	maxPresented   = 4                    // how many session cookies of one request presentedRefs returns
	maxSuffix      = 32                   // bytes of Config.CookieSuffix
)

// A cookieKind is the name and the attributes of a cookie.
type cookieKind struct {
	name     string
	length   int // bytes of the value
	maxAge   int // in seconds; 0 for the session cookie and the bound cookie, whose age is not always the same
	secure   bool
	sameSite http.SameSite
}

// cookieKinds returns the four cookies for the configuration.
//
// The prefix __Host-Http- makes browsers refuse a cookie of that name that is not Secure,
// has a Domain attribute, or was set by a script. A sibling host can therefore not plant
// such a cookie (Layered Cookies, draft-ietf-httpbis-layered-cookies). Browsers that only
// know the prefix __Host- do not enforce the rule about scripts. The suffix keeps the
// cookies of applications on one host apart. Ports and paths do not, because browsers send
// a cookie to every port of its host, and because the prefix demands the path "/".
//
// The name of the bound cookie does not begin with __Host-Http-, because Chromium 156 does not
// accept a cookie of such a name for a bound session. Browsers look for exactly its name and
// attributes, so they never change.
func cookieKinds(c *Config) (session, nonce, device, bound cookieKind) {
	session = cookieKind{
		name:     "__Host-Http-session",
		length:   refLen,
		secure:   true,
		sameSite: http.SameSiteLaxMode, // with Strict, a visitor who follows a link from another site is not signed in
	}
	nonce = cookieKind{
		name:     "__Host-Http-login",
		length:   secretLen,
		maxAge:   int(nonceCookieAge / time.Second),
		secure:   true,
		sameSite: http.SameSiteLaxMode,
	}
	device = cookieKind{
		name:     "__Host-Http-device",
		length:   secretLen,
		maxAge:   int(maxCookieAge / time.Second),
		secure:   true,
		sameSite: http.SameSiteLaxMode,
	}
	bound = cookieKind{
		name:     "__Host-bound",
		length:   stampLen,
		secure:   true,
		sameSite: http.SameSiteLaxMode,
	}
	if c.RedirectMode { // a page of Google's posts the form, so browsers send no Lax cookie with it
		nonce.sameSite = http.SameSiteNoneMode
		device.sameSite = http.SameSiteNoneMode
	}
	if c.DangerouslyAllowHTTP {
		session.name, session.secure = "session", false
		nonce.name, nonce.secure = "login", false
		device.name, device.secure = "device", false
	}
	if c.CookieSuffix != "" {
		for _, k := range []*cookieKind{&session, &nonce, &device, &bound} {
			k.name += "-" + c.CookieSuffix
		}
	}
	return session, nonce, device, bound
}

// isCookieSuffix reports whether s may be Config.CookieSuffix.
func isCookieSuffix(s string) bool {
	for i := range len(s) {
		if !isSuffixByte(s[i]) {
			return false
		}
	}
	return len(s) <= maxSuffix && !strings.HasPrefix(s, "-") && !strings.HasSuffix(s, "-")
}

func isSuffixByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '-'
}

// set adds the cookie to the answer, with the Max-Age of its kind. It replaces a cookie of
// that name that the answer already has.
func (k cookieKind) set(w http.ResponseWriter, value string) { k.write(w, value, k.maxAge) }

// expire makes the browser forget the cookie.
func (k cookieKind) expire(w http.ResponseWriter) { k.write(w, "", -1) }

// write sets the cookie in place of a cookie of the same name that the answer already has.
// maxAge is in seconds. If it is 0, the cookie has no Max-Age. write does not use
// [http.SetCookie], which would add a second cookie of the same name when a handler signs
// in and out in one request. Browsers might keep either.
func (k cookieKind) write(w http.ResponseWriter, value string, maxAge int) {
	c := http.Cookie{
		Name:     k.name,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   k.secure,
		SameSite: k.sameSite,
	}
	h := w.Header()
	kept := h["Set-Cookie"][:0:0]
	for _, line := range h["Set-Cookie"] {
		if !strings.HasPrefix(line, k.name+"=") {
			kept = append(kept, line)
		}
	}
	h["Set-Cookie"] = append(kept, c.String())
}

// read returns how many cookies of this name the request has, and the value if there is
// exactly one. It does not choose between two cookies, because a sibling host has planted
// one of them, and their order does not tell which.
func (k cookieKind) read(r *http.Request) (value string, count int) {
	if value, ok := k.readPlain(r.Header["Cookie"]); ok {
		return value, 1
	}
	found := r.CookiesNamed(k.name)
	if len(found) != 1 {
		return "", len(found)
	}
	return found[0].Value, 1
}

// readPlain returns the cookie's value from a Cookie header as browsers write it, as a
// fast path of read. Such a header is one line with "; " between the cookies, and has the
// cookie's name once. For every other header, and for a line so long that it could exceed
// net/http's limit on the number of cookies, readPlain reports false and read calls
// CookiesNamed.
//
// Because of [Config.CookieSuffix], the name may be the beginning of another cookie's name.
// If a byte that a suffix can have follows the name, the cookie has a longer name, so
// net/http does not find a cookie of this name there either.
func (k cookieKind) readPlain(lines []string) (value string, ok bool) {
	const maxCookies = 3000 // net/http's limit; a line of fewer bytes cannot have that many cookies
	if len(lines) != 1 || len(lines[0]) >= maxCookies {
		return "", false
	}
	line, found := lines[0], false
	for end := 0; ; {
		n := strings.Index(line[end:], k.name)
		if n < 0 {
			break
		}
		begin := end + n
		end = begin + len(k.name)
		after := line[end:]
		if after != "" && isSuffixByte(after[0]) {
			continue // a longer name
		}
		if found || !strings.HasPrefix(after, "=") || begin > 0 && !strings.HasSuffix(line[:begin], "; ") {
			return "", false
		}
		found = true
		value, _, _ = strings.Cut(after[1:], ";")
	}
	return value, found && len(value) == k.length
}

var (
	errNoCookie  = errors.New("googlesession: no session cookie")
	errBadCookie = errors.New("googlesession: malformed session cookie")

	errManyCookies error = &operatorError{
		"googlesession: more than one session cookie",
		"A sibling host, or another application on this host, has set a cookie of the same name, or a proxy repeats the Cookie header. " +
			"The browser is refused until its cookies for this site are deleted.",
	}

	// errForeignCookie is errBadCookie with DangerouslyAllowHTTP, where the cookie is named
	// session. Another application on localhost may use that name too, because browsers send a
	// cookie to every port of its host.
	errForeignCookie error = &operatorError{
		"googlesession: session cookie is not one of this application",
		"If another application on localhost uses the cookie name too, set Config.CookieSuffix.",
	}
)

// presentedRefs returns the references of the well-formed session cookies of the request,
// at most maxPresented, so that the caller can end these sessions. A guard refuses a
// request with more than one session cookie.
func (m *Manager) presentedRefs(r *http.Request) []Ref {
	var refs []Ref
	for _, c := range r.CookiesNamed(m.sessionCookie.name) {
		if ref, ok := m.refOf(c.Value); ok && len(refs) < maxPresented {
			refs = append(refs, ref)
		}
	}
	return refs
}

// secretLen is the length of the values of the nonce cookie and of the device cookie, which
// are 32 bytes in base64url.
const secretLen = 43

// newSecret returns a new value for the nonce cookie or the device cookie.
func newSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	return base64.RawURLEncoding.EncodeToString(secret[:])
}

// nonceOf returns the nonce that the page gives to Google, which Google puts into the
// token. It is base64url(SHA-256(secret)), where secret is the cookie's value, decoded. A
// reader of the token therefore knows the hash and cannot make the cookie.
func nonceOf(cookie string) (nonce string, ok bool) {
	secret, ok := decodeSecret(cookie)
	if !ok {
		return "", false
	}
	sum := sha256.Sum256(secret)
	return base64.RawURLEncoding.EncodeToString(sum[:]), true
}

// decodeSecret returns the 32 bytes of the value of a nonce cookie or a device cookie. It
// accepts one spelling of each value.
func decodeSecret(cookie string) (secret []byte, ok bool) {
	secret, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	return secret, len(cookie) == secretLen && err == nil && len(secret) == 32
}

// equalSecrets compares two secrets in constant time.
func equalSecrets(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
