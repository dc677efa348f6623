package googletoken

import (
	"context"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// ClientID returns the first of [Config.ClientIDs].
func (v *Verifier) ClientID() string { return v.clientIDs[0] }

// Verify returns the identity in the token if Google signed it for one of ClientIDs, it is
// valid now, and its nonce claim equals nonce. If nonce is "", the claim is not checked.
//
// Verify returns a [*googlesession.TokenError] if the token is refused. Any other error
// wraps [googlesession.ErrUnavailable]: Google's keys cannot be fetched, the token's key is
// not known yet ([googlesession.ErrUnknownKey]), or ctx ended while Verify waited for keys.
// No error contains the token or a claim.
//
// Verify checks in the order of the constants of [googlesession.TokenReason], except that
// audience and expiry come before the signature, as in idtoken. If the key is unknown,
// party, issuer and times come before the signature too, because a token that they refuse
// is not worth a request for keys.
func (v *Verifier) Verify(ctx context.Context, idToken, nonce string) (googlesession.Identity, error) {
	return v.verify(ctx, idToken, func(c claims) error {
		// The nonce is the hash of a secret that only this browser has.
		if nonce != "" && subtle.ConstantTimeCompare([]byte(nonce), []byte(c.nonce)) != 1 {
			return refuse(googlesession.ReasonNonce, whyNonce(c.nonce))
		}
		return nil
	})
}

// VerifyWithoutNonce is [Verifier.Verify] for a token that one of the apps in
// [Config.DangerouslyNoNonceFor] has requested. It refuses every other token with
// [googlesession.ReasonNonce], also one without an azp claim. It does not look at the nonce
// claim, in which some apps have a nonce of their own.
func (v *Verifier) VerifyWithoutNonce(ctx context.Context, idToken string) (googlesession.Identity, error) {
	return v.verify(ctx, idToken, func(c claims) error {
		if !c.hasParty || !slices.Contains(v.nonceless, c.party) {
			return refuse(googlesession.ReasonNonce, "not requested by an app in Config.DangerouslyNoNonceFor, so the program has to post the secret of its nonce")
		}
		return nil
	})
}

// verify checks everything but who has requested the token, which isRequested checks last.
func (v *Verifier) verify(ctx context.Context, idToken string, isRequested func(claims) error) (googlesession.Identity, error) {
	// Check the form of the token. After splitJWS, each token has one spelling, so two
	// parsers cannot read different things in it. This proves nothing about its author.
	token, err := splitJWS(idToken, maxToken)
	if err != nil {
		return googlesession.Identity{}, err
	}
	header, err := parseHeader(token.header)
	if err != nil {
		return googlesession.Identity{}, err
	}
	// Google signs security event tokens with the same keys for the same audience, so typ
	// must not be theirs. typ is a media type, so case does not matter (RFC 7515, section
	// 4.1.9).
	if header.typ != "" && !strings.EqualFold(header.typ, "JWT") {
		return googlesession.Identity{}, refuse(googlesession.ReasonMalformed, "typ is not that of an ID token")
	}
	c, err := parseClaims(token.payload)
	if err != nil {
		return googlesession.Identity{}, err
	}

	// Look for the key only if the token claims to be for us and not to have expired. A
	// token is not accepted on or after exp (RFC 7519, section 4.1.4). idtoken would
	// still accept it in that second.
	if !slices.Contains(v.clientIDs, c.audience) {
		return googlesession.Identity{}, refuse(googlesession.ReasonAudience, "issued for another client ID; Config.ClientIDs lists those of this server")
	}
	if !time.Now().Before(c.expires) {
		return googlesession.Identity{}, errExpired(c, time.Now())
	}

	// Check that Google signed the token. After that, the claims are Google's statement,
	// made for one of our client IDs.
	if err := v.checkSignature(ctx, header.kid, idToken, c); err != nil {
		return googlesession.Identity{}, err
	}

	// Check that the statement is about a person who has just signed in on one of our
	// pages. The clock is read again, because fetching keys takes time.
	if err := v.checkClaims(c, time.Now()); err != nil {
		return googlesession.Identity{}, err
	}

	// Check that the browser or the program that brings the token has requested it.
	if err := isRequested(c); err != nil {
		return googlesession.Identity{}, err
	}
	return c.identity, nil
}

// whyNonce returns why a nonce claim is refused. A missing claim is a mistake of the page.
func whyNonce(claim string) string {
	if claim == "" {
		return "no nonce claim, so the page did not pass a nonce to Google"
	}
	return "nonce is not that of this browser"
}

// checkSignature finds the key and has idtoken check the signature. The claims that idtoken
// returns are not used, because it reads names in any case, takes the last of two equal
// names, and reads numbers as float64.
func (v *Verifier) checkSignature(ctx context.Context, kid, idToken string, c claims) error {
	keys, err := v.keys.find(ctx, kid, v.checkClaims(c, time.Now()))
	if err != nil {
		return err
	}
	err = catchPanic(func() error {
		_, err := keys.validator.Validate(ctx, idToken, c.audience)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rsa.ErrVerification):
		return &googlesession.TokenError{Reason: googlesession.ReasonSignature, Err: err}
	case !time.Now().Before(c.expires): // the token expired before idtoken read the clock
		return errExpired(c, time.Now())
	}
	if _, ok := errors.AsType[*panicError](err); ok {
		return fmt.Errorf("%w: googletoken: idtoken: %w", googlesession.ErrUnavailable, err)
	}
	// The key is there, the audience is equal and every member is well-formed, so idtoken
	// should have no other objection. Its text is dropped, because it may quote a claim.
	return fmt.Errorf("%w: googletoken: idtoken cannot check the signature", googlesession.ErrUnavailable)
}

// checkClaims checks everything but audience and nonce.
func (v *Verifier) checkClaims(c claims, now time.Time) error {
	if err := v.checkParty(c); err != nil {
		return err
	}
	if c.issuer != "https://accounts.google.com" && c.issuer != "accounts.google.com" {
		return refuse(googlesession.ReasonIssuer, "issuer is not Google accounts")
	}
	return v.checkTimes(c, now)
}

// checkParty refuses tokens that another client has requested, and tokens of service
// accounts. A service account can have Google sign a token with any audience that it
// chooses (target_audience, generateIdToken), ours included.
func (v *Verifier) checkParty(c claims) error {
	if c.hasParty && !slices.Contains(v.parties, c.party) {
		return refuse(googlesession.ReasonParty, "requested by another client (azp); Config.AuthorizedParties lists those that may request tokens")
	}
	const serviceAccounts = ".gserviceaccount.com"
	if n := len(c.identity.Email) - len(serviceAccounts); n >= 0 && strings.EqualFold(c.identity.Email[n:], serviceAccounts) {
		return refuse(googlesession.ReasonParty, "issued to a service account, which is not a person")
	}
	return nil
}

func refuse(reason googlesession.TokenReason, why string) error {
	return &googlesession.TokenError{Reason: reason, Err: errors.New(why)}
}

// catchPanic calls f and returns a panic as an error. idtoken panics on short ES256
// signatures, which parseHeader refuses. If it panics on other tokens too, a posted token
// must not end the process.
func catchPanic(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{fmt.Sprintf("%T", p)}
		}
	}()
	return f()
}

// A panicError reports a recovered panic by the type of its value only. The value itself
// is dropped, because it may quote a claim, and printing the error with %#v would show
// it.
type panicError struct{ kind string }

func (e *panicError) Error() string { return "panic (" + e.kind + ")" }
