package googletest

import (
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// A BadToken is an ID token or a security event token that a verifier must refuse.
type BadToken struct {
	// Name describes the attack, or what is wrong with the token, in words. It is unique
	// in its list, so it can be the name of a subtest.
	Name string

	// Token is the token as a client would post it. It may be empty.
	Token string

	// Reason is the reason of the [googlesession.TokenError] that the verifier must return.
	Reason googlesession.TokenReason

	// UnknownKey is true if the token names a key that Google does not have.
	// A verifier that limits its requests for keys may refuse the second
	// token of this kind with [googlesession.ErrUnavailable] instead, because
	// it cannot know before its next request whether Google has the key.
	UnknownKey bool
}

// BadTokens returns ID tokens that a verifier must refuse. Each token has one
// thing wrong, and is otherwise what [Google.Token] returns for email and
// nonce. The signature is right unless the token's Name is about the signature.
//
// BadToken.Reason belongs to the first check that fails, in the order of the constants of
// [googlesession.TokenReason], in a verifier that allows a leeway of a minute and a maximum
// age of ten minutes:
//
//   - An empty segment is malformed. So is a member of the wrong JSON type, which
//     includes null, and a time that is not a whole number.
//   - A name that differs only by case from a name that Google uses is malformed, because
//     encoding/json reads it as that name.
//   - A token without sub or kid is malformed. Any other claim or header parameter that
//     is missing fails the check that reads it.
//
// There are no tokens with an email_verified of "false" or "TRUE", because a verifier may
// refuse them or regard the address as unverified. There are no tokens with a foreign hd,
// because which domains are admitted is decided after the token is verified.
//
// The argument nonce is the one that the verifier expects. If nonce is "",
// the verifier expects none, and the tokens with a wrong nonce are left out.
//
// The tokens expire after an hour and some depend on the present second, so a test calls
// BadTokens right before it uses them.
func (g *Google) BadTokens(email, nonce string) []BadToken {
	b := &badTokenList{g: g, email: email, nonce: nonce, now: time.Now().Unix(), maxLength: maxToken}
	b.newDraft = func() *Draft {
		d := g.Draft(email, nonce)
		d.Claims["nbf"], d.Claims["iat"], d.Claims["exp"] = b.now, b.now, b.now+3600
		return d
	}
	b.addSignedTokens()
	b.addOtherKinds()
	b.addDuplicates()
	b.addWrongTypes()
	b.addSubjects()
	b.addAudiences()
	b.addParties()
	b.addIssuers()
	b.addTimes()
	b.addNonces()
	return b.rows
}

// A badTokenList collects the rows of [Google.BadTokens] or [Google.BadEvents].
type badTokenList struct {
	g            *Google
	email, nonce string
	maxLength    int // the length of the longest token that a verifier reads, in bytes

	// newDraft returns a draft with nothing wrong. Its iat is now, in Unix
	// seconds, and the rows about times add to now or subtract from it.
	newDraft func() *Draft
	now      int64

	rows []BadToken
}

// addSignedTokens adds the rows that ID tokens and security event tokens
// both have, because the rows do not depend on the claims.
func (b *badTokenList) addSignedTokens() {
	b.addShapes()
	b.addSpellings()
	b.addHeaders()
	b.addAlgorithms()
	b.addKeys()
	b.addSignatures()
	b.addPaddings()
	b.addPayloads()
}

// addMalformed adds a row for this token, with ReasonMalformed.
func (b *badTokenList) addMalformed(name, token string) {
	b.rows = append(b.rows, BadToken{Name: name, Token: token, Reason: googlesession.ReasonMalformed})
}

// add adds a row for the token that results from one change of a good draft.
func (b *badTokenList) add(name string, reason googlesession.TokenReason, change func(d *Draft)) {
	d := b.newDraft()
	change(d)
	kid, named := d.Header["kid"].(string)
	b.rows = append(b.rows, BadToken{
		Name: name, Token: b.g.Mint(d), Reason: reason,
		UnknownKey: named && reason == googlesession.ReasonSignature && !b.g.publishes(kid),
	})
}

// publishes reports whether g publishes a key with this ID.
func (g *Google) publishes(kid string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.published, func(k publishedKey) bool { return k.kid == kid })
}

// addHeader adds a row for a token with this header parameter set to value.
func (b *badTokenList) addHeader(name string, reason googlesession.TokenReason, parameter string, value any) {
	b.add(name, reason, func(d *Draft) { d.Header[parameter] = value })
}

// addClaim adds a row for a token with this claim set to value.
func (b *badTokenList) addClaim(name string, reason googlesession.TokenReason, claim string, value any) {
	b.add(name, reason, func(d *Draft) { d.Claims[claim] = value })
}

// addWithout adds a row for a token without this claim.
func (b *badTokenList) addWithout(name string, reason googlesession.TokenReason, claim string) {
	b.add(name, reason, func(d *Draft) { delete(d.Claims, claim) })
}

// prepend returns the JSON of object with member, which is JSON text, at the
// front. The object may already have a member of that name.
func prepend(object map[string]any, member string) []byte {
	return []byte("{" + member + "," + string(jsonObject(object))[1:])
}

// appendTo returns the JSON of object with member, which is JSON text, at
// the end. The object may already have a member of that name.
func appendTo(object map[string]any, member string) []byte {
	text := string(jsonObject(object))
	return []byte(text[:len(text)-1] + "," + member + "}")
}

// jsonMember returns the JSON of one member of an object, without the object's braces.
func jsonMember(name string, value any) string {
	text := string(jsonObject(map[string]any{name: value}))
	return text[1 : len(text)-1]
}

// swapCase turns ASCII upper case into lower case and lower case into upper case.
func swapCase(s string) string {
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
