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

// headers are not what V-3 asks for.
func (b *badTokens) headers() {
	bytes := func(name string, change func(good string) string) {
		b.mint(name, googlesession.ReasonMalformed, func(d *Draft) {
			d.RawHeader = []byte(change(string(raw(nil, d.Header))))
		})
	}
	bytes("V-3 header is an array", func(good string) string { return "[" + good + "]" })
	bytes("V-3 header is a string", func(string) string { return `"RS256"` })
	bytes("V-3 header is null", func(string) string { return "null" })
	bytes("V-3 header is a number", func(string) string { return "256" })
	bytes("V-3 header is not JSON", func(string) string { return "alg=RS256" })
	bytes("V-3 header is cut off", func(good string) string { return good[:len(good)-1] })
	bytes("V-3 header and something behind it", func(good string) string { return good + "x" })
	bytes("V-3 header twice", func(good string) string { return good + good })
	bytes("V-3 header with a byte order mark", func(good string) string { return "\ufeff" + good })
	bytes("V-3 header with a comment", func(good string) string { return "/**/" + good })
	bytes("V-3 header with a comma too many", func(good string) string { return good[:len(good)-1] + ",}" })
	bytes("V-3 header that is not UTF-8", func(good string) string { return good[:len(good)-1] + `,"x":"` + "\xff" + `"}` })
	bytes("V-3 header nested 20 deep", func(good string) string { return good[:len(good)-1] + `,"x":` + nested(19) + "}" })
	bytes("V-3 header nested 1000 deep", func(good string) string { return good[:len(good)-1] + `,"x":` + nested(999) + "}" })

	twice := func(name string, place func(map[string]any, string) []byte, member string) {
		b.mint(name, googlesession.ReasonMalformed, func(d *Draft) { d.RawHeader = place(d.Header, member) })
	}
	twice("G-1 alg twice, none first", before, `"alg":"none"`)
	twice("G-1 alg twice, none last", after, `"alg":"none"`)
	twice("G-1 alg twice, the same", after, `"alg":"RS256"`)
	twice("G-16 alg twice, once escaped", after, `"\u0061lg":"RS256"`)
	twice("G-16 ALG beside alg", after, `"ALG":"RS256"`)
	twice("G-3 kid twice, a strange one first", before, `"kid":"strange"`)
	twice("G-3 kid twice, the same", after, member("kid", b.g.KeyID()))
	twice("G-16 KID beside kid", after, member("KID", b.g.KeyID()))
	twice("G-16 kid with a Kelvin sign beside kid", after, member("\u212aid", b.g.KeyID()))
	twice("G-16 typ twice", after, `"typ":"JWT"`)
	twice("G-16 Typ beside typ", after, `"Typ":"secevent+jwt"`)
	twice("G-16 unknown parameter twice", after, `"x":1,"x":2`)
	for _, parameter := range []string{"alg", "kid", "typ", "crit"} {
		b.mint("G-16 "+strings.ToUpper(parameter)+" instead of "+parameter, googlesession.ReasonMalformed, func(d *Draft) {
			d.Header[strings.ToUpper(parameter)] = d.Header[parameter]
			delete(d.Header, parameter)
		})
	}

	for _, value := range []string{"null", "true", "256", `["RS256"]`, `{"RS256":1}`} {
		b.header("V-3 alg is "+value, googlesession.ReasonMalformed, "alg", json.RawMessage(value))
		b.header("G-3 kid is "+value, googlesession.ReasonMalformed, "kid", json.RawMessage(value))
		b.header("V-3 typ is "+value, googlesession.ReasonMalformed, "typ", json.RawMessage(value))
	}
	b.mint("G-3 no kid", googlesession.ReasonMalformed, func(d *Draft) { delete(d.Header, "kid") })
	b.header("G-3 kid is empty", googlesession.ReasonMalformed, "kid", "")
	b.header("G-3 kid of 129 characters", googlesession.ReasonMalformed, "kid", strings.Repeat("a", 129))
	b.header("G-3 kid of 4000 characters", googlesession.ReasonMalformed, "kid", strings.Repeat("a", 4000))
	b.header("G-3 kid with a NUL", googlesession.ReasonMalformed, "kid", b.g.KeyID()+"\x00")
	b.header("G-3 kid with a line feed", googlesession.ReasonMalformed, "kid", b.g.KeyID()+"\n")
	b.header("G-3 kid that is not ASCII", googlesession.ReasonMalformed, "kid", b.g.KeyID()+"é")

	b.header("V-3 crit names a claim", googlesession.ReasonMalformed, "crit", []string{"exp"})
	b.header("V-3 crit is empty", googlesession.ReasonMalformed, "crit", []string{})
	b.header("V-3 crit is null", googlesession.ReasonMalformed, "crit", nil)
	b.mint("V-3 unencoded payload (RFC 7797)", googlesession.ReasonMalformed, func(d *Draft) {
		d.Header["b64"] = false
		d.Header["crit"] = []string{"b64"}
	})
}

