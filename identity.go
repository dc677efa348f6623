package googlesession

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A TokenVerifier turns a Google ID token into an [Identity]. Package
// googletoken has the one that most programs use; the interface keeps its
// dependencies out of servers that only check sessions. It must be safe for
// concurrent use.
type TokenVerifier interface {
	// Verify checks the token completely. Nonce is what its nonce claim must
	// equal: base64url(SHA-256(N)); "" checks no nonce, and is passed only with
	// [Config.DangerouslySkipNonce]. A *[TokenError] says that the token is not
	// acceptable (401); anything else wraps [ErrUnavailable] (503).
	Verify(ctx context.Context, idToken, nonce string) (Identity, error)

	// ClientID is the OAuth client ID for the page's sign-in button.
	ClientID() string
}

// An Identity is what a verified ID token says about a person. The subject is
// the only identifier: Google never gives it to somebody else, while an e-mail
// address changes hands.
type Identity struct {
	Subject       string // sub: 1 to 255 printable ASCII characters
	Email         string // "" if the token has none
	Name          string
	Picture       string
	HostedDomain  string // hd, the Google Workspace domain; "" for other accounts
	EmailVerified bool
	IssuedAt      time.Time
}

// EmailAuthoritative reports whether Google vouches for Email being this person's now.
// For any other address the mailbox may have changed hands since Google verified it, so
// it must not decide who somebody is.
//
// It holds for a verified address at gmail.com, and for a verified address whose domain
// equals HostedDomain, ASCII case-insensitively. That is narrower than Google's rule,
// which asks for any hosted domain ("Verify the Google ID token on your server side",
// Google Identity). The owner of one Workspace domain therefore cannot speak for the
// addresses of another domain. The account of a Workspace with several domains passes if
// its hd claim names the domain of its address. An application that knows that one
// Workspace owns two domains compares HostedDomain itself, in [Config.Admit].
//
// An address at googlemail.com counts as one at gmail.com: both are Google's, and lead to
// one mailbox.
func (id Identity) EmailAuthoritative() bool {
	local, domain, _ := strings.Cut(lowerASCII(id.Email), "@")
	if !id.EmailVerified || local == "" || domain == "" {
		return false
	}
	// Google's own sample token says hd "gmail.com", so a consumer's domain is looked at
	// first.
	return isGmail(domain) || domain == lowerASCII(id.HostedDomain)
}

// isGmail reports whether a domain in lower case is that of Google's accounts for
// everyone. Accounts from Germany and the United Kingdom of before 2012 have
// googlemail.com.
func isGmail(domain string) bool { return domain == "gmail.com" || domain == "googlemail.com" }

// addressKey returns what two spellings of one address have in common, as far as
// [Config.Admins] goes: ASCII case, and googlemail.com for gmail.com.
func addressKey(email string) string {
	email = lowerASCII(email)
	if local, ok := strings.CutSuffix(email, "@googlemail.com"); ok {
		return local + "@gmail.com"
	}
	return email
}

// A TokenError says that an ID token or a security event token is not acceptable,
// and why. It never holds the token or a claim.
type TokenError struct {
	Reason TokenReason
	Err    error // may be nil; for logs
}

func (e *TokenError) Error() string {
	if e.Err == nil {
		return "googlesession: token refused: " + string(e.Reason)
	}
	return "googlesession: token refused: " + string(e.Reason) + ": " + e.Err.Error()
}

func (e *TokenError) Unwrap() error { return e.Err }

// ErrUnknownKey means that a token names a key that is not among those at hand, and
// that Google may not be asked for its keys again yet. It wraps [ErrUnavailable], so
// it answers 503: the token may be good, and its bearer comes again. It tells the
// operator that this is not an outage, because strangers can invent key IDs.
var ErrUnknownKey = fmt.Errorf("%w: key of the token not known yet", ErrUnavailable)

// A TokenReason is the first check that a token did not pass. The browser learns only
// whether it was the nonce.
type TokenReason string

// The reasons, in the order of the checks.
const (
	ReasonMalformed TokenReason = "malformed" // size, shape, encoding, JSON, claim types, token of another kind
	ReasonAlgorithm TokenReason = "algorithm" // anything but RS256
	ReasonSignature TokenReason = "signature" // Google has no such key, or did not sign with it
	ReasonAudience  TokenReason = "audience"  // for another client
	ReasonParty     TokenReason = "party"     // azp: issued to another client, or to a service account
	ReasonIssuer    TokenReason = "issuer"    // not Google
	ReasonTime      TokenReason = "time"      // expired, too old, from the future, or valid for too long
	ReasonNonce     TokenReason = "nonce"     // not asked for by this browser
)

// lowerASCII lowers A to Z and nothing else: Unicode folding maps the Kelvin
// sign to k and the long s to s, which would let two addresses meet.
func lowerASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if c := b[j]; 'A' <= c && c <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
