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
	maxToken = 8 << 10 // bytes of an ID token; a real token has about 1.3 kB
	maxKid   = 128
	maxSub   = 255 // OpenID Connect Core 1.0, section 2
	maxDepth = 16
	maxTime  = 253402300799 // the last second of the year 9999, in Unix time
)

// jws is a token in JWS Compact Serialization (RFC 7515, section 7.1), decoded.
type jws struct {
	header, payload, signature []byte
	signed                     string // the part of the token that is signed
}

// splitJWS accepts a token only in its canonical spelling, so that encoding the three parts
// again gives the same text. A token of more than maxLen bytes is malformed.
func splitJWS(token string, maxLen int) (jws, error) {
	// The length is checked before anything is allocated. idtoken splits 16 MiB of dots
	// into 256 MB.
	if len(token) > maxLen {
		return jws{}, malformed("too long")
	}
	if strings.Count(token, ".") != 2 {
		return jws{}, malformed("not three parts, so not an ID token; post the member credential of Google's answer")
	}
	head, rest, _ := strings.Cut(token, ".")
	body, tail, _ := strings.Cut(rest, ".")
	if head == "" || body == "" || tail == "" {
		return jws{}, malformed("empty part")
	}
	header, okHeader := decode(head)
	payload, okPayload := decode(body)
	signature, okSignature := decode(tail)
	if !okHeader || !okPayload || !okSignature {
		return jws{}, malformed("not canonical base64url")
	}
	return jws{header, payload, signature, token[:len(head)+1+len(body)]}, nil
}

// decode decodes base64url without padding. It refuses non-zero trailing bits, and also
// CR and LF, which Strict ignores.
func decode(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := strictBase64.DecodeString(s)
	return b, err == nil
}

var strictBase64 = base64.RawURLEncoding.Strict()

// header is a JOSE header whose alg is RS256.
type header struct {
	kid string
	typ string // "" if absent
}

// parseHeader reads a JOSE header. It refuses every algorithm but RS256, the only one
// with which Google signs ID tokens and security event tokens. idtoken also knows ES256,
// fetches other keys for it, and panics on a short signature.
//
// parseHeader ignores jku, jwk, x5u and x5c, because keys come from certsURL only.
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
	case crit: // crit names extensions that a recipient must understand (RFC 7515, section 4.1.11)
		return header{}, malformed("header: crit is not supported")
	case len(kid) > maxKid || !isGraphic(kid):
		return header{}, malformed("header: kid is missing or not usable")
	}
	return header{kid: kid, typ: typ}, nil
}

// claims are the claims in the payload of an ID token.
type claims struct {
	identity  googlesession.Identity
	issuer    string
	audience  string
	party     string // the azp claim, which names the client that the token was issued to
	hasParty  bool
	nonce     string
	expires   time.Time
	notBefore time.Time
}

// displayClaims are texts that people write about themselves (OpenID Connect Core 1.0,
// section 5.1). They decide nothing, so half of an emoji in such a text does not refuse a
// sign-in.
var displayClaims = []string{
	"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "locale",
}

// parseClaims reads the payload of an ID token. It requires sub. Any other absent claim is
// the zero value, which does not pass a check that needs the claim.
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
		audience:  r.text("aud"), // RFC 7519 also allows a list, which Google does not write and idtoken does not read
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
	case events: // only a security event token has this claim (RFC 8417, section 2.2)
		return claims{}, malformed("a security event token, not an ID token")
	case len(sub) > maxSub || !isGraphic(sub):
		return claims{}, malformed("payload: sub is missing or not usable")
	}
	return c, nil
}

// A reader reads the members of an object. An absent member is the zero value.
type reader struct {
	members strictjson.Members
	err     error // the first error
}

func (r *reader) has(name string) bool {
	_, ok, err := r.members.Member(name)
	r.setErr(err)
	return ok
}

func (r *reader) text(name string) string {
	s, _, err := r.members.String(name)
	r.setErr(err)
	return s
}

// flag reads true and false, and also "true" and "false", as Google once wrote
// email_verified. Anything else, such as "TRUE", 1 or null, is an error.
func (r *reader) flag(name string) bool {
	value, ok, err := r.members.Member(name)
	r.setErr(err)
	switch value {
	case `true`, `"true"`:
		return true
	case `false`, `"false"`:
		return false
	}
	if ok {
		r.setErr(errors.New(name + " is not a boolean"))
	}
	return false
}

// time reads a NumericDate in whole seconds. RFC 7519, section 2, also allows fractions and
// exponents, which Google does not write and idtoken does not read. A time before 1970 or
// after the year 9999 becomes the nearest time in between, so that computing with it does
// not overflow.
func (r *reader) time(name string) time.Time {
	n, ok, err := r.members.Int(name)
	r.setErr(err)
	if !ok {
		return time.Time{}
	}
	return time.Unix(min(max(n, 0), maxTime), 0).UTC()
}

func (r *reader) setErr(err error) {
	if r.err == nil {
		r.err = err
	}
}

// isGraphic reports whether s consists of printable ASCII characters other than blanks and
// is not empty.
func isGraphic(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func malformed(why string) error { return refuse(googlesession.ReasonMalformed, why) }
