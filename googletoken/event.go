package googletoken

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/strictjson"
)

const (
	maxEventToken = 16 << 10 // a real one has less than 1 kB
	maxEvents     = 10
	maxEventID    = 255
	eventLeeway   = 5 * time.Minute
)

var _ googlesession.SecurityEventVerifier = (*Verifier)(nil)

// VerifyEvent returns what a security event token (RFC 8417) says, if Google
// signed it for one of ClientIDs. These are the tokens of Cross-Account Protection
// (RISC), which Google posts to a server of yours. A token that is not acceptable
// is a [*googlesession.TokenError]. Any other error wraps
// [googlesession.ErrUnavailable]: Google's keys cannot be had, the token's key is not
// known yet ([googlesession.ErrUnknownKey]), or ctx ended while waiting for keys. No
// error holds the token or a claim.
//
// A token is good for ever and for any number of times, as Google delivers late
// and more than once. What an old one may still do is decided by IssuedAt, which
// lies at most five minutes in the future, and ID tells whether it was here before.
// AuthorizedParties, Leeway and MaxAge of the Config are about ID tokens only.
//
// An event of a type that is not known becomes a [googlesession.ChangeUnknown]
// without a subject. The subject of any other is "" if it is not one of Google's
// accounts, named by its sub claim, but an OAuth token, an address, or an account of
// somebody else's. Changes are in the order of their types' URIs.
func (v *Verifier) VerifyEvent(ctx context.Context, token string) (googlesession.SecurityEvent, error) {
	// What it is made of, as with an ID token (V-1, V-2, V-3, V-5).
	t, err := splitJWS(token, maxEventToken)
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	header, err := parseHeader(t.header)
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	// RFC 8417, section 2.3, recommends secevent+jwt. Google's guide names none, so
	// it is not typ that keeps ID tokens out, but the events claim.
	if typ := header.typ; typ != "" && !strings.EqualFold(typ, "JWT") && !strings.EqualFold(typ, "secevent+jwt") {
		return googlesession.SecurityEvent{}, refuse(googlesession.ReasonMalformed, "a token of another type")
	}
	c, err := parseEvents(t.payload)
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}

	// It claims to be for us, so that it is worth looking for its key.
	if !slices.ContainsFunc(c.audience, func(aud string) bool { return slices.Contains(v.clientIDs, aud) }) {
		return googlesession.SecurityEvent{}, refuse(googlesession.ReasonAudience, "for another client ID")
	}

	// Google signed these bytes. The keys are those of ID tokens: they are the
	// jwks_uri of Google's RISC configuration.
	keys, err := v.keys.find(ctx, header.kid, c.check(time.Now()))
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	if err := checkRS256(keys.keys[header.kid], t); err != nil {
		return googlesession.SecurityEvent{}, err
	}

	// Google's word about an account, and about the past.
	if err := c.check(time.Now()); err != nil {
		return googlesession.SecurityEvent{}, err
	}
	return c.event, nil
}

// checkRS256 uses the standard library: idtoken refuses a token without exp as
// one that has expired, and there is no way to ask it for the signature alone.
func checkRS256(key *rsa.PublicKey, t jws) error {
	digest := sha256.Sum256([]byte(t.signed))
	err := recovered(func() error { return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], t.signature) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rsa.ErrVerification):
		return &googlesession.TokenError{Reason: googlesession.ReasonSignature, Err: err}
	}
	return fmt.Errorf("%w: googletoken: checking a signature: %w", googlesession.ErrUnavailable, err)
}

// isEventIssuer knows the two spellings that Google's documents and tokens have,
// and not the third of ID tokens.
func isEventIssuer(iss string) bool {
	return iss == "https://accounts.google.com" || iss == "https://accounts.google.com/"
}

// eventClaims is what the payload of a security event token says.
type eventClaims struct {
	event    googlesession.SecurityEvent
	issuer   string
	audience []string
}

// check looks at issuer and time, but not at exp and nbf: "Security event tokens
// represent historical events and as such, don't expire" (Google's guide), and the
// Shared Signals Framework 1.0 forbids exp.
func (c eventClaims) check(now time.Time) error {
	switch issued := c.event.IssuedAt; {
	case !isEventIssuer(c.issuer):
		return refuse(googlesession.ReasonIssuer, "not from Google accounts")
	case issued.IsZero():
		return refuse(googlesession.ReasonTime, "issued at no time")
	case issued.After(now.Add(eventLeeway)):
		return refuse(googlesession.ReasonTime, "issued in the future")
	}
	return nil
}

