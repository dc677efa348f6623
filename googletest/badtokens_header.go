package googletest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"

	"github.com/googlesession/googlesession"
)

// addHeaders adds tokens whose header is not one JSON object with the parameters
// that Google uses.
func (b *badTokenList) addHeaders() {
	addRaw := func(name string, change func(good string) string) {
		b.add(name, googlesession.ReasonMalformed, func(d *Draft) {
			d.RawHeader = []byte(change(string(jsonObject(d.Header))))
		})
	}
	addRaw("header is an array", func(good string) string { return "[" + good + "]" })
	addRaw("header is a string", func(string) string { return `"RS256"` })
	addRaw("header is null", func(string) string { return "null" })
	addRaw("header is a number", func(string) string { return "256" })
	addRaw("header is not JSON", func(string) string { return "alg=RS256" })
	addRaw("header is cut off", func(good string) string { return good[:len(good)-1] })
	addRaw("header with trailing text", func(good string) string { return good + "x" })
	addRaw("header twice", func(good string) string { return good + good })
	addRaw("header with a byte order mark", func(good string) string { return "\ufeff" + good })
	addRaw("header with a comment", func(good string) string { return "/**/" + good })
	addRaw("header with a trailing comma", func(good string) string { return good[:len(good)-1] + ",}" })
	addRaw("header that is not UTF-8", func(good string) string { return good[:len(good)-1] + `,"x":"` + "\xff" + `"}` })
	addRaw("header nested 20 deep", func(good string) string { return good[:len(good)-1] + `,"x":` + nestedArrays(19) + "}" })
	addRaw("header nested 1000 deep", func(good string) string { return good[:len(good)-1] + `,"x":` + nestedArrays(999) + "}" })

	addParameter := func(name string, place func(map[string]any, string) []byte, member string) {
		b.add(name, googlesession.ReasonMalformed, func(d *Draft) { d.RawHeader = place(d.Header, member) })
	}
	addParameter("alg twice, first none", prepend, `"alg":"none"`)
	addParameter("alg twice, last none", appendTo, `"alg":"none"`)
	addParameter("alg twice with the same value", appendTo, `"alg":"RS256"`)
	addParameter("alg twice, once escaped", appendTo, `"\u0061lg":"RS256"`)
	addParameter("ALG beside alg", appendTo, `"ALG":"RS256"`)
	addParameter("kid twice, first unknown", prepend, `"kid":"strange"`)
	addParameter("kid twice with the same value", appendTo, jsonMember("kid", b.g.KeyID()))
	addParameter("KID beside kid", appendTo, jsonMember("KID", b.g.KeyID()))
	addParameter("kid with a Kelvin sign beside kid", appendTo, jsonMember("\u212aid", b.g.KeyID()))
	addParameter("typ twice", appendTo, `"typ":"JWT"`)
	addParameter("Typ beside typ", appendTo, `"Typ":"secevent+jwt"`)
	addParameter("unknown parameter twice", appendTo, `"x":1,"x":2`)
	for _, parameter := range []string{"alg", "kid", "typ", "crit"} {
		b.add(strings.ToUpper(parameter)+" instead of "+parameter, googlesession.ReasonMalformed, func(d *Draft) {
			d.Header[strings.ToUpper(parameter)] = d.Header[parameter]
			delete(d.Header, parameter)
		})
	}

	for _, value := range []string{"null", "true", "256", `["RS256"]`, `{"RS256":1}`} {
		b.addHeader("alg is "+value, googlesession.ReasonMalformed, "alg", json.RawMessage(value))
		b.addHeader("kid is "+value, googlesession.ReasonMalformed, "kid", json.RawMessage(value))
		b.addHeader("typ is "+value, googlesession.ReasonMalformed, "typ", json.RawMessage(value))
	}
	b.add("no kid", googlesession.ReasonMalformed, func(d *Draft) { delete(d.Header, "kid") })
	b.addHeader("kid is empty", googlesession.ReasonMalformed, "kid", "")
	b.addHeader("kid of 129 characters", googlesession.ReasonMalformed, "kid", strings.Repeat("a", 129))
	b.addHeader("kid of 4000 characters", googlesession.ReasonMalformed, "kid", strings.Repeat("a", 4000))
	b.addHeader("kid with a NUL", googlesession.ReasonMalformed, "kid", b.g.KeyID()+"\x00")
	b.addHeader("kid with a line feed", googlesession.ReasonMalformed, "kid", b.g.KeyID()+"\n")
	b.addHeader("kid that is not ASCII", googlesession.ReasonMalformed, "kid", b.g.KeyID()+"é")

	b.addHeader("crit names a claim", googlesession.ReasonMalformed, "crit", []string{"exp"})
	b.addHeader("crit is empty", googlesession.ReasonMalformed, "crit", []string{})
	b.addHeader("crit is null", googlesession.ReasonMalformed, "crit", nil)
	b.add("unencoded payload (RFC 7797)", googlesession.ReasonMalformed, func(d *Draft) {
		d.Header["b64"] = false
		d.Header["crit"] = []string{"b64"}
	})
}

