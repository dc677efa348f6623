package googletoken

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/strictjson"
)

const (
	maxToken = 8 << 10 // of an ID token; a real one has about 1.3 kB
	maxKid   = 128
	maxSub   = 255 // OpenID Connect Core 1.0, section 2
	maxDepth = 16
	maxTime  = 253402300799 // the last second of the year 9999
)

// jws is a token in JWS Compact Serialization (RFC 7515, section 7.1), decoded.
type jws struct {
	header, payload, signature []byte
	signed                     string // what the signature is of
}

// splitJWS takes exactly the canonical spelling: encoding the three parts again
// gives the same text. A token of more than longest bytes is malformed.
func splitJWS(token string, longest int) (jws, error) {
	// Before any allocation: idtoken splits 16 MiB of dots into 256 MB.
	if len(token) > longest {
		return jws{}, malformed("too long")
	}
	if strings.Count(token, ".") != 2 {
		return jws{}, malformed("not three parts")
	}
	head, rest, _ := strings.Cut(token, ".")
	body, tail, _ := strings.Cut(rest, ".")
	if head == "" || body == "" || tail == "" {
		return jws{}, malformed("an empty part")
	}
	header, okHeader := decode(head)
	payload, okPayload := decode(body)
	signature, okSignature := decode(tail)
	if !okHeader || !okPayload || !okSignature {
		return jws{}, malformed("not canonical base64url")
	}
	return jws{header, payload, signature, token[:len(head)+1+len(body)]}, nil
}

// decode is strict about trailing bits, and about CR and LF, which Strict skips.
func decode(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := strictBase64.DecodeString(s)
	return b, err == nil
}

var strictBase64 = base64.RawURLEncoding.Strict()

// header is what a JOSE header says; RS256 without saying.
type header struct {
	kid string
	typ string // "" if absent
}

// parseHeader refuses every algorithm but RS256, which is all that Google signs
// these tokens with. idtoken knows ES256 too, fetches other keys for it, and panics
// on a short signature.
//
// jku, jwk, x5u and x5c are ignored: keys come from Google's one address only.
func parseHeader(text []byte) (header, error) {
	m, err := strictjson.Object(text, maxDepth)
	if err != nil {
		return header{}, malformed("header: " + err.Error())
	}
	r := reader{members: m}
	alg, kid, typ := r.text("alg"), r.text("kid"), r.text("typ")
	crit := r.has("crit")
	switch {
	case r.err != nil:
		return header{}, malformed("header: " + r.err.Error())
	case alg != "RS256":
		return header{}, refuse(googlesession.ReasonAlgorithm, "not RS256")
	case crit: // RFC 7515, section 4.1.11: extensions that must be understood, and none is
		return header{}, malformed("header: crit")
	case len(kid) > maxKid || !isGraphic(kid):
		return header{}, malformed("header: no kid, or not a usable one")
	}
	return header{kid: kid, typ: typ}, nil
}

// claims is what a payload says, each claim of its right type.
type claims struct {
	identity  googlesession.Identity
	issuer    string
	audience  string
	party     string // azp
	hasParty  bool
	nonce     string
	expires   time.Time
	notBefore time.Time
}

// displayClaims are what people write about themselves (OpenID Connect Core 1.0, section
// 5.1), and what decides nothing. Half of an emoji in one of them does not refuse a
// sign-in.
var displayClaims = []string{
	"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "locale",
}

// parseClaims reads the payload of an ID token, once. Sub must be there. Any other
// claim that is absent is the zero value, which passes no check that needs it.
func parseClaims(text []byte) (claims, error) {
	m, err := strictjson.Object(text, maxDepth, displayClaims...)
	if err != nil {
		return claims{}, malformed("payload: " + err.Error())
	}
	r := reader{members: m}
	c := claims{
		identity: googlesession.Identity{
			Subject:       r.text("sub"),
			Email:         r.text("email"),
			Name:          r.text("name"),
			Picture:       r.text("picture"),
			HostedDomain:  r.text("hd"),
			EmailVerified: r.flag("email_verified"),
			IssuedAt:      r.time("iat"),
		},
		issuer:    r.text("iss"),
		audience:  r.text("aud"), // RFC 7519 allows a list; Google writes one, and idtoken reads one
		party:     r.text("azp"),
		hasParty:  r.has("azp"),
		nonce:     r.text("nonce"),
		expires:   r.time("exp"),
		notBefore: r.time("nbf"),
	}
	events := r.has("events")
	switch sub := c.identity.Subject; {
	case r.err != nil:
		return claims{}, malformed("payload: " + r.err.Error())
	case events: // RFC 8417, section 2.2 (V-18)
		return claims{}, malformed("a security event token")
	case len(sub) > maxSub || !isGraphic(sub):
		return claims{}, malformed("payload: no sub, or not a usable one")
	}
	return c, nil
}

// reader reads members of an object and keeps the first error. An absent member
// is the zero value.
type reader struct {
	members strictjson.Members
	err     error
}

func (r *reader) has(name string) bool {
	_, ok, err := r.members.Member(name)
	r.keep(err)
	return ok
}

func (r *reader) text(name string) string {
	s, _, err := r.members.String(name)
	r.keep(err)
	return s
}

// flag reads true and false, and "true" and "false", as Google once wrote
// email_verified (V-11). "TRUE", 1 and null are none of these (G-7).
func (r *reader) flag(name string) bool {
	value, ok, err := r.members.Member(name)
	r.keep(err)
	switch value {
	case `true`, `"true"`:
		return true
	case `false`, `"false"`:
		return false
	}
	if ok {
		r.keep(errors.New(name + " is not a boolean"))
	}
	return false
}

// time reads a NumericDate. RFC 7519, section 2, allows fractions and exponents;
// Google writes whole seconds, and idtoken reads nothing else. What lies outside
// the years that a time.Time can be computed with is moved to their edge.
func (r *reader) time(name string) time.Time {
	n, ok, err := r.members.Int(name)
	r.keep(err)
	if !ok {
		return time.Time{}
	}
	return time.Unix(min(max(n, 0), maxTime), 0).UTC()
}

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

// isGraphic reports whether s is one or more printable ASCII characters without
// blanks.
func isGraphic(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func malformed(why string) error { return refuse(googlesession.ReasonMalformed, why) }
