package googlesession

import (
	"net/http"
	"time"
)

// What the external tests look at from inside.
var SafePath = safePath

// RefOf parses a cookie's value as m does.
func (m *Manager) RefOf(token string) (Ref, bool) { return m.refOf(token) }

// ReadCookie returns the value of a request's session cookie, and how many it has.
func (m *Manager) ReadCookie(r *http.Request) (value string, count int) {
	return m.sessionCookie.read(r)
}

// NewToken mints a cookie's value as m does.
func (m *Manager) NewToken(userID string) (string, Ref) { return m.newToken(userID, false, nil) }

// NonceOf hashes the nonce cookie's value.
var NonceOf = nonceOf

// ReadLogin reads a login body and returns what was read.
func ReadLogin(w http.ResponseWriter, r *http.Request) (credential, next string, err error) {
	b, err := readSignIn(w, r)
	return b.credential, b.next, err
}

// Routes lists what [Manager.Handler] answers, such as "GET /login".
func (m *Manager) Routes() []string {
	var list []string
	for _, r := range m.routes() {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// NoteProgram records the sign-in of a program.
func (m *Manager) NoteProgram(r *http.Request, s Session) { m.noteProgram(r, s) }

// SetBodyTimeout replaces the ten seconds that a body has to arrive.
func (m *Manager) SetBodyTimeout(d time.Duration) { m.bodyTimeout = d }

// SealState returns the state parameter of a sign-in that has begun with this cookie.
func SealState(cookie, next string, remember, reauth bool) string {
	return newRedirectState(next, remember, reauth).seal(cookie)
}

// OpenState opens a state parameter.
func OpenState(cookie, sealed string) (next string, remember, reauth, ok bool) {
	s, ok := openState(cookie, sealed)
	return s.next, s.remember, s.reauth, ok
}

// CodeVerifier returns the PKCE verifier that belongs to a state parameter.
func CodeVerifier(cookie, sealed string) string {
	s, _ := openState(cookie, sealed)
	return s.codeVerifier(cookie)
}

// DenialOf returns the Denial of a code.
func DenialOf(code Code) Denial { return denial(code, nil) }
