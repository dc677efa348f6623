package googletest

import (
	"encoding/json"
	"strings"

	"github.com/googlesession/googlesession"
)

// payloads are signed by Google's key, but are not the one JSON object that V-5
// asks for.
func (b *badTokens) payloads() {
	bytes := func(name string, change func(good string) string) {
		b.mint(name, googlesession.ReasonMalformed, func(d *Draft) {
			d.RawPayload = []byte(change(string(raw(nil, d.Claims))))
		})
	}
	with := func(name, member string) {
		bytes(name, func(good string) string { return good[:len(good)-1] + "," + member + "}" })
	}
	bytes("V-5 payload is an array", func(good string) string { return "[" + good + "]" })
	bytes("V-5 payload is a string", func(string) string { return `"payload"` })
	bytes("V-5 payload is null", func(string) string { return "null" })
	bytes("V-5 payload is a number", func(string) string { return "1" })
	bytes("V-5 payload is not JSON", func(string) string { return "sub=1" })
	bytes("V-5 payload is cut off", func(good string) string { return good[:len(good)-1] })
	bytes("V-5 payload and something behind it", func(good string) string { return good + "x" })
	bytes("V-5 payload twice", func(good string) string { return good + good })
	bytes("V-5 payload with a byte order mark", func(good string) string { return "\ufeff" + good })
	bytes("V-5 payload in single quotes", func(good string) string { return strings.ReplaceAll(good, `"`, `'`) })
	bytes("V-5 payload with a comma too many", func(good string) string { return good[:len(good)-1] + ",}" })
	with("V-5 payload with a value that is not UTF-8", "\"x\":\"\xc3\x28\"")
	with("V-5 payload with a name that is not UTF-8", "\"\xff\":1")
	with("V-5 payload with NaN", `"x":NaN`)
	with("V-5 payload with a line feed in a string", "\"x\":\"\n\"")
	with("V-5 payload nested 20 deep", `"x":`+nested(19))
	with("V-5 payload nested 2000 deep", `"x":`+nested(1999))
}

// names are said twice, or almost: readers differ in which of the two they take
// (V-5, G-16).
func (b *badTokens) names() {
	b.claimNames("iss", "aud", "azp", "sub", "email", "email_verified", "hd", "name", "picture", "nbf", "iat", "exp", "nonce")
	b.put("G-16 sub twice, another first", before, `"sub":"1"`)
	b.put("G-16 sub twice, another last", after, `"sub":"1"`)
	b.put("G-16 sub twice, once escaped", after, `"\u0073ub":"1"`)
	b.put("G-16 sub with a long s beside sub", after, `"ſub":"1"`)
	b.put("G-16 Email_Verified beside email_verified", after, `"Email_Verified":true`)
}

// claimNames says each of these claims twice, and what every token has.
func (b *badTokens) claimNames(claims ...string) {
	good := b.draft().Claims
	for _, claim := range claims {
		value, ok := good[claim]
		if !ok { // no hd at gmail.com, no nonce if nobody wants one
			continue
		}
		b.put("G-16 "+claim+" twice, the same", after, member(claim, value))
		b.put("G-16 "+strings.ToUpper(claim)+" beside "+claim, after, member(strings.ToUpper(claim), value))
		b.mint("G-16 "+strings.ToUpper(claim)+" instead of "+claim, googlesession.ReasonMalformed, func(d *Draft) {
			d.Claims[strings.ToUpper(claim)] = value
			delete(d.Claims, claim)
		})
	}
	b.put("G-16 aud twice, another first", before, `"aud":"another"`)
	b.put("G-16 aud twice, another last", after, `"aud":"another"`)
	b.put("G-16 AUD is another", after, `"AUD":"another"`)
	b.put("G-16 unknown claim twice", after, `"x":1,"x":2`)
	b.put("G-16 a name twice inside a claim", after, `"x":{"y":1,"y":2}`)
}

// put adds a token with one more member in its payload.
func (b *badTokens) put(name string, place func(map[string]any, string) []byte, member string) {
	b.mint(name, googlesession.ReasonMalformed, func(d *Draft) { d.RawPayload = place(d.Claims, member) })
}

// types are not what the claim has in Google's tokens.
func (b *badTokens) types() {
	for _, t := range []struct {
		claim  string
		values []string
	}{
		{"iss", []string{"null", "1", `["https://accounts.google.com"]`}},
		{"aud", []string{"null", "1", "[]", "{}"}},
		{"azp", []string{"null", "1", "[]"}},
		{"sub", []string{"null", "1", "1e20", "true", `["1"]`, "{}"}},
		{"email", []string{"null", "1", "[]", "{}", "true"}},
		{"email_verified", []string{"null", "1", "0", "[]", "{}", "[true]"}},
		{"hd", []string{"null", "1", "[]", "{}", "true"}},
		{"name", []string{"null", "1", "[]", "{}"}},
		{"picture", []string{"null", "1", "[]", "{}"}},
		{"exp", []string{"null", `"9999999999"`, "true", "[]", "9999999999.5", "1e300", "99999999999999999999"}},
		{"iat", []string{"null", `"1"`, "true", "[]", "1.5", "1e300", "-99999999999999999999"}},
		{"nbf", []string{"null", `"1"`, "true", "[]", "{}"}},
	} {
		for _, value := range t.values {
			b.claim("V-5 "+t.claim+" is "+value, googlesession.ReasonMalformed, t.claim, json.RawMessage(value))
		}
	}
}