// kinds are tokens of another kind, under the same keys and for the same client
// (V-18).
func (b *badTokens) kinds() {
	for _, typ := range []string{
		"secevent+jwt", "SecEvent+JWT", "application/secevent+jwt", "logout+jwt", "at+jwt", "dbsc+jwt",
	} {
		b.header("G-26 typ "+typ, googlesession.ReasonMalformed, "typ", typ)
	}
	const revoked = `{"https://schemas.openid.net/secevent/risc/event-type/sessions-revoked":{}}`
	for _, events := range []string{revoked, "{}", "[]", "null", `""`} {
		b.claim("G-26 an events claim: "+events, googlesession.ReasonMalformed, "events", json.RawMessage(events))
	}
	b.text("G-26 a security event token", b.g.SecurityEvent(googlesession.ChangeAccountDisabled, b.email))
	b.text("G-26 a security event token of the Shared Signals Framework",
		b.g.Mint(b.g.EventDraft(googlesession.ChangeAccountDisabled, b.email).SSF()))
	b.mint("G-26 a security event token with all that an ID token has", googlesession.ReasonMalformed, func(d *Draft) {
		maps.Copy(d.Claims, b.g.EventDraft(googlesession.ChangeAccountDisabled, b.email).Claims)
		d.Claims["iss"] = "https://accounts.google.com"
	})
	b.mint("G-26 a logout token", googlesession.ReasonMalformed, func(d *Draft) { // OpenID Connect Back-Channel Logout 1.0
		d.Header["typ"] = "logout+jwt"
		delete(d.Claims, "nonce")
		d.Claims["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	})
}

// algorithms are others than RS256, and spellings of it (G-1, G-2). What can be
// signed is signed.
func (b *badTokens) algorithms() {
	for _, alg := range []string{
		"none", "None", "NONE", "nOnE", "", "rs256", "Rs256", "RS256 ", " RS256", "RS256\x00", "RS256,none",
		"RS-256", "SHA256withRSA", "RS1", "ES256K", "ES384", "ES512", "EdDSA", "Ed25519", "RSA-OAEP", "dir",
	} {
		b.header(fmt.Sprintf("G-1 alg %q", alg), googlesession.ReasonAlgorithm, "alg", alg)
	}
	b.mint("V-3 no alg", googlesession.ReasonAlgorithm, func(d *Draft) { delete(d.Header, "alg") })

	for name, secret := range publicKeyTexts(b.draft()) {
		b.mint("G-1 HS256 keyed with "+name, googlesession.ReasonAlgorithm, func(d *Draft) { d.HS256(secret) })
	}
	for _, size := range []int{1, 16, 31, 32, 33, 63, 64, 65, 128} {
		b.mint(fmt.Sprintf("G-2 ES256, signature of %d bytes", size), googlesession.ReasonAlgorithm, func(d *Draft) { d.ES256(size) })
	}
	b.mint("G-2 ES256, no signature", googlesession.ReasonMalformed, func(d *Draft) { d.ES256(0) })
	for _, scheme := range rsaSchemes {
		b.mint("G-1 "+scheme.alg, googlesession.ReasonAlgorithm, func(d *Draft) {
			d.Header["alg"] = scheme.alg
			d.sign = func(input string) []byte { return scheme.sign(d.Key, input) }
		})
	}
}

// publicKeyTexts are encodings of Google's public key, which everybody knows: a
// verifier that lets the token choose the algorithm takes one for a secret.
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
		_ = yield("the public key, PKIX DER", pkix) &&
			yield("the public key, PKIX PEM", text("PUBLIC KEY", pkix)) &&
			yield("the public key, PKIX PEM without its last line feed", []byte(strings.TrimSpace(string(text("PUBLIC KEY", pkix))))) &&
			yield("the public key, PKCS 1 DER", pkcs1) &&
			yield("the public key, PKCS 1 PEM", text("RSA PUBLIC KEY", pkcs1)) &&
			yield("the modulus", public.N.Bytes()) &&
			yield("the modulus as text", []byte(encode(public.N.Bytes()))) &&
			yield("nothing", nil)
	}
}

// nested is that many arrays in one another.
func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}
