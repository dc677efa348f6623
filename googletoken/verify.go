package googletoken

import (
	"context"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	defaultLeeway = time.Minute
	maxLeeway     = 5 * time.Minute
	defaultMaxAge = 10 * time.Minute
	maxMaxAge     = time.Hour      // Google's tokens expire then
	maxLifetime   = 24 * time.Hour // from iat to exp, as Google's own libraries have it
)

// Config is what [New] needs to know. Only ClientIDs is required.
type Config struct {
	_ struct{}

	// ClientIDs are the OAuth client IDs that tokens may be issued for: the aud
	// claim must equal one of them. At least one, none twice. The first is the one
	// of the page's sign-in button. Google posts the security events of all clients of
	// a project to one place: those for a client that is not listed are refused.
	ClientIDs []string

	// AuthorizedParties are the client IDs that may have asked for the token: the azp claim,
	// if there is one, must equal one of them. Empty means ClientIDs. An Android or
	// iOS app that asks for tokens for this server has its own client ID, which
	// belongs here.
	AuthorizedParties []string

	// Leeway is how far Google's clock may be ahead of this one: iat and nbf may lie
	// that much in the future. Zero means a minute; at most five. There is none for
	// exp: no token is used so late.
	Leeway time.Duration

	// MaxAge is how long after iat a token can be turned into a session, which is
	// what a stolen token is worth together with its nonce cookie, or without one
	// under DangerouslySkipNonce. Zero means ten minutes; at most an hour.
	MaxAge time.Duration

	// HTTPClient fetches Google's keys. Redirects are refused whatever it says, and
	// a fetch takes at most ten seconds. Nil means a client of its own that uses the
	// proxy of the environment ([http.ProxyFromEnvironment]).
	HTTPClient *http.Client
}

// A Verifier verifies ID tokens and security event tokens. It is safe for
// concurrent use.
type Verifier struct {
	clientIDs []string
	parties   []string
	leeway    time.Duration
	maxAge    time.Duration
	keys      *keySource
}

var _ googlesession.TokenVerifier = (*Verifier)(nil)

