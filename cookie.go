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

const (
	loginCookieAge = 24 * time.Hour       // of the browser's copy only: the token's age is the limit
	maxCookieAge   = 400 * 24 * time.Hour // browsers cut a longer one (RFC 6265bis, section 5.5)
	maxPresented   = 4                    // session cookies of one request that a sign-out ends
)

// cookieKind is all that a cookie has besides its value.
type cookieKind struct {
	name     string
	length   int // of its value
	maxAge   int // seconds
	secure   bool
	sameSite http.SameSite
}

// cookieKinds: the __Host-Http- prefix makes browsers refuse a cookie of that
// name that is not Secure, has a Domain, or was set by a script, so no sibling
// host can plant one (Layered Cookies, draft-ietf-httpbis-layered-cookies).
// Browsers that know only __Host- enforce that part.
func cookieKinds(c *Config) (session, login cookieKind) {
	session = cookieKind{
		name:     "__Host-Http-session",
		length:   refLen,
		maxAge:   max(1, int(min(c.MaxLifetime, maxCookieAge)/time.Second)),
		secure:   true,
		sameSite: http.SameSiteLaxMode, // Strict would be missing on the first visit through a link
	}
	login = cookieKind{
		name:     "__Host-Http-login",
		length:   nonceLen,
		maxAge:   int(loginCookieAge / time.Second),
		secure:   true,
		sameSite: http.SameSiteLaxMode,
	}
	if c.RedirectMode {
		login.sameSite = http.SameSiteNoneMode
	}
	if c.DangerouslyAllowHTTP {
		session.name, session.secure = "session", false
		login.name, login.secure = "login", false
	}
	return session, login
}

// set writes the cookie, in place of one of that name that the answer has
// already.
func (k cookieKind) set(w http.ResponseWriter, value string) { k.write(w, value, k.maxAge) }

// expire makes the browser forget the cookie.
func (k cookieKind) expire(w http.ResponseWriter) { k.write(w, "", -1) }

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

// read returns the cookie's value if the request has exactly one of that name.
// Two mean that somebody else planted one, and the order does not tell which.
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

// readPlain finds a cookie's value where browsers put it, without making
// cookies of a header's parts: one line, "; " between cookies, the name in it once.
// Everything else, and what is long enough for net/http's limit on the number of
// cookies, is left to CookiesNamed.
func (k cookieKind) readPlain(lines []string) (value string, ok bool) {
	const maxCookies = 3000 // and as many semicolons
	if len(lines) != 1 || len(lines[0]) >= maxCookies {
		return "", false
	}
	before, after, _ := strings.Cut(lines[0], k.name)
	value, others, _ := strings.Cut(after, ";")
	if before != "" && !strings.HasSuffix(before, "; ") || !strings.HasPrefix(value, "=") || strings.Contains(others, k.name) {
		return "", false
	}
	value = value[1:]
	return value, len(value) == k.length
}

// newToken makes a session cookie's value, base64url(tag || 32 random bytes), and
// the Ref it hashes to.
func (m *Manager) newToken(userID string) (string, Ref) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	tag := UserTag(userID)
	token := encode44(tag, random)
	return token, Ref{Tag: tag, ID: m.hashToken(token)}
}

// refOf parses a cookie's value. Whatever newToken cannot have written is
// refused here, before any store is asked.
func (m *Manager) refOf(token string) (Ref, bool) {
	raw, ok := decode44(token)
	if !ok {
		return Ref{}, false
	}
	return Ref{Tag: [12]byte(raw[:12]), ID: m.hashToken(token)}, true
}

// hashToken is SHA-256("gs-id/1\0" || generation || "\0" || token): the token
// cannot be found from it, and the tag is inside, so that a changed tag is
// another session.
func (m *Manager) hashToken(token string) [32]byte {
	var buf [128]byte // on the stack for all but odd generations
	return sha256.Sum256(append(append(buf[:0], m.idSalt...), token...))
}

// presented returns the sessions whose cookies the request carries. It is for
// ending them; admission takes exactly one cookie.
func (m *Manager) presented(r *http.Request) []Ref {
	var refs []Ref
	for _, c := range r.CookiesNamed(m.session.name) {
		if ref, ok := m.refOf(c.Value); ok && len(refs) < maxPresented {
			refs = append(refs, ref)
		}
	}
	return refs
}

// nonceLen is the length of the nonce cookie's value, 32 bytes in base64url.
const nonceLen = 43

// newNonce makes the nonce cookie's value N.
func newNonce() string {
	var n [32]byte
	_, _ = rand.Read(n[:])
	return base64.RawURLEncoding.EncodeToString(n[:])
}

// nonceOf returns what the page hands to Google and the token must bring back:
// base64url(SHA-256(N)). Whoever sees a token sees the hash and cannot make the
// cookie from it.
func nonceOf(cookie string) (string, bool) {
	n, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	if len(cookie) != nonceLen || err != nil || len(n) != sha256.Size {
		return "", false
	}
	sum := sha256.Sum256(n)
	return base64.RawURLEncoding.EncodeToString(sum[:]), true
}

// equal compares two secrets in constant time.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
