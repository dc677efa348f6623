package googlesession

import (
	"context"
	"errors"
	"net/http"
)

// A program signs in without cookies. It keeps the secret of the nonce itself, and gets a
// bearer token in place of the session cookie. In everything else its session is like that of
// a browser.

// A NoncelessVerifier is a [TokenVerifier] that knows apps whose sign-in library cannot pass a
// nonce to Google. *googletoken.Verifier implements it.
type NoncelessVerifier interface {
	// VerifyWithoutNonce is Verify for a token without a nonce of this server. It accepts
	// only tokens that one of the listed apps has requested (the azp claim), and refuses every
	// other token with the reason [ReasonNonce].
	VerifyWithoutNonce(ctx context.Context, idToken string) (Identity, error)
}

var errNoSecret = errors.New("googlesession: program has sent no secret of a nonce, or a malformed one")

// A programSignIn is what a program posts to sign in.
type programSignIn struct {
	credential string // the ID token
	secret     string // of the nonce; "" if the program's sign-in library cannot pass a nonce
	label      string
	remember   bool
}

// signInProgram signs the user of a program in, and returns the bearer token. It has reported
// the error that it returns.
func (m *Manager) signInProgram(r *http.Request, p programSignIn) (token string, s Session, err error) {
	id, err := m.verifyProgram(r, p)
	if err != nil {
		return "", Session{}, m.reportRefusedSignIn(r, "", err)
	}
	if err = m.admit(r.Context(), id); err == nil {
		token, s, err = m.startProgram(r, id, p)
	}
	if err != nil {
		return "", Session{}, m.reportRefusedSignIn(r, id.Subject, err)
	}
	m.reportProxy(r)
	m.emit(r.Context(), sessionEvent(EventSignedIn, s))
	m.noteProgram(r, s)
	return token, s, nil
}

// verifyProgram returns the Identity of a token that a program posts.
func (m *Manager) verifyProgram(r *http.Request, p programSignIn) (Identity, error) {
	if err := checkFromProgram(r); err != nil {
		return Identity{}, err
	}
	if p.secret != "" {
		nonce, ok := nonceOf(p.secret)
		if !ok {
			return Identity{}, denial(CodeNonceMismatch, errNoSecret)
		}
		return m.verify(r.Context(), p.credential, nonce)
	}
	if m.cfg.DangerouslySkipNonce {
		return m.verify(r.Context(), p.credential, "")
	}
	v, ok := m.cfg.Verifier.(NoncelessVerifier)
	if !ok {
		return Identity{}, denial(CodeNonceMismatch, errNoSecret)
	}
	id, err := v.VerifyWithoutNonce(r.Context(), p.credential)
	return checkIdentity(id, err)
}

// startProgram creates the session of a program. It ends no other session, except one over the
// limit, because the program presents none.
func (m *Manager) startProgram(r *http.Request, id Identity, p programSignIn) (token string, s Session, err error) {
	ctx, device := r.Context(), m.device(r)
	in := SignIn{Identity: id, Request: r, Kind: KindBearer, Remember: p.remember}
	life, err := m.prepareSession(ctx, &in, device)
	if err != nil {
		return "", Session{}, err
	}
	token, ref := m.newBearerToken(in.User.ID)
	n := m.newSession(ref, in, life, device)
	n.Label = p.label
	if s, err = m.createSession(ctx, n); err != nil {
		return "", Session{}, err
	}
	return token, s, nil
}

const maxLabel = 100 // bytes of Session.Label

// isLabel reports whether s may be the label of a session. A label is shown in lists, so it
// has no character that would change the text beside it.
func isLabel(s string) bool { return cleanText(s, maxLabel) == s }
