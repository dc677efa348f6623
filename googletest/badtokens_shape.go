package googletest

import (
	"fmt"
	"strings"

	"github.com/googlesession/googlesession"
)

// What a verifier looks at, in bytes (V-1).
const (
	maxToken      = 8 << 10
	maxEventToken = 16 << 10
)

// shapes are not three segments, or too long.
func (b *badTokens) shapes() {
	good := b.g.Mint(b.draft())
	parts := strings.Split(good, ".")
	header, payload, signature := parts[0], parts[1], parts[2]

	b.text("V-1 nothing", "")
	b.text(fmt.Sprintf("V-1 one byte longer than %d KiB", b.longest>>10), b.long(b.longest+1))
	b.text("V-1 64 KiB long", b.long(64<<10))
	b.text("V-1 64 KiB of dots", strings.Repeat(".", 64<<10))
	b.text("V-1 64 KiB without a dot", strings.Repeat("A", 64<<10))
	b.text("V-1 an access token", "ya29.a0AfB_"+signature[:200])
	b.text("V-1 an authorization code", "4/0AX4Xf"+signature[:60])
	b.text("V-1 with its authorization scheme", "Bearer "+good)
	b.text("V-1 in quotes", `"`+good+`"`)

	b.text("G-17 one segment", payload)
	b.text("G-17 two segments", header+"."+payload)
	b.text("G-17 two dots and nothing else", "..")
	b.text("G-17 dot in front", "."+good)
	b.text("G-17 dot behind", good+".")
	b.text("G-17 four segments", good+".e30")
	b.text("G-17 five segments, as in JWE", good+"."+signature[:22]+"."+signature[:22])
	b.text("G-17 empty header", b.draft().signed("", payload))
	b.text("G-17 empty payload", b.draft().signed(header, ""))
	b.text("G-17 empty signature", header+"."+payload+".")
	b.text("G-17 percent-encoded dots", strings.ReplaceAll(good, ".", "%2E"))
	b.text("G-17 JSON serialization, flattened",
		`{"protected":"`+header+`","payload":"`+payload+`","signature":"`+signature+`"}`)
	b.text("G-17 JSON serialization, general",
		`{"payload":"`+payload+`","signatures":[{"protected":"`+header+`","signature":"`+signature+`"}]}`)
	b.text("G-17 tab instead of a dot", header+"\t"+payload+"."+signature)
	b.mint("G-17 unsecured: alg none, no signature", googlesession.ReasonMalformed, func(d *Draft) { d.Unsigned() })
	b.mint("G-17 nested: a token inside a token", googlesession.ReasonMalformed, func(d *Draft) {
		d.Header["cty"] = "JWT"
		d.RawPayload = []byte(good)
	})
}

// long returns a signed token of exactly this length.
func (b *badTokens) long(length int) string {
	for extra := range 3 { // no base64 text has a length of 1 modulo 4
		d := b.draft()
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
	panic("googletest: no token has this length") // one of three headers leads there
}

// spellings say the same bytes in other words: one token must have one text
// (V-2), and base64 readers are tolerant. Header and payload are signed as they
// are spelled, so it is not the signature that gives them away.
func (b *badTokens) spellings() {
	for _, spelling := range []struct {
		name   string
		change func(segment string) string
	}{
		{"a line feed inside", func(s string) string { return s[:8] + "\n" + s[8:] }},
		{"a carriage return inside", func(s string) string { return s[:8] + "\r" + s[8:] }},
		{"a line feed in front", func(s string) string { return "\n" + s }},
		{"CR LF behind", func(s string) string { return s + "\r\n" }},
		{"a blank inside", func(s string) string { return s[:8] + " " + s[8:] }},
		{"a blank in front", func(s string) string { return " " + s }},
		{"a tab behind", func(s string) string { return s + "\t" }},
		{"a NUL behind", func(s string) string { return s + "\x00" }},
		{"a letter that is not ASCII", func(s string) string { return s + "é" }},
		{"a full-width letter", func(s string) string { return s + "Ａ" }},
		{"a byte that is not UTF-8", func(s string) string { return s + "\xff" }},
		{"a question mark inside", func(s string) string { return s[:8] + "?" + s[8:] }},
		{"padding", func(s string) string { return s + strings.Repeat("=", 4-len(s)%4) }},
		{"padding inside", func(s string) string { return s[:8] + "====" + s[8:] }},
		{"the standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace},
		{"other trailing bits", trailingBits},
		{"a length that no bytes have", func(s string) string { return s + strings.Repeat("A", (5-len(s)%4)%4) }},
	} {
		d, header, payload, signature := b.spellable()
		b.text("G-18 header with "+spelling.name, d.signed(spelling.change(header), payload))
		b.text("G-18 payload with "+spelling.name, d.signed(header, spelling.change(payload)))
		b.text("G-18 signature with "+spelling.name, header+"."+payload+"."+spelling.change(signature))
	}
}

// spellable returns a good token whose segments have another spelling: each has
// a character that the two alphabets differ in, and bits that belong to no byte.
func (b *badTokens) spellable() (d *Draft, header, payload, signature string) {
	for {
		d = b.draft() // with another jti, hence another signature
		for fill := "???~~~"; ; fill += "?" {
			d.Header["x"] = fill
			if header = encode(raw(nil, d.Header)); len(header)%4 != 0 {
				break
			}
		}
		for fill := "???~~~"; ; fill += "?" {
			d.Claims["x"] = fill
			if payload = encode(raw(nil, d.Claims)); len(payload)%4 != 0 {
				break
			}
		}
		signature = strings.TrimPrefix(d.signed(header, payload), header+"."+payload+".")
		if strings.ContainsAny(signature, "-_") { // but for 2 in 100 000
			return d, header, payload, signature
		}
	}
}

// trailingBits sets a bit of the last character that decoders throw away.
func trailingBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + alphabet[last|1:][:1]
}
