package googlesession

import (
	"context"
	"strings"
	"time"
)

// A TokenVerifier turns a Google ID token into an [Identity]. Package googletoken has the
// one that most programs use. The interface keeps that package's dependencies out of
// servers that only check sessions. A TokenVerifier must be safe for concurrent use.
type TokenVerifier interface {
	// Verify checks the token completely. The token's nonce claim must equal nonce, which
	// is base64url(SHA-256(secret)) of the browser's nonce cookie. An empty nonce means
	// that the claim is not checked; it is passed only with [Config.DangerouslySkipNonce].
	//
	// The error is a *[TokenError] if the token is not acceptable, which answers 401. Every
	// other error wraps [ErrUnavailable], which answers 503.
	Verify(ctx context.Context, idToken, nonce string) (Identity, error)

	// ClientID returns the OAuth client ID for the sign-in button of the page.
	ClientID() string
}

// An Identity is what a verified ID token says about a person. Only Subject identifies the
// person, because Google never gives it to another account, while an e-mail address may
// change hands.
type Identity struct {
	Subject       string // the sub claim: 1 to 255 printable ASCII characters
	Email         string // "" if the token has none
	Name          string
	Picture       string
	HostedDomain  string // the hd claim: the Google Workspace domain; "" for other accounts
	EmailVerified bool
	IssuedAt      time.Time // by Google's clock, in whole seconds
}

// EmailAuthoritative reports whether Google vouches that Email is this person's address
// now. The mailbox of any other address may have changed hands since Google verified it, so
// such an address must not decide who the person is.
//
// It returns true for a verified address at gmail.com, and for a verified address whose
// domain equals HostedDomain, ASCII case-insensitively. That is narrower than Google's
// rule, which asks for any hosted domain ("Verify the Google ID token on your server
// side", Google Identity). The owner of one Workspace domain therefore cannot speak for
// the addresses of another domain. The account of a Workspace with several domains passes
// if its hd claim names the domain of its address. An application that knows that one
// Workspace owns two domains compares HostedDomain itself, in [Config.Admit].
//
// An address at googlemail.com counts as one at gmail.com, because Google owns both and
// both lead to one mailbox.
func (id Identity) EmailAuthoritative() bool {
	local, domain, _ := strings.Cut(lowerASCII(id.Email), "@")
	if !id.EmailVerified || local == "" || domain == "" {
		return false
	}
	// An address at gmail.com passes whatever HostedDomain is, because even a consumer's
	// token may have one. Google's own sample token has hd "gmail.com".
	return isGmail(domain) || domain == lowerASCII(id.HostedDomain)
}

// isGmail reports whether a domain in lower case is that of Google's consumer accounts.
// Accounts that were opened in Germany and the United Kingdom before 2012 have
// googlemail.com.
func isGmail(domain string) bool { return domain == "gmail.com" || domain == "googlemail.com" }

// addressKey returns the form of an address in which [Config.Admins] compares it: ASCII
// lower case, with gmail.com in place of googlemail.com.
func addressKey(email string) string {
	email = lowerASCII(email)
	if local, ok := strings.CutSuffix(email, "@googlemail.com"); ok {
		return local + "@gmail.com"
	}
	return email
}

// A TokenError says that an ID token or a security event token is not acceptable, and
// why. It never holds the token or a claim.
type TokenError struct {
	Reason TokenReason
	Err    error // for logs; may be nil
}

// Error returns the reason and Err.
func (e *TokenError) Error() string {
	if e.Err == nil {
		return "googlesession: token refused: " + string(e.Reason)
	}
	return "googlesession: token refused: " + string(e.Reason) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *TokenError) Unwrap() error { return e.Err }

// A TokenReason names the check that a token has failed. The browser learns only whether
// the check of the nonce failed.
type TokenReason string

// The reasons. A token that fails several checks gets the first one that its verifier
// makes.
const (
	ReasonMalformed TokenReason = "malformed" // wrong size, shape, encoding, JSON or claim types, or a token of another kind
	ReasonAlgorithm TokenReason = "algorithm" // the algorithm is not RS256
	ReasonSignature TokenReason = "signature" // Google has no such key, or did not sign with it
	ReasonAudience  TokenReason = "audience"  // the token is for another client
	ReasonParty     TokenReason = "party"     // the azp claim names another client or a service account
	ReasonIssuer    TokenReason = "issuer"    // the issuer is not Google
	ReasonTime      TokenReason = "time"      // the token is expired, too old, from the future, or valid for too long
	ReasonNonce     TokenReason = "nonce"     // this browser did not ask for the token
	ReasonCode      TokenReason = "code"      // Google gave an error in place of a code, or refuses the code of a sign-in by redirect
)

// A SecurityEventVerifier turns one of Google's security event tokens (RISC,
// Cross-Account Protection) into a [SecurityEvent]. *googletoken.Verifier implements it. It
// must be safe for concurrent use.
type SecurityEventVerifier interface {
	// VerifyEvent checks the token completely. The error is a *[TokenError] if the token is
	// not acceptable, which answers 400. Every other error wraps [ErrUnavailable], which
	// answers 503, so that Google sends the token again.
	VerifyEvent(ctx context.Context, token string) (SecurityEvent, error)
}

// A SecurityEvent is a verified security event token (RFC 8417). It says what has happened
// to one or more Google accounts.
type SecurityEvent struct {
	ID       string    // the jti claim, which is the same for each delivery of one token
	IssuedAt time.Time // whole seconds, UTC
	Changes  []AccountChange
}

// An AccountChange is one member of the events claim of a security event token.
type AccountChange struct {
	Kind    AccountChangeKind
	Subject string // the account's sub claim; "" if the event does not name one
	Reason  string // for a disabled account: "hijacking", "bulk-account", "other", or ""
}

// An AccountChangeKind is the type of a security event. Its value is the last part of the
// type's URI.
type AccountChangeKind string

// The kinds that Google documents ("Cross-Account Protection", supported event types).
const (
	ChangeSessionsRevoked    AccountChangeKind = "sessions-revoked"
	ChangeTokensRevoked      AccountChangeKind = "tokens-revoked" // all tokens of the account
	ChangeTokenRevoked       AccountChangeKind = "token-revoked"  // one token
	ChangeAccountDisabled    AccountChangeKind = "account-disabled"
	ChangeAccountEnabled     AccountChangeKind = "account-enabled"
	ChangeCredentialRequired AccountChangeKind = "account-credential-change-required"
	ChangeVerification       AccountChangeKind = "verification" // a test that the receiver has asked for
	ChangeUnknown            AccountChangeKind = "unknown"      // every other type; to be ignored
)

// endsSessions reports whether Google requires a receiver of this change to end the
// account's sessions ("Cross-Account Protection", supported event types).
func (c AccountChange) endsSessions() bool {
	switch c.Kind {
	case ChangeSessionsRevoked, ChangeTokensRevoked:
		return true
	case ChangeAccountDisabled:
		return c.Reason == "hijacking"
	default:
		return false
	}
}
