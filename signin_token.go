package googlesession

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

var (
	errNoVerifier = errors.New("googlesession: no verifier configured")
	errDomain     = errors.New("googlesession: account is not of a domain in Config.HostedDomains")

	errBadIdentity error = &operatorError{
		"googlesession: verifier returned an invalid subject",
		"Config.Verifier is faulty. A subject is 1 to 255 printable ASCII characters.",
	}
)

// verifyPosted returns the Identity of a posted token. It changes nothing.
func (m *Manager) verifyPosted(r *http.Request, idToken string) (Identity, error) {
	if m.cfg.Verifier == nil {
		return Identity{}, denial(CodeNotFound, errNoVerifier)
	}
	if err := m.checkSourceOfChange(r, m.signInOrigins(r)); err != nil {
		return Identity{}, err
	}
	return m.verifyWithNonce(r, idToken)
}

// signInOrigins returns the origins that may post a token. In RedirectMode they include
// Google's page, but for a form only, because Google's page posts only a form.
func (m *Manager) signInOrigins(r *http.Request) *http.CrossOriginProtection {
	if !m.cfg.RedirectMode || mediaType(r) != mediaForm || r.Header.Get("Origin") != googleOrigin {
		return m.origins
	}
	p := http.NewCrossOriginProtection()
	_ = p.AddTrustedOrigin(googleOrigin) // no error, because googleOrigin is a valid origin
	return p
}

// verifyWithNonce reads the nonce cookie and verifies the token against it. Without the
// cookie it refuses the token before the token is parsed, because this browser cannot
// have asked for the token.
func (m *Manager) verifyWithNonce(r *http.Request, idToken string) (Identity, error) {
	var nonce string
	if !m.cfg.DangerouslySkipNonce {
		secret, count := m.nonceCookie.read(r)
		var ok bool
		if nonce, ok = nonceOf(secret); !ok {
			return Identity{}, denial(CodeNonceMismatch, nonceError(r, count))
		}
	}
	return m.verify(r.Context(), idToken, nonce)
}

// verify verifies the token and returns an Identity that is fit to be stored. The error is
// a Denial.
func (m *Manager) verify(ctx context.Context, idToken, nonce string) (Identity, error) {
	return checkIdentity(m.cfg.Verifier.Verify(ctx, idToken, nonce))
}

// checkIdentity returns the Identity of a verifier so that it is fit to be stored. The error
// is a Denial.
func checkIdentity(id Identity, err error) (Identity, error) {
	if err != nil {
		return Identity{}, tokenDenialFor("verifying an ID token", err)
	}
	if !isSubject(id.Subject) {
		return Identity{}, denial(CodeTokenRefused, errBadIdentity)
	}
	return boundProfile(id), nil
}

// tokenDenialFor returns the Denial of an error of the verifier or the exchanger. It tells
// a refused token or code from an outage. A wrong nonce has a code of its own, so that the
// page can get a new nonce. That code does not help an attacker, who can make every other
// check with Google's public keys.
func tokenDenialFor(doing string, err error) Denial {
	t, ok := errors.AsType[*TokenError](err)
	switch {
	case !ok:
		return denial(CodeUnavailable, unavailable(doing, err))
	case t.Reason == ReasonNonce:
		return denial(CodeNonceMismatch, err)
	default:
		return denial(CodeTokenRefused, err)
	}
}

// The bounds of a profile, in bytes. They leave at least 1217 bytes for the picture.
const (
	maxProfile = 2 << 10 // subject, email, name and picture together
	maxEmail   = 320
	maxName    = 256
)

// boundProfile makes the profile fit to store and to show, because Google's users choose
// it. It cuts a long name. It drops an address or URL that does not fit, because a
// cut one would be another address.
func boundProfile(id Identity) Identity {
	if email := cleanText(id.Email, len(id.Email)); email != id.Email || len(email) > maxEmail {
		id.Email, id.EmailVerified = "", false
	}
	id.Name = cleanText(id.Name, maxName)
	room := maxProfile - len(id.Subject) - len(id.Email) - len(id.Name)
	if len(id.Picture) > room || !isPrintable(id.Picture) || !strings.HasPrefix(id.Picture, "https://") {
		id.Picture = ""
	}
	return id
}

// admit returns a Denial if Config.HostedDomains or Config.Admit refuses a verified
// person.
func (m *Manager) admit(ctx context.Context, id Identity) error {
	if len(m.domains) > 0 && !m.domains[lowerASCII(id.HostedDomain)] {
		return denial(CodeNotAdmitted, errDomain)
	}
	if m.cfg.Admit == nil {
		return nil
	}
	err := m.cfg.Admit(ctx, id)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable):
		return denial(CodeUnavailable, unavailable("asking Config.Admit", err))
	default:
		return denial(CodeNotAdmitted, err)
	}
}
