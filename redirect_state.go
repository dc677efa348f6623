package googlesession

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// A redirectState holds what the state parameter carries to Google and back. The server
// therefore stores nothing between the two requests of a sign-in. The state is
//
//	base64url( HMAC-SHA256(secret, "gs-state/1\0" || body) || body )
//	body = attempt[16] || flags || next
//
// where secret is the value of the nonce cookie. Only a browser with that cookie can use
// the state. So a page cannot sign a visitor in by leading the browser to a callback URL of
// another person (login CSRF, RFC 6749, section 10.12), and a state with a changed next or
// flag is refused.
//
// All tabs of a browser have the same nonce, because they share the cookie. The attempt is
// random and the PKCE verifier is made from it, because the challenge has to be specific to
// one sign-in (RFC 9700, section 2.1.1). A code therefore works only with the state of its
// own sign-in, and the code of one tab cannot be combined with the next and the flags of
// another tab. Two tabs do not disturb each other.
//
// The state itself does not expire. Google's code lives for minutes, the verifier refuses a
// token that is some minutes old, and the browser forgets the cookie after a day.
type redirectState struct {
	attempt  [16]byte
	remember bool
	reauth   bool   // the user signs in again
	next     string // the path to go to afterwards, which Google can read
}

// newRedirectState returns a state with a random attempt.
func newRedirectState(next string, remember, reauth bool) redirectState {
	s := redirectState{next: next, remember: remember, reauth: reauth}
	_, _ = rand.Read(s.attempt[:])
	return s
}

const (
	stateHead  = sha256.Size + 16 + 1 // bytes before next
	maxState   = (stateHead+maxNext)*4/3 + 1
	flagKeep   = 1 << 0 // remember
	flagReauth = 1 << 1
)

// seal returns the state parameter.
func (s redirectState) seal(secret string) string {
	var flags byte
	if s.remember {
		flags |= flagKeep
	}
	if s.reauth {
		flags |= flagReauth
	}
	body := append(s.attempt[:], flags)
	body = append(body, s.next...)
	return base64.RawURLEncoding.EncodeToString(append(derive(secret, "gs-state/1", body), body...))
}

// openState is the inverse of seal with this secret. It reports false for every other text,
// and for a second spelling of a state. It checks the path again, because the user of the
// browser knows the secret and can seal every state.
func openState(secret, sealed string) (redirectState, bool) {
	if len(sealed) > maxState {
		return redirectState{}, false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	// The length is compared because the decoder ignores line ends.
	if err != nil || len(data) < stateHead || base64.RawURLEncoding.EncodedLen(len(data)) != len(sealed) {
		return redirectState{}, false
	}
	mac, body := data[:sha256.Size], data[sha256.Size:]
	flags := body[16]
	if !hmac.Equal(mac, derive(secret, "gs-state/1", body)) || flags&^(flagKeep|flagReauth) != 0 {
		return redirectState{}, false
	}
	s := redirectState{
		remember: flags&flagKeep != 0,
		reauth:   flags&flagReauth != 0,
		next:     safePath(string(body[17:])),
	}
	copy(s.attempt[:], body)
	return s, true
}

// codeVerifier returns the PKCE verifier of the sign-in (RFC 7636, section 4.1). It never
// leaves this server except to Google's token endpoint.
func (s redirectState) codeVerifier(secret string) string {
	return base64.RawURLEncoding.EncodeToString(derive(secret, "gs-pkce/1", s.attempt[:]))
}

// codeChallenge returns the S256 challenge of a verifier (RFC 7636, section 4.2).
func codeChallenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// derive returns HMAC-SHA256(secret, purpose || "\0" || data). Its result for one purpose
// tells nothing about the result for another purpose, or about the secret.
func derive(secret, purpose string, data []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write(data)
	return mac.Sum(nil)
}
