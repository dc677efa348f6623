package googlesession

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// The library has two cookies. The session cookie is the credential of a signed-in browser.
// The nonce cookie holds the secret of a browser that is about to sign in, without which a
// Google token is worthless. Both are HttpOnly, so that no script can read them.

const (
	nonceCookieAge = 24 * time.Hour       // how long a browser keeps the nonce cookie; the token's age limits the sign-in
	maxCookieAge   = 400 * 24 * time.Hour // browsers shorten a longer Max-Age (RFC 6265bis, section 5.5)
	maxPresented   = 4                    // how many session cookies of one request presentedRefs returns
	maxSuffix      = 32                   // bytes of Config.CookieSuffix
)

// A cookieKind is the name and the attributes of one of the two cookies.
type cookieKind struct {
	name     string
	length   int // bytes of the value
	maxAge   int // in seconds; 0 for the session cookie, whose age is that of its session
	secure   bool
	sameSite http.SameSite
}

// cookieKinds returns the session cookie and the nonce cookie for the configuration.
//
// The prefix __Host-Http- makes browsers refuse a cookie of that name that is not Secure,
// has a Domain attribute, or was set by a script. A sibling host can therefore not plant
// such a cookie (Layered Cookies, draft-ietf-httpbis-layered-cookies). Browsers that only
// know the prefix __Host- do not enforce the rule about scripts. The suffix keeps the
// cookies of applications on one host apart. Ports and paths do not, because browsers send
// a cookie to every port of its host, and because the prefix demands the path "/".
func cookieKinds(c *Config) (session, nonce cookieKind) {
	session = cookieKind{
		name:     "__Host-Http-session",
		length:   refLen,
		secure:   true,
		sameSite: http.SameSiteLaxMode, // with Strict, a visitor who follows a link from another site is not signed in
	}
	nonce = cookieKind{
		name:     "__Host-Http-login",
		length:   nonceLen,
		maxAge:   int(nonceCookieAge / time.Second),
		secure:   true,
		sameSite: http.SameSiteLaxMode,
	}
	if c.RedirectMode {
		nonce.sameSite = http.SameSiteNoneMode
	}
	if c.DangerouslyAllowHTTP {
		session.name, session.secure = "session", false
		nonce.name, nonce.secure = "login", false
	}
	if c.CookieSuffix != "" {
		session.name += "-" + c.CookieSuffix
		nonce.name += "-" + c.CookieSuffix
	}
	return session, nonce
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

// nonceLen is the length of the nonce cookie's value, which is 32 bytes in base64url.
const nonceLen = 43

// newNonceSecret returns a new value for the nonce cookie.
func newNonceSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	return base64.RawURLEncoding.EncodeToString(secret[:])
}

// nonceOf returns the nonce that the page gives to Google, which Google puts into the
// token. It is base64url(SHA-256(secret)), where secret is the cookie's value, decoded. A
// reader of the token therefore knows the hash and cannot make the cookie.
func nonceOf(cookie string) (nonce string, ok bool) {
	secret, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	if len(cookie) != nonceLen || err != nil || len(secret) != sha256.Size {
		return "", false
	}
	sum := sha256.Sum256(secret)
	return base64.RawURLEncoding.EncodeToString(sum[:]), true
}

// equalSecrets compares two secrets in constant time.
func equalSecrets(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
