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
	maxEventToken = 16 << 10 // bytes; a real token has less than 1 kB
	maxEvents     = 10
	maxEventID    = 255
	eventLeeway   = 5 * time.Minute
)

var _ googlesession.SecurityEventVerifier = (*Verifier)(nil)

// VerifyEvent returns the contents of a security event token (RFC 8417) if Google signed
// it for one of ClientIDs. These are the tokens of Cross-Account Protection (RISC), which
// Google posts to your server.
//
// VerifyEvent returns a [*googlesession.TokenError] if the token is refused. Any other
// error wraps [googlesession.ErrUnavailable]: Google's keys cannot be fetched, the token's
// key is not known yet ([googlesession.ErrUnknownKey]), or ctx ended while VerifyEvent
// waited for keys. No error contains the token or a claim.
//
// A token does not expire and is accepted any number of times, because Google delivers
// late and more than once. The caller decides by IssuedAt what an old token may still do,
// and can recognise a repeated token by ID. IssuedAt is at most five minutes in the
// future. AuthorizedParties, Leeway and MaxAge of the [Config] apply to ID tokens only.
//
// An event of an unknown type becomes a [googlesession.ChangeUnknown] without a subject.
// The subject of any other event is the sub claim of a Google account. It is "" if the
// event names something else: an OAuth token, an e-mail address or an account of another
// issuer. Changes are in the order of their types' URIs.
func (v *Verifier) VerifyEvent(ctx context.Context, token string) (googlesession.SecurityEvent, error) {
	// Check the form of the token. That proves nothing about its author.
	t, err := splitJWS(token, maxEventToken)
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	header, err := parseHeader(t.header)
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	// RFC 8417, section 2.3, recommends the typ secevent+jwt. Google's guide does not
	// mention typ. So an ID token is refused because it lacks the events claim, and not
	// by its typ.
	if typ := header.typ; typ != "" && !strings.EqualFold(typ, "JWT") && !strings.EqualFold(typ, "secevent+jwt") {
		return googlesession.SecurityEvent{}, refuse(googlesession.ReasonMalformed, "typ is not that of a security event token")
	}
	c, err := parseEvents(t.payload)
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}

	// Look for the key only if the token claims to be for one of our client IDs.
	if !slices.ContainsFunc(c.audience, func(aud string) bool { return slices.Contains(v.clientIDs, aud) }) {
		return googlesession.SecurityEvent{}, refuse(googlesession.ReasonAudience, "issued for another client ID; Config.ClientIDs lists those of this server")
	}

	// Check that Google signed the token. The keys are those of ID tokens, because the
	// jwks_uri of Google's RISC configuration is certsURL too.
	keys, err := v.keys.find(ctx, header.kid, c.check(time.Now()))
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	if err := checkRS256(keys.keys[header.kid], t); err != nil {
		return googlesession.SecurityEvent{}, err
	}

	// Check that the token was issued by Google accounts and not in the future.
	if err := c.check(time.Now()); err != nil {
		return googlesession.SecurityEvent{}, err
	}
	return c.event, nil
}

// checkRS256 checks a signature with the standard library. idtoken cannot do it, because
// it takes a token without exp for an expired one and does not check a signature alone.
func checkRS256(key *rsa.PublicKey, t jws) error {
	digest := sha256.Sum256([]byte(t.signed))
	err := catchPanic(func() error { return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], t.signature) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rsa.ErrVerification):
		return &googlesession.TokenError{Reason: googlesession.ReasonSignature, Err: err}
	}
	return fmt.Errorf("%w: googletoken: checking a signature: %w", googlesession.ErrUnavailable, err)
}

// isEventIssuer reports whether iss is one of the two spellings in Google's documents and
// security event tokens. It returns false for "accounts.google.com", which ID tokens may
// have.
func isEventIssuer(iss string) bool {
	return iss == "https://accounts.google.com" || iss == "https://accounts.google.com/"
}

// eventClaims are the claims in the payload of a security event token.
type eventClaims struct {
	event    googlesession.SecurityEvent
	issuer   string
	audience []string
}

// check checks issuer and issue time. It ignores exp and nbf, because "Security event
// tokens represent historical events and as such, don't expire" (Google's guide). The
// Shared Signals Framework 1.0 forbids exp.
func (c eventClaims) check(now time.Time) error {
	switch issued := c.event.IssuedAt; {
	case !isEventIssuer(c.issuer):
		return refuse(googlesession.ReasonIssuer, "issuer is not Google accounts")
	case issued.IsZero():
		return refuse(googlesession.ReasonTime, "no iat claim")
	case issued.After(now.Add(eventLeeway)):
		return errTime(issued.Sub(now), "issued %v in the future by this server's clock; at most %v is allowed; check this server's clock (NTP)", eventLeeway)
	}
	return nil
}

