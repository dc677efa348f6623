package googletest

import (
	"encoding/json"
	"strings"

	"github.com/googlesession/googlesession"
)

// addPayloads adds tokens whose payload is signed by Google's key but is not one
// JSON object.
func (b *badTokenList) addPayloads() {
	addRaw := func(name string, change func(good string) string) {
		b.add(name, googlesession.ReasonMalformed, func(d *Draft) {
			d.RawPayload = []byte(change(string(jsonObject(d.Claims))))
		})
	}
	addWith := func(name, member string) {
		addRaw(name, func(good string) string { return good[:len(good)-1] + "," + member + "}" })
	}
	addRaw("payload is an array", func(good string) string { return "[" + good + "]" })
	addRaw("payload is a string", func(string) string { return `"payload"` })
	addRaw("payload is null", func(string) string { return "null" })
	addRaw("payload is a number", func(string) string { return "1" })
	addRaw("payload is not JSON", func(string) string { return "sub=1" })
	addRaw("payload is cut off", func(good string) string { return good[:len(good)-1] })
	addRaw("payload with trailing text", func(good string) string { return good + "x" })
	addRaw("payload twice", func(good string) string { return good + good })
	addRaw("payload with a byte order mark", func(good string) string { return "\ufeff" + good })
	addRaw("payload in single quotes", func(good string) string { return strings.ReplaceAll(good, `"`, `'`) })
	addRaw("payload with a trailing comma", func(good string) string { return good[:len(good)-1] + ",}" })
	addWith("payload with a value that is not UTF-8", "\"x\":\"\xc3\x28\"")
	addWith("payload with a name that is not UTF-8", "\"\xff\":1")
	addWith("payload with NaN", `"x":NaN`)
	addWith("payload with a line feed in a string", "\"x\":\"\n\"")
	addWith("payload nested 20 deep", `"x":`+nestedArrays(19))
	addWith("payload nested 2000 deep", `"x":`+nestedArrays(1999))
}

// addDuplicates adds tokens that have a claim twice, or two claims whose names
// differ only by case. JSON readers differ in which of the two they take.
func (b *badTokenList) addDuplicates() {
	b.addDuplicateClaims("iss", "aud", "azp", "sub", "email", "email_verified", "hd", "name", "picture", "nbf", "iat", "exp", "nonce")
	b.addMember("sub twice, first another", prepend, `"sub":"1"`)
	b.addMember("sub twice, last another", appendTo, `"sub":"1"`)
	b.addMember("sub twice, once escaped", appendTo, `"\u0073ub":"1"`)
	b.addMember("sub with a long s beside sub", appendTo, `"ſub":"1"`)
	b.addMember("Email_Verified beside email_verified", appendTo, `"Email_Verified":true`)
}

// addDuplicateClaims adds tokens that have one of these claims twice, or
// under its name in upper case. It also adds tokens that have a second aud,
// an unknown claim twice, or a name twice inside a claim.
func (b *badTokenList) addDuplicateClaims(claims ...string) {
	good := b.newDraft().Claims
	for _, claim := range claims {
		value, ok := good[claim]
		if !ok { // hd is missing for gmail.com, and nonce is missing if the verifier expects none
			continue
		}
		b.addMember(claim+" twice with the same value", appendTo, jsonMember(claim, value))
		b.addMember(strings.ToUpper(claim)+" beside "+claim, appendTo, jsonMember(strings.ToUpper(claim), value))
		b.add(strings.ToUpper(claim)+" instead of "+claim, googlesession.ReasonMalformed, func(d *Draft) {
			d.Claims[strings.ToUpper(claim)] = value
			delete(d.Claims, claim)
		})
	}
	b.addMember("aud twice, first another", prepend, `"aud":"another"`)
	b.addMember("aud twice, last another", appendTo, `"aud":"another"`)
	b.addMember("AUD is another", appendTo, `"AUD":"another"`)
	b.addMember("unknown claim twice", appendTo, `"x":1,"x":2`)
	b.addMember("a name twice inside a claim", appendTo, `"x":{"y":1,"y":2}`)
}

// addMember adds a row for a token whose payload has one more member, put there by place.
func (b *badTokenList) addMember(name string, place func(map[string]any, string) []byte, member string) {
	b.add(name, googlesession.ReasonMalformed, func(d *Draft) { d.RawPayload = place(d.Claims, member) })
}

// addWrongTypes adds tokens that have a claim of another JSON type than Google's tokens.
func (b *badTokenList) addWrongTypes() {
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
			b.addClaim(t.claim+" is "+value, googlesession.ReasonMalformed, t.claim, json.RawMessage(value))
		}
	}
}
