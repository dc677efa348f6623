package googletest

import (
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// A BadToken is an ID token or a security event token that must be refused.
type BadToken struct {
	Name   string // a short ID of the kind of attack, and what is wrong in plain words
	Token  string
	Reason googlesession.TokenReason

	// UnknownKey is set if the token names a key that Google does not have. A
	// verifier that limits its requests for keys may answer the second such token
	// with [googlesession.ErrUnavailable] instead, because it cannot tell before its
	// next request.
	UnknownKey bool
}

// BadTokens returns ID tokens that a verifier must refuse, each with one thing
// wrong: the rest is what [Google.Token] would return, and correctly signed if the
// signature is not the point. Reason is what a [googlesession.TokenError] must
// report: the first check that fails, in the order of the constants, in a
// verifier with a leeway of a minute and a maximum age of ten.
//
//   - An empty segment is malformed. So is a member of the wrong JSON type, null
//     included, and a time that is not a whole number.
//   - A name that differs by case only from one that Google uses is malformed,
//     because encoding/json takes it for that one.
//   - A token without sub or kid is malformed. Any other claim or parameter that is
//     missing does not pass the check that looks at it.
//   - An email_verified of "false" or "TRUE" is not here: refusing it and taking
//     the address for unverified are both right. Nor is a foreign hd: which domains
//     may enter is decided after the token is verified.
//
// The nonce is the one that the verifier is told to expect. If it is "" nobody
// expects any, and the rows about nonces are left out. The tokens age: make them
// where they are used.
func (g *Google) BadTokens(email, nonce string) []BadToken {
	b := &badTokens{g: g, email: email, nonce: nonce, now: time.Now().Unix(), longest: maxToken}
	b.draft = func() *Draft {
		d := g.Draft(email, nonce)
		d.Claims["nbf"], d.Claims["iat"], d.Claims["exp"] = b.now, b.now, b.now+3600
		return d
	}
	b.jws()
	b.kinds()
	b.names()
	b.types()
	b.subjects()
	b.audiences()
	b.parties()
	b.issuers()
	b.times()
	b.nonces()
	return b.rows
}

// badTokens collects the rows. Its methods are in the order of the checks.
type badTokens struct {
	g            *Google
	email, nonce string
	longest      int // bytes of a token that a verifier looks at (V-1)

	// draft returns a token with nothing wrong yet. All are of the same second, now,
	// which rows about times count from.
	draft func() *Draft
	now   int64

	rows []BadToken
}

// jws adds what is wrong with any signed token, whatever it is about.
func (b *badTokens) jws() {
	b.shapes()
	b.spellings()
	b.headers()
	b.algorithms()
	b.keys()
	b.signatures()
	b.paddings()
	b.payloads()
}

// text adds a token as it is.
func (b *badTokens) text(name, token string) {
	b.rows = append(b.rows, BadToken{Name: name, Token: token, Reason: googlesession.ReasonMalformed})
}

// mint adds what becomes of a good draft by one change.
func (b *badTokens) mint(name string, reason googlesession.TokenReason, change func(d *Draft)) {
	d := b.draft()
	change(d)
	kid, named := d.Header["kid"].(string)
	b.rows = append(b.rows, BadToken{
		Name: name, Token: b.g.Mint(d), Reason: reason,
		UnknownKey: named && reason == googlesession.ReasonSignature && !b.g.publishes(kid),
	})
}

func (g *Google) publishes(kid string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.ring, func(k publishedKey) bool { return k.kid == kid })
}

// header adds a token with one header parameter set.
func (b *badTokens) header(name string, reason googlesession.TokenReason, parameter string, value any) {
	b.mint(name, reason, func(d *Draft) { d.Header[parameter] = value })
}

// claim adds a token with one claim set.
func (b *badTokens) claim(name string, reason googlesession.TokenReason, claim string, value any) {
	b.mint(name, reason, func(d *Draft) { d.Claims[claim] = value })
}

// without adds a token with one claim missing.
func (b *badTokens) without(name string, reason googlesession.TokenReason, claim string) {
	b.mint(name, reason, func(d *Draft) { delete(d.Claims, claim) })
}

// before and after put a member into a JSON object that may have that name already.
func before(object map[string]any, member string) []byte {
	return []byte("{" + member + "," + string(raw(nil, object))[1:])
}

func after(object map[string]any, member string) []byte {
	text := string(raw(nil, object))
	return []byte(text[:len(text)-1] + "," + member + "}")
}

// member writes one member of a JSON object.
func member(name string, value any) string {
	text := string(raw(nil, map[string]any{name: value}))
	return text[1 : len(text)-1]
}

// otherCase turns upper case into lower case and the other way round.
func otherCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}