// parseEvents reads the payload. It requires events and jti. Any other absent claim is
// the zero value, which check and VerifyEvent's check of the audience refuse.
func parseEvents(text []byte) (eventClaims, error) {
	m, err := strictjson.Object(text, maxDepth)
	if err != nil {
		return eventClaims{}, malformed("payload: " + err.Error())
	}
	r := reader{members: m}
	c := eventClaims{
		event:  googlesession.SecurityEvent{ID: r.text("jti"), IssuedAt: r.time("iat")},
		issuer: r.text("iss"),
		// The token is for every recipient in the list (RFC 7519, section 4.1.3). An ID
		// token must not be for others as well. A security event token may be, because a
		// project's clients share one receiver and an event signs no user in.
		audience: r.texts("aud"),
	}
	events, subject := r.object("events"), r.subject("sub_id")
	types := events.Names()
	switch id := c.event.ID; {
	case r.err != nil:
		return eventClaims{}, malformed("payload: " + r.err.Error())
	case len(types) == 0 || len(types) > maxEvents:
		// An ID token has no events. Its keys and audience are those of a security event
		// token, so only this check refuses it, even if it has expired.
		return eventClaims{}, malformed("payload: the number of events is not between 1 and 10")
	case len(id) > maxEventID || !isGraphic(id):
		return eventClaims{}, malformed("payload: jti is missing or not usable")
	}
	slices.Sort(types)
	for _, uri := range types {
		members, _, err := events.Object(uri)
		if err != nil {
			return eventClaims{}, malformed("event: not an object") // err is dropped, because it quotes the URI
		}
		change, err := parseChange(uri, members, subject)
		if err != nil {
			return eventClaims{}, malformed("event: " + err.Error())
		}
		c.event.Changes = append(c.event.Changes, change)
	}
	return c, nil
}

// parseChange reads one member of events. Google puts the subject into the event. In the
// Shared Signals Framework the whole token has one subject, which is the argument
// subject.
func parseChange(uri string, members strictjson.Members, subject string) (googlesession.AccountChange, error) {
	change := googlesession.AccountChange{Kind: kindOf(uri)}
	if change.Kind == googlesession.ChangeUnknown {
		return change, nil // the meaning of its members is unknown too
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

// subject reads a subject identifier (RFC 9493 and the earlier drafts that Google uses). It
// returns the sub claim if the subject is a Google account, otherwise "". It ignores the
// members of unknown formats.
func (r *reader) subject(name string) string {
	s := reader{members: r.object(name)}
	defer func() { r.setErr(s.err) }()
	switch cmp.Or(s.text("subject_type"), s.text("format")) {
	case "iss-sub", "id_token_claims": // the names in Google's guide
	case "iss_sub": // the name in RFC 9493, section 3.2.4
	default:
		return ""
	}
	iss, sub := s.text("iss"), s.text("sub")
	if !isEventIssuer(iss) || !s.has("sub") {
		return ""
	}
	if len(sub) > maxSub || !isGraphic(sub) {
		s.setErr(errors.New("sub is empty, too long, or has characters that no account ID has"))
	}
	return sub
}

// reasonOf returns the reason unchanged if Google's guide lists it or it is empty. It
// returns "other" for any other, so that no arbitrary text gets into logs and metrics.
func reasonOf(reason string) string {
	switch reason {
	case "", "hijacking", "bulk-account":
		return reason
	}
	return "other"
}

// kindOf returns the kind of an event type in Google's guide, or of its earlier name.
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

// texts reads a string or a list of strings.
func (r *reader) texts(name string) []string {
	text, ok, _ := r.members.Member(name)
	if !ok || text[0] != '[' {
		return []string{r.text(name)}
	}
	var values []any // in a []string, null would become "" without an error
	r.setErr(json.Unmarshal([]byte(text), &values))
	list := make([]string, 0, len(values))
	for _, value := range values {
		s, isString := value.(string)
		if !isString {
			r.setErr(errors.New(name + " is not a list of strings"))
		}
		list = append(list, s)
	}
	return list
}

func (r *reader) object(name string) strictjson.Members {
	m, _, err := r.members.Object(name)
	r.setErr(err)
	return m
}