// addOtherKinds adds tokens that are, or say that they are, of another kind
// than ID tokens. They are signed by Google's keys and are for this client.
func (b *badTokenList) addOtherKinds() {
	for _, typ := range []string{
		"secevent+jwt", "SecEvent+JWT", "application/secevent+jwt", "logout+jwt", "at+jwt", "dbsc+jwt",
	} {
		b.addHeader("typ "+typ, googlesession.ReasonMalformed, "typ", typ)
	}
	const revoked = `{"https://schemas.openid.net/secevent/risc/event-type/sessions-revoked":{}}`
	for _, events := range []string{revoked, "{}", "[]", "null", `""`} {
		b.addClaim("events claim "+events, googlesession.ReasonMalformed, "events", json.RawMessage(events))
	}
	b.addMalformed("security event token", b.g.SecurityEvent(googlesession.ChangeAccountDisabled, b.email))
	b.addMalformed("security event token of the Shared Signals Framework",
		b.g.Mint(b.g.EventDraft(googlesession.ChangeAccountDisabled, b.email).SSF()))
	b.add("security event token with all claims of an ID token", googlesession.ReasonMalformed, func(d *Draft) {
		maps.Copy(d.Claims, b.g.EventDraft(googlesession.ChangeAccountDisabled, b.email).Claims)
		d.Claims["iss"] = "https://accounts.google.com"
	})
	b.add("logout token", googlesession.ReasonMalformed, func(d *Draft) { // see OpenID Connect Back-Channel Logout 1.0
		d.Header["typ"] = "logout+jwt"
		delete(d.Claims, "nonce")
		d.Claims["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	})
}

// addAlgorithms adds tokens whose alg is missing, names another algorithm than
// RS256, or spells a name otherwise. The tokens with HS256, ES256, RS384, RS512
// and PS256 are signed with that algorithm. The others are signed with RS256.
func (b *badTokenList) addAlgorithms() {
	for _, alg := range []string{
		"none", "None", "NONE", "nOnE", "", "rs256", "Rs256", "RS256 ", " RS256", "RS256\x00", "RS256,none",
		"RS-256", "SHA256withRSA", "RS1", "ES256K", "ES384", "ES512", "EdDSA", "Ed25519", "RSA-OAEP", "dir",
	} {
		b.addHeader(fmt.Sprintf("alg %q", alg), googlesession.ReasonAlgorithm, "alg", alg)
	}
	b.add("no alg", googlesession.ReasonAlgorithm, func(d *Draft) { delete(d.Header, "alg") })

	for name, secret := range publicKeyTexts(b.newDraft()) {
		b.add("HS256, keyed with "+name, googlesession.ReasonAlgorithm, func(d *Draft) { d.HS256(secret) })
	}
	for _, size := range []int{1, 16, 31, 32, 33, 63, 64, 65, 128} {
		b.add(fmt.Sprintf("ES256, signature of %d bytes", size), googlesession.ReasonAlgorithm, func(d *Draft) { d.ES256(size) })
	}
	b.add("ES256, no signature", googlesession.ReasonMalformed, func(d *Draft) { d.ES256(0) })
	for _, scheme := range rsaSchemes {
		b.add("signed with "+scheme.alg, googlesession.ReasonAlgorithm, func(d *Draft) {
			d.Header["alg"] = scheme.alg
			d.signWith = func(input string) []byte { return scheme.sign(d.Key, input) }
		})
	}
}

// publicKeyTexts yields, by name, secrets that an attacker can know: encodings of
// Google's public key, its modulus, and the empty secret. A verifier that lets
// the token choose the algorithm might use one of them as the secret of HS256.
func publicKeyTexts(d *Draft) func(yield func(name string, secret []byte) bool) {
	public := &d.Key.PublicKey
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(fmt.Sprintf("googletest: encoding an RSA key: %v", err))
	}
	text := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	return func(yield func(string, []byte) bool) {
		_ = yield("the public key in PKIX DER", pkix) &&
			yield("the public key in PKIX PEM", text("PUBLIC KEY", pkix)) &&
			yield("the public key in PKIX PEM without its last line feed", []byte(strings.TrimSpace(string(text("PUBLIC KEY", pkix))))) &&
			yield("the public key in PKCS 1 DER", pkcs1) &&
			yield("the public key in PKCS 1 PEM", text("RSA PUBLIC KEY", pkcs1)) &&
			yield("the modulus", public.N.Bytes()) &&
			yield("the modulus as text", []byte(base64url(public.N.Bytes()))) &&
			yield("the empty secret", nil)
	}
}

// nestedArrays returns the JSON of depth arrays, each within another.
func nestedArrays(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}
