package googlesession

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// A bearer token is "gs_" and a value of the same form as that of a session cookie. Secret
// scanners find it by its beginning. It is hashed with another salt than a cookie, so a token
// that is sent as a cookie names no session, and neither does a cookie that is sent as a token.

// tokenPrefix is the beginning of every bearer token.
const tokenPrefix = "gs_"

var (
	errBadToken       = errors.New("googlesession: Authorization has a bearer token that is not one of this application")
	errManyTokens     = errors.New("googlesession: more than one Authorization header")
	errTwoCredentials = errors.New("googlesession: both a bearer token and a session cookie")
	errWrongCarrier   = errors.Join(ErrNoSession, errors.New("googlesession: session belongs to another kind of credential"))
	errFromBrowser    = errors.New("googlesession: a request for a bearer token has Origin, Sec-Fetch or Cookie, so a browser has sent it")
)

// A carrier is the way in which a request presents a session.
type carrier uint8

const (
	byServer carrier = iota // no request presents it; the server looks at a session that it knows
	byCookie
	byToken
)

// A credential is what a request presents. If err is not nil, it names no session.
type credential struct {
	ref     Ref
	by      carrier
	err     error
	request *http.Request // that presents it; nil if by is byServer
}

// fits reports whether a session of this kind may be presented in this way.
func (c credential) fits(k SessionKind) bool {
	switch c.by {
	case byCookie:
		return k == KindCookie
	case byToken:
		return k == KindBearer || k == KindIssued
	default:
		return true
	}
}

// readCredential returns the credential of a request. It reads no token from the address,
// because addresses are logged (RFC 6750, section 5.3).
func (m *Manager) readCredential(r *http.Request) credential {
	value, count := m.sessionCookie.read(r)
	if m.cfg.Bearer {
		if c, ok := m.readToken(r); ok {
			if c.err == nil && count > 0 {
				c.err = errTwoCredentials
			}
			return c
		}
	}
	ref, ok := m.refOf(value)
	c := credential{ref: ref, by: byCookie, request: r}
	// The errors differ, so that the log shows what is wrong with the cookie. The browser gets
	// one code for all of them, because only an attacker could use the difference.
	switch {
	case count == 0:
		c.err = errNoCookie
	case count > 1:
		c.err = errManyCookies
	case !ok && m.cfg.DangerouslyAllowHTTP:
		c.err = errForeignCookie
	case !ok:
		c.err = errBadCookie
	}
	return c
}

// readToken returns the credential in the Authorization header. It reports false if the
// request presents no bearer token, so another scheme, such as Basic for a proxy, is ignored.
// If one of several headers has a bearer token, the credential is refused, because a proxy may
// have read another one.
func (m *Manager) readToken(r *http.Request) (c credential, ok bool) {
	lines := r.Header["Authorization"]
	i := slices.IndexFunc(lines, hasBearerScheme)
	if i < 0 {
		return credential{}, false
	}
	c.by, c.request = byToken, r
	// The one space and the end of the line are compared exactly, so that no other reader of
	// the header can find another token in it.
	value, isToken := strings.CutPrefix(lines[i][len("bearer"):], " "+tokenPrefix)
	tag, _, isValue := decodeParts(value)
	switch {
	case len(lines) > 1:
		c.err = errManyTokens
	case !isToken || !isValue:
		c.err = errBadToken
	default:
		c.ref = Ref{Tag: tag, ID: hashToken(m.tokenSalt, value)}
	}
	return c, true
}

// hasBearerScheme reports whether the line's scheme is Bearer, in any case (RFC 9110, section
// 11.1). The scheme ends before the first byte that a token cannot have. A blank before the
// scheme does not hide it, because net/http removes the blank in HTTP/1.1 only.
func hasBearerScheme(line string) bool {
	const scheme = "bearer"
	line = strings.TrimLeft(line, " \t")
	if len(line) < len(scheme) || !strings.EqualFold(line[:len(scheme)], scheme) {
		return false
	}
	return len(line) == len(scheme) || !isTokenByte(line[len(scheme)])
}

// isTokenByte reports whether b may be in a token (RFC 9110, section 5.6.2).
func isTokenByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}

// presentsToken reports whether the request presents a bearer token, be it good or bad. Such a
// request comes from a program.
func (m *Manager) presentsToken(r *http.Request) bool {
	return m.cfg.Bearer && slices.ContainsFunc(r.Header["Authorization"], hasBearerScheme)
}

// newBearerToken returns a new bearer token of this user, and its Ref.
func (m *Manager) newBearerToken(userID string) (token string, ref Ref) {
	value, ref := m.newToken(userID, false, nil)
	ref.ID = hashToken(m.tokenSalt, value)
	return tokenPrefix + value, ref
}

// checkFromProgram refuses a request for a bearer token that a browser has sent. A script in a
// page could read the token, which is what the HttpOnly cookie prevents. Every browser sends
// Sec-Fetch-Site over https, and Origin with each POST.
func checkFromProgram(r *http.Request) error {
	for name := range r.Header {
		if name == "Cookie" || name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") {
			return denial(CodeNotForBrowsers, errFromBrowser)
		}
	}
	return nil
}
