package googlesession

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
)

// googleOrigin is where Google's page posts the form of ux_mode="redirect" from.
const googleOrigin = "https://accounts.google.com"

const mediaForm = "application/x-www-form-urlencoded"

// loginOrigins also trusts Google's page, for a form and in RedirectMode only. A
// page cannot send JSON to another origin without asking first, so nothing else
// needs it.
func (m *Manager) loginOrigins(r *http.Request) *http.CrossOriginProtection {
	if !m.cfg.RedirectMode || mediaType(r) != mediaForm || r.Header.Get("Origin") != googleOrigin {
		return m.origins
	}
	p := http.NewCrossOriginProtection()
	_ = p.AddTrustedOrigin(googleOrigin) // a constant that is valid
	return p
}

// mediaType is the request's, without parameters; "" if it has none that parses.
func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// verify: the nonce cookie first, because without it no token can be this
// browser's; then everything that the verifier checks.
func (m *Manager) verify(r *http.Request, idToken string) (Identity, error) {
	var nonce string
	if !m.cfg.DangerouslySkipNonce {
		value, _ := m.login.read(r)
		var ok bool
		if nonce, ok = nonceOf(value); !ok {
			return Identity{}, denial(CodeNonceMismatch, errNoNonce)
		}
	}
	id, err := m.cfg.Verifier.Verify(r.Context(), idToken, nonce)
	if err != nil {
		return Identity{}, classifyToken(err)
	}
	if !validSubject(id.Subject) {
		return Identity{}, denial(CodeTokenRefused, errBadIdentity)
	}
	return boundProfile(id), nil
}

// classifyToken keeps "bad token" apart from "cannot tell". A nonce that does not
// match has its own code, so that the page can ask for a new one; that tells an
// attacker nothing, because all other checks use public keys.
func classifyToken(err error) Denial {
	t, ok := errors.AsType[*TokenError](err)
	switch {
	case !ok:
		return denial(CodeUnavailable, unavailable("verifying an ID token", err))
	case t.Reason == ReasonNonce:
		return denial(CodeNonceMismatch, err)
	default:
		return denial(CodeTokenRefused, err)
	}
}

// The bounds of a profile. Email and name leave a picture at least 1217 of the bytes that
// a User may have in all.
const (
	maxUser  = 2 << 10
	maxEmail = 320
	maxName  = 256
)

// boundProfile makes what Google's users chose for themselves fit to store and show. An
// address or a URL that is cut would be another one, so these are dropped as a whole.
func boundProfile(id Identity) Identity {
	if email := cleanText(id.Email, len(id.Email)); email != id.Email || len(email) > maxEmail {
		id.Email, id.EmailVerified = "", false
	}
	id.Name = cleanText(id.Name, maxName)
	room := maxUser - len(id.Subject) - len(id.Email) - len(id.Name)
	if len(id.Picture) > room || !isPrintable(id.Picture) || !strings.HasPrefix(id.Picture, "https://") {
		id.Picture = ""
	}
	return id
}

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
		return denial(CodeUnavailable, err)
	default:
		return denial(CodeNotAdmitted, err)
	}
}

// isConfiguredAdmin reports whether the sign-in makes its user an administrator. A listed
// user for whose address Google does not vouch is named in the log, by ID, because the
// operator expects an administrator.
func (m *Manager) isConfiguredAdmin(ctx context.Context, id Identity) bool {
	if !m.admins[addressKey(id.Email)] {
		return false
	}
	if id.EmailAuthoritative() {
		return true
	}
	m.cfg.Logger.LogAttrs(ctx, slog.LevelWarn,
		"googlesession: user is listed in Config.Admins, but Google does not vouch for the address", slog.String("user", id.Subject))
	return false
}
