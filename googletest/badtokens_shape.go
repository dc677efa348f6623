package googletest

import (
	"fmt"
	"strings"

	"github.com/googlesession/googlesession"
)

// These are the lengths, in bytes, of the longest ID token and the longest
// security event token that a verifier reads.
const (
	maxToken      = 8 << 10
	maxEventToken = 16 << 10
)

// addShapes adds tokens that are too long or do not have three segments, and
// texts that are not tokens.
func (b *badTokenList) addShapes() {
	good := b.g.Mint(b.newDraft())
	parts := strings.Split(good, ".")
	header, payload, signature := parts[0], parts[1], parts[2]

	b.addMalformed("empty text", "")
	b.addMalformed(fmt.Sprintf("one byte longer than %d KiB", b.maxLength>>10), b.tokenOfLength(b.maxLength+1))
	b.addMalformed("token of 64 KiB", b.tokenOfLength(64<<10))
	b.addMalformed("64 KiB of dots", strings.Repeat(".", 64<<10))
	b.addMalformed("64 KiB without a dot", strings.Repeat("A", 64<<10))
	b.addMalformed("an access token", "ya29.a0AfB_"+signature[:200])
	b.addMalformed("an authorization code", "4/0AX4Xf"+signature[:60])
	b.addMalformed("token with its authorization scheme", "Bearer "+good)
	b.addMalformed("token in quotes", `"`+good+`"`)

	b.addMalformed("one segment", payload)
	b.addMalformed("two segments", header+"."+payload)
	b.addMalformed("two dots and nothing else", "..")
	b.addMalformed("dot before the token", "."+good)
	b.addMalformed("dot after the token", good+".")
	b.addMalformed("four segments", good+".e30")
	b.addMalformed("five segments, as in JWE", good+"."+signature[:22]+"."+signature[:22])
	b.addMalformed("empty header", b.newDraft().sign("", payload))
	b.addMalformed("empty payload", b.newDraft().sign(header, ""))
	b.addMalformed("empty signature", header+"."+payload+".")
	b.addMalformed("percent-encoded dots", strings.ReplaceAll(good, ".", "%2E"))
	b.addMalformed("JSON serialization, flattened",
		`{"protected":"`+header+`","payload":"`+payload+`","signature":"`+signature+`"}`)
	b.addMalformed("JSON serialization, general",
		`{"payload":"`+payload+`","signatures":[{"protected":"`+header+`","signature":"`+signature+`"}]}`)
	b.addMalformed("tab instead of a dot", header+"\t"+payload+"."+signature)
	b.add("alg none and no signature", googlesession.ReasonMalformed, func(d *Draft) { d.Unsigned() })
	b.add("token inside a token", googlesession.ReasonMalformed, func(d *Draft) {
		d.Header["cty"] = "JWT"
		d.RawPayload = []byte(good)
	})
}

// tokenOfLength returns a signed token of exactly length bytes.
func (b *badTokenList) tokenOfLength(length int) string {
	// A base64 text never has a length of 1 modulo 4, so not every header
	// leaves room for a payload of the right length. One of three headers
	// does if their lengths differ by a byte.
	for extra := range 3 {
		d := b.newDraft()
		d.Header["x"] = strings.Repeat("x", extra)
		d.Claims["x"] = ""
		missing := length - len(b.g.Mint(d))
		for fill := missing * 3 / 4; fill <= missing*3/4+3; fill++ {
			d.Claims["x"] = strings.Repeat("x", fill)
			if token := b.g.Mint(d); len(token) == length {
				return token
			}
		}
	}
	panic("googletest: no token has this length") // unreachable
}

// addSpellings adds tokens whose base64 text is not the canonical text of its bytes. A
// token must have only one text, but base64 decoders are tolerant. The signature is made
// for the header and payload as they are spelled, so it does not reveal the spelling.
func (b *badTokenList) addSpellings() {
	for _, spelling := range []struct {
		name   string
		change func(segment string) string
	}{
		{"a line feed inside", func(s string) string { return s[:8] + "\n" + s[8:] }},
		{"a carriage return inside", func(s string) string { return s[:8] + "\r" + s[8:] }},
		{"a leading line feed", func(s string) string { return "\n" + s }},
		{"a trailing CR LF", func(s string) string { return s + "\r\n" }},
		{"a blank inside", func(s string) string { return s[:8] + " " + s[8:] }},
		{"a leading blank", func(s string) string { return " " + s }},
		{"a trailing tab", func(s string) string { return s + "\t" }},
		{"a trailing NUL", func(s string) string { return s + "\x00" }},
		{"a letter that is not ASCII", func(s string) string { return s + "é" }},
		{"a full-width letter", func(s string) string { return s + "Ａ" }},
		{"a byte that is not UTF-8", func(s string) string { return s + "\xff" }},
		{"a question mark inside", func(s string) string { return s[:8] + "?" + s[8:] }},
		{"padding", func(s string) string { return s + strings.Repeat("=", 4-len(s)%4) }},
		{"padding inside", func(s string) string { return s[:8] + "====" + s[8:] }},
		{"the standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace},
		{"other trailing bits", trailingBits},
		{"an impossible length", func(s string) string { return s + strings.Repeat("A", (5-len(s)%4)%4) }},
	} {
		d, header, payload, signature := b.respellable()
		b.addMalformed("header with "+spelling.name, d.sign(spelling.change(header), payload))
		b.addMalformed("payload with "+spelling.name, d.sign(header, spelling.change(payload)))
		b.addMalformed("signature with "+spelling.name, header+"."+payload+"."+spelling.change(signature))
	}
}

// respellable returns a good token in which each segment can be spelled in
// other ways. Each segment has a character that differs between the two
// base64 alphabets, and has bits at its end that belong to no byte.
func (b *badTokenList) respellable() (d *Draft, header, payload, signature string) {
	for {
		d = b.newDraft() // each draft has another jti, so another signature
		for fill := "???~~~"; ; fill += "?" {
			d.Header["x"] = fill
			if header = base64url(jsonObject(d.Header)); len(header)%4 != 0 {
				break
			}
		}
		for fill := "???~~~"; ; fill += "?" {
			d.Claims["x"] = fill
			if payload = base64url(jsonObject(d.Claims)); len(payload)%4 != 0 {
				break
			}
		}
		signature = strings.TrimPrefix(d.sign(header, payload), header+"."+payload+".")
		if strings.ContainsAny(signature, "-_") { // 2 signatures in 100 000 have neither
			return d, header, payload, signature
		}
	}
}

// trailingBits sets the last bit of s. The bit belongs to no byte, so base64
// decoders ignore it.
func trailingBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + alphabet[last|1:][:1]
}