// New returns a Verifier, or an error that joins everything that is wrong with
// the Config. It makes no request: the first Verify or VerifyEvent does.
func New(c Config) (*Verifier, error) {
	v := &Verifier{
		clientIDs: slices.Clone(c.ClientIDs),
		parties:   slices.Clone(c.AuthorizedParties),
		leeway:    c.Leeway,
		maxAge:    c.MaxAge,
	}
	if len(v.parties) == 0 {
		v.parties = v.clientIDs
	}
	if v.leeway == 0 {
		v.leeway = defaultLeeway
	}
	if v.maxAge == 0 {
		v.maxAge = defaultMaxAge
	}

	var errs []error
	if len(v.clientIDs) == 0 {
		errs = append(errs, errors.New("googletoken: Config.ClientIDs is required"))
	}
	errs = append(errs, checkList("ClientIDs", c.ClientIDs), checkList("AuthorizedParties", c.AuthorizedParties))
	if v.leeway < 0 || v.leeway > maxLeeway {
		errs = append(errs, fmt.Errorf("googletoken: Config.Leeway is %v, not between 0 and %v", v.leeway, maxLeeway))
	}
	if v.maxAge < 0 || v.maxAge > maxMaxAge {
		errs = append(errs, fmt.Errorf("googletoken: Config.MaxAge is %v, not between 0 and %v", v.maxAge, maxMaxAge))
	}
	var err error
	if v.keys, err = newKeySource(c.HTTPClient); err != nil {
		errs = append(errs, fmt.Errorf("googletoken: %w", err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return v, nil
}

// checkList refuses what can only be a mistake, such as the line break at the end
// of a file that holds a client ID.
func checkList(name string, list []string) error {
	var errs []error
	for i, s := range list {
		if !isGraphic(s) {
			errs = append(errs, fmt.Errorf("googletoken: Config.%s[%d] is empty or has characters that no client ID has", name, i))
		}
		if slices.Contains(list[:i], s) {
			errs = append(errs, fmt.Errorf("googletoken: Config.%s[%d] is there twice", name, i))
		}
	}
	return errors.Join(errs...)
}

// ClientID returns the first of [Config.ClientIDs].
func (v *Verifier) ClientID() string { return v.clientIDs[0] }

// Verify returns who the token is about, if Google signed it for one of
// ClientIDs, it is of now, and its nonce claim equals nonce; "" checks no nonce.
// A token that is not acceptable is a [*googlesession.TokenError]. Any other
// error wraps [googlesession.ErrUnavailable]: Google's keys cannot be had, the token's
// key is not known yet ([googlesession.ErrUnknownKey]), or ctx ended while waiting
// for keys. No error holds the token or a claim.
//
// The checks are in the order of the reasons, but for audience and expiry: idtoken
// looks at these two before the signature, and so does Verify. Under an unknown key,
// party, issuer and time come before the signature too, because a token that they
// refuse is not worth a request for keys.
func (v *Verifier) Verify(ctx context.Context, idToken, nonce string) (googlesession.Identity, error) {
	// What it is made of. From here on there is one spelling of each token, and
	// two parsers cannot read different things in it (V-1, V-2, V-3, V-5). This
	// proves nothing about who wrote it.
	token, err := splitJWS(idToken, maxToken)
	if err != nil {
		return googlesession.Identity{}, err
	}
	header, err := parseHeader(token.header)
	if err != nil {
		return googlesession.Identity{}, err
	}
	// Google signs security event tokens with the same keys for the same audience
	// (V-18). RFC 7515, section 4.1.9: a media type, so case does not matter.
	if header.typ != "" && !strings.EqualFold(header.typ, "JWT") {
		return googlesession.Identity{}, refuse(googlesession.ReasonMalformed, "a token of another type")
	}
	c, err := parseClaims(token.payload)
	if err != nil {
		return googlesession.Identity{}, err
	}

	// It claims to be for us and not to have expired, so that it is worth looking
	// for its key. RFC 7519, section 4.1.4: not on or after exp; idtoken by itself
	// would still take it in that second.
	if !slices.Contains(v.clientIDs, c.audience) {
		return googlesession.Identity{}, refuse(googlesession.ReasonAudience, "for another client ID")
	}
	if !time.Now().Before(c.expires) {
		return googlesession.Identity{}, errExpired()
	}

	// Google signed these bytes: all that c says is Google's word now, and for one
	// of our client IDs.
	if err := v.checkSignature(ctx, header.kid, idToken, c); err != nil {
		return googlesession.Identity{}, err
	}

	// Google's word about a person who signed in through one of our pages, just now.
	// The clock is looked at once more, because fetching keys takes time.
	if err := v.checkClaims(c, time.Now()); err != nil {
		return googlesession.Identity{}, err
	}

	// Asked for by the browser that brings it: the claim is the hash of a secret
	// that only this browser has (V-13).
	if nonce != "" && subtle.ConstantTimeCompare([]byte(nonce), []byte(c.nonce)) != 1 {
		return googlesession.Identity{}, refuse(googlesession.ReasonNonce, "not asked for by this browser")
	}
	return c.identity, nil
}

// checkSignature finds the key and lets idtoken check the signature. Nothing of
// what idtoken returns is used: it reads names in any case, the last of two equal
// ones, and numbers as float64 (V-5).
func (v *Verifier) checkSignature(ctx context.Context, kid, idToken string, c claims) error {
	keys, err := v.keys.find(ctx, kid, v.checkClaims(c, time.Now()))
	if err != nil {
		return err
	}
	err = recovered(func() error {
		_, err := keys.validator.Validate(ctx, idToken, c.audience)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rsa.ErrVerification):
		return &googlesession.TokenError{Reason: googlesession.ReasonSignature, Err: err}
	case !time.Now().Before(c.expires): // between our look at the clock and idtoken's
		return errExpired()
	}
	if _, ok := errors.AsType[*panicError](err); ok {
		return fmt.Errorf("%w: googletoken: idtoken: %w", googlesession.ErrUnavailable, err)
	}
	// The key is there, the audience equal, every member well-formed: idtoken has
	// nothing left to object to. Its text is dropped, as it may quote a claim.
	return fmt.Errorf("%w: googletoken: idtoken cannot check the signature", googlesession.ErrUnavailable)
}

func (v *Verifier) checkClaims(c claims, now time.Time) error {
	if err := v.checkParty(c); err != nil {
		return err
	}
	if c.issuer != "https://accounts.google.com" && c.issuer != "accounts.google.com" {
		return refuse(googlesession.ReasonIssuer, "not from Google accounts")
	}
	return v.checkTimes(c, now)
}

// checkParty refuses tokens that Google signed for somebody else than a person at
// our page. A service account can have Google sign a token with any audience it
// likes (target_audience, generateIdToken), ours included (V-8).
func (v *Verifier) checkParty(c claims) error {
	if c.hasParty && !slices.Contains(v.parties, c.party) {
		return refuse(googlesession.ReasonParty, "issued to another client")
	}
	const serviceAccounts = ".gserviceaccount.com"
	if n := len(c.identity.Email) - len(serviceAccounts); n >= 0 && strings.EqualFold(c.identity.Email[n:], serviceAccounts) {
		return refuse(googlesession.ReasonParty, "issued to a service account")
	}
	return nil
}

func (v *Verifier) checkTimes(c claims, now time.Time) error {
	issued := c.identity.IssuedAt
	latest := now.Add(v.leeway)
	lifetime := c.expires.Sub(issued)
	switch {
	case !now.Before(c.expires):
		return errExpired()
	case issued.After(latest):
		return refuse(googlesession.ReasonTime, "issued in the future")
	case c.notBefore.After(latest):
		return refuse(googlesession.ReasonTime, "not valid yet")
	case lifetime <= 0 || lifetime > maxLifetime:
		return refuse(googlesession.ReasonTime, "valid for too long, or never")
	case now.Sub(issued) > v.maxAge:
		return refuse(googlesession.ReasonTime, "issued too long ago")
	}
	return nil
}

func errExpired() error { return refuse(googlesession.ReasonTime, "expired") }

func refuse(reason googlesession.TokenReason, why string) error {
	return &googlesession.TokenError{Reason: reason, Err: errors.New(why)}
}

// recovered calls f and turns a panic into an error: idtoken has panicked on
// tokens before (V-4), and nothing that somebody posts may end the process.
func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{fmt.Sprintf("%T", p)}
		}
	}()
	return f()
}

// panicError keeps the value's type only: the value may quote a claim, and %#v
// would print it.
type panicError struct{ kind string }

func (e *panicError) Error() string { return "panic (" + e.kind + ")" }
