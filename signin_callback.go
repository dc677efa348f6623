package googlesession

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

var (
	errState     = errors.New("googlesession: state is not of this browser")
	errIssuer    = errors.New("iss parameter is not Google accounts")
	errCancelled = errors.New("googlesession: person cancelled the sign-in at Google")

	errNoBegin error = &operatorError{
		"googlesession: no nonce cookie in the request that comes back from Google",
		"If it happens again and again, the sign-in begins at another host than that of Config.BaseURL, to which Google sends the browser back. " +
			"A proxy or a cache removes Set-Cookie. The browser blocks cookies. Safari drops Secure cookies on http://localhost (Config.DangerouslyAllowHTTP). " +
			"If not, the person was at Google for a day, has signed out in another tab, or the address was opened in another browser.",
	}
)

// A callback holds the parameters with which Google sends a browser back. It has either a
// code or an error.
type callback struct {
	code, err, state string
	issuer           string // the iss parameter; may be empty
}

// readState returns the value of the nonce cookie, and the state that this browser has
// begun its sign-in with. The nonce cookie is needed even with DangerouslySkipNonce, because
// nothing else ties Google's answer to the browser.
func (m *Manager) readState(r *http.Request, sealed string) (secret string, s redirectState, err error) {
	secret, count := m.nonceCookie.read(r)
	if _, ok := nonceOf(secret); !ok {
		err := errNoBegin
		if count > 1 {
			err = errManyNonces
		}
		return "", redirectState{}, denial(CodeNonceMismatch, err)
	}
	s, ok := openState(secret, sealed)
	if !ok {
		return "", redirectState{}, denial(CodeNonceMismatch, errState)
	}
	return secret, s, nil
}

// verifyCallback exchanges the code for an ID token and verifies the token. The error is a
// Denial.
func (m *Manager) verifyCallback(ctx context.Context, secret string, s redirectState, c callback) (Identity, error) {
	// Another issuer's answer must not reach Google's token endpoint (mix-up, RFC 9207,
	// section 2.4). Google is the only issuer, so an answer without iss is accepted.
	if c.issuer != "" && c.issuer != googleOrigin {
		return Identity{}, denial(CodeTokenRefused, &TokenError{Reason: ReasonIssuer, Err: errIssuer})
	}
	if c.err != "" {
		return Identity{}, callbackDenialFor(c.err)
	}
	idToken, err := m.cfg.CodeExchanger.Exchange(ctx, c.code, s.codeVerifier(secret), m.redirectURI())
	if err != nil {
		return Identity{}, tokenDenialFor("exchanging a code", err)
	}
	nonce, _ := nonceOf(secret)
	return m.verify(ctx, idToken, nonce)
}

// callbackDenialFor returns the Denial of the error parameter with which Google sends a
// browser back (RFC 6749, section 4.1.2.1). The user of the browser can change the
// parameter, so its text is logged only if it is a known error code.
func callbackDenialFor(code string) Denial {
	switch code {
	case "access_denied":
		return denial(CodeCancelled, errCancelled)
	case "server_error", "temporarily_unavailable":
		return denial(CodeUnavailable, unavailable("Google's authorization endpoint", fmt.Errorf("%s: %w", code, errAtGoogle)))
	case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
		"interaction_required", "login_required", "account_selection_required", "consent_required",
		"invalid_client", "redirect_uri_mismatch", "admin_policy_enforced", "org_internal", "policy_enforced":
	default:
		code = "an error that is not in the library's list"
	}
	return denial(CodeTokenRefused, &TokenError{Reason: ReasonCode, Err: &operatorError{
		"Google's authorization endpoint reports " + code,
		"Compare the OAuth client in the Google Cloud console with the configuration: its type is web application, its consent screen is complete and admits the person, " +
			"and its authorized redirect URIs list Config.BaseURL followed by " + callbackPath + ".",
	}})
}