// parseEvents reads the payload, once. Events and jti must be there. Any other
// claim that is absent is the zero value, which passes no check.
func parseEvents(text []byte) (eventClaims, error) {
	m, err := strictjson.Object(text, maxDepth)
	if err != nil {
		return eventClaims{}, malformed("payload: " + err.Error())
	}
	r := reader{members: m}
	c := eventClaims{
		event:  googlesession.SecurityEvent{ID: r.text("jti"), IssuedAt: r.time("iat")},
		issuer: r.text("iss"),
		// RFC 7519, section 4.1.3: who finds itself in the list is addressed. Here,
		// unlike with an ID token, being for others as well takes nothing away: a
		// project's clients share one receiver, and an event lets nobody in.
		audience: r.texts("aud"),
	}
	events, subject := r.object("events"), r.subject("sub_id")
	types := events.Names()
	switch id := c.event.ID; {
	case r.err != nil:
		return eventClaims{}, malformed("payload: " + r.err.Error())
	case len(types) == 0 || len(types) > maxEvents:
		// An ID token has none. It has the same keys and the same audience, and nothing
		// here would stop one that has expired (V-18, G-26).
		return eventClaims{}, malformed("payload: no events, or too many")
	case len(id) > maxEventID || !isGraphic(id):
		return eventClaims{}, malformed("payload: no jti, or not a usable one")
	}
	slices.Sort(types)
	for _, uri := range types {
		members, _, err := events.Object(uri)
		if err != nil {
			return eventClaims{}, malformed("event: not an object") // err quotes its name
		}
		change, err := parseChange(uri, members, subject)
		if err != nil {
			return eventClaims{}, malformed("event: " + err.Error())
		}
		c.event.Changes = append(c.event.Changes, change)
	}
	return c, nil
}

// parseChange reads one member of events. Google puts the subject into it; the
// Shared Signals Framework has one for the whole token.
func parseChange(uri string, members strictjson.Members, subject string) (googlesession.AccountChange, error) {
	change := googlesession.AccountChange{Kind: kindOf(uri)}
	if change.Kind == googlesession.ChangeUnknown {
		return change, nil // nor is it known what its members mean
	}
	r := reader{members: members}
	change.Subject = subject
	if r.has("subject") {
		change.Subject = r.subject("subject")
	}
	if change.Kind == googlesession.ChangeAccountDisabled {
		change.Reason = reasonOf(r.text("reason"))
	}
	return change, r.err
}

// subject reads a subject identifier (RFC 9493, and the drafts before it that
// Google goes by). It returns the sub claim of Google's account that is named, or
// "". Members of a format that is not known are not looked at.
func (r *reader) subject(name string) string {
	s := reader{members: r.object(name)}
	defer func() { r.keep(s.err) }()
	switch cmp.Or(s.text("subject_type"), s.text("format")) {
	case "iss-sub", "id_token_claims": // Google's guide
	case "iss_sub": // RFC 9493, section 3.2.4
	default:
		return ""
	}
	iss, sub := s.text("iss"), s.text("sub")
	if !isEventIssuer(iss) || !s.has("sub") {
		return ""
	}
	if len(sub) > maxSub || !isGraphic(sub) {
		s.keep(errors.New("sub is not usable"))
	}
	return sub
}

// reasonOf keeps Google's words out of logs and metrics but for those that its
// guide lists.
func reasonOf(reason string) string {
	switch reason {
	case "", "hijacking", "bulk-account":
		return reason
	}
	return "other"
}

// kindOf knows the types in Google's guide, and those that Google used before.
func kindOf(uri string) googlesession.AccountChangeKind {
	const (
		risc  = "https://schemas.openid.net/secevent/risc/event-type/"
		oauth = "https://schemas.openid.net/secevent/oauth/event-type/"
		old   = "https://accounts.google.com/risc/event/"
	)
	switch uri {
	case risc + "sessions-revoked", old + "sessions-revoked":
		return googlesession.ChangeSessionsRevoked
	case oauth + "tokens-revoked", old + "all-token-revoked":
		return googlesession.ChangeTokensRevoked
	case oauth + "token-revoked", old + "one-token-revoked":
		return googlesession.ChangeTokenRevoked
	case risc + "account-disabled", old + "account-disabled":
		return googlesession.ChangeAccountDisabled
	case risc + "account-enabled":
		return googlesession.ChangeAccountEnabled
	case risc + "account-credential-change-required", old + "account-credential-change-required":
		return googlesession.ChangeCredentialRequired
	case risc + "verification":
		return googlesession.ChangeVerification
	}
	return googlesession.ChangeUnknown
}

// texts reads a string, or a list of them.
func (r *reader) texts(name string) []string {
	text, ok, _ := r.members.Member(name)
	if !ok || text[0] != '[' {
		return []string{r.text(name)}
	}
	var values []any // not strings: null would become one
	r.keep(json.Unmarshal([]byte(text), &values))
	list := make([]string, 0, len(values))
	for _, value := range values {
		s, isString := value.(string)
		if !isString {
			r.keep(errors.New(name + " is not a list of strings"))
		}
		list = append(list, s)
	}
	return list
}

// object reads an object.
func (r *reader) object(name string) strictjson.Members {
	m, _, err := r.members.Object(name)
	r.keep(err)
	return m
}
