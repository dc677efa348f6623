package googlesession

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// The sign-in by redirect is OpenID Connect's authorization code flow. The page needs no
// script of Google's for it. GET login/google sends the browser to Google with a state, a
// nonce and a PKCE challenge (RFC 7636). Google sends the browser back to GET
// login/google/callback with a code, which the server exchanges for an ID token. The token
// is then verified like a posted token.
//
//	redirect.go           what the browser is sent to Google with
//	redirect_state.go     the secrets of a sign-in, all made from the nonce cookie
//	signin_callback.go    from a code to an Identity
//	handlers_redirect.go  the two routes

// A CodeExchanger exchanges the code of a sign-in by redirect for Google's ID token. It acts
// as the OAuth client that the server has at Google. Most programs use
// *googlecode.Exchanger. It is an interface, so that a server without the sign-in by redirect
// does not get the dependencies of package googlecode.
//
// A CodeExchanger must be safe for concurrent use. ClientID and AuthorizationURL return the
// same text each time. The Manager makes and checks state, nonce, code challenge and code
// verifier, so a CodeExchanger only has to keep the client secret.
type CodeExchanger interface {
	// ClientID returns the OAuth client ID, which has to be that of Config.Verifier. It is
	// the aud claim of the ID tokens.
	ClientID() string

	// AuthorizationURL returns the absolute URL of Google's authorization endpoint. The
	// Manager adds the parameters of the request to its query.
	AuthorizationURL() string

	// Exchange asks Google for the ID token that belongs to the code, once, and returns it
	// without verifying it. code is 1 to 1024 printable ASCII characters that a stranger may
	// have chosen. codeVerifier is the secret whose hash was the code_challenge of the
	// authorization request, and redirectURI is the redirect_uri of that request.
	//
	// Exchange has to end after a few seconds, even if ctx has no deadline. It must not send
	// the code twice, because Google may take the second request for an attack and revoke the
	// tokens that it has issued.
	//
	// The error is a *[TokenError] with [ReasonCode] if Google refuses the code, which
	// answers 401. Every other error wraps [ErrUnavailable], which answers 503. No error
	// holds the code, the verifier, the client secret or a token.
	Exchange(ctx context.Context, code, codeVerifier, redirectURI string) (idToken string, err error)
}

// beginPath is the path, below Handler, at which a sign-in by redirect begins.
const beginPath = "/login/google"

// redirectURI returns the URI to which Google sends the browser back. It is made from the
// configuration, because a client chooses the Host header of its request.
func (m *Manager) redirectURI() string { return m.cfg.BaseURL + callbackPath }

// beginPath returns the path that begins the sign-in again, for a link on the page about an
// outage. The link does not lead to the callback, because the code in the callback's
// address is secret and can be used only once.
func (m *Manager) beginPath(s redirectState) string {
	query := url.Values{"next": {s.next}}
	if s.remember {
		query.Set("remember", "true")
	}
	if s.reauth {
		query.Set("reauth", "true")
	}
	return m.basePath + beginPath + "?" + query.Encode()
}

// authorizationURL returns the URL of Google's page for one sign-in. Because of
// prompt=select_account, Google asks for a click on that page. Otherwise a link on another
// site could sign a visitor in.
//
// loginHint is the address or ID of the account that a person signs in with again. It is
// "" for every other sign-in.
func (m *Manager) authorizationURL(secret string, s redirectState, loginHint string) (string, error) {
	u, err := url.Parse(m.cfg.CodeExchanger.AuthorizationURL())
	if err != nil {
		return "", denial(CodeUnavailable, unavailable("reading AuthorizationURL of Config.CodeExchanger", err))
	}
	nonce, _ := nonceOf(secret)
	query := u.Query()
	query.Set("client_id", m.cfg.CodeExchanger.ClientID())
	query.Set("response_type", "code")
	query.Set("scope", "openid email profile")
	query.Set("redirect_uri", m.redirectURI())
	query.Set("state", s.seal(secret))
	query.Set("nonce", nonce)
	query.Set("code_challenge", codeChallenge(s.codeVerifier(secret)))
	query.Set("code_challenge_method", "S256")
	query.Set("prompt", "select_account")
	if loginHint != "" {
		query.Set("login_hint", loginHint)
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// configureRedirect checks BaseURL and CodeExchanger, and sets m.basePath. A BaseURL without a CodeExchanger is
// accepted, because it does no harm.
func (m *Manager) configureRedirect() error {
	c := &m.cfg
	var errs []error
	if c.BaseURL != "" {
		errs = append(errs, checkBaseURL(c.BaseURL, c.DangerouslyAllowHTTP))
		if u, err := url.Parse(c.BaseURL); err == nil { // otherwise checkBaseURL has an error
			m.basePath = u.EscapedPath()
		}
	}
	if c.CodeExchanger == nil {
		return errors.Join(errs...)
	}
	if c.BaseURL == "" {
		errs = append(errs, errors.New("googlesession: Config.CodeExchanger needs Config.BaseURL, the URL to which Google sends browsers back"))
	}
	id := c.CodeExchanger.ClientID()
	switch {
	case c.Verifier == nil:
		errs = append(errs, errors.New("googlesession: Config.CodeExchanger needs Config.Verifier"))
	case id == "":
		errs = append(errs, errors.New("googlesession: Config.CodeExchanger has no client ID"))
	case id != c.Verifier.ClientID():
		errs = append(errs, fmt.Errorf("googlesession: Config.CodeExchanger is for the client ID %q, and Config.Verifier for %q", id, c.Verifier.ClientID()))
	}
	if u, err := url.Parse(c.CodeExchanger.AuthorizationURL()); err != nil || !isHTTPS(u) || u.Fragment != "" || u.User != nil {
		errs = append(errs, errors.New("googlesession: Config.CodeExchanger: AuthorizationURL is not an absolute https URL"))
	}
	return errors.Join(errs...)
}

// checkBaseURL returns an error unless s is a URL as [Config.BaseURL] describes it, in the
// form that browsers give it. Google compares redirect URIs character by character.
func checkBaseURL(s string, allowHTTP bool) error {
	wrong := func(what string) error { return fmt.Errorf("googlesession: Config.BaseURL: %q %s", s, what) }
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return wrong("is not an absolute URL such as https://app.example.com/api")
	case !isHTTPS(u):
		return wrong("is not an https URL; http is for localhost only")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return wrong("has a user, a query or a fragment")
	case strings.HasSuffix(s, "/"):
		return wrong("ends with a slash")
	case strings.HasSuffix(u.Path, beginPath), strings.HasSuffix(u.Path, callbackPath):
		return wrong("is the address of a route; it has to be that of Manager.Handler, such as https://app.example.com/api")
	case u.Path != "" && path.Clean(u.Path) != u.Path, hasUnsafe(u.Path), u.String() != s, lowerASCII(u.Host) != u.Host, !isPrintable(s):
		return wrong("is not in the form that browsers give it")
	case allowHTTP && !isLoopback(u.Host):
		return wrong("is not on localhost, as DangerouslyAllowHTTP requires")
	}
	return nil
}

// isHTTPS reports whether u is an absolute https URL, or an http URL of this machine.
func isHTTPS(u *url.URL) bool {
	return u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Host))
}
