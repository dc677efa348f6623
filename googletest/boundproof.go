package googletest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// newBoundKey returns a key for a device-bound session.
func newBoundKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err)) // unreachable, because crypto/rand returns no error
	}
	return key
}

// signChallenge returns the JWT that proves possession of signer. The header of the proof for
// a registration has the public key of registered. For a refresh, registered is nil.
func signChallenge(signer, registered *ecdsa.PrivateKey, challenge, authorization string) string {
	header := map[string]any{"alg": "ES256", "typ": "dbsc+jwt"}
	if registered != nil {
		point, err := registered.PublicKey.Bytes() // a byte 4, then X and Y
		if err != nil {
			panic(fmt.Sprintf("googletest: %v", err)) // unreachable, because the curve is P-256
		}
		header["jwk"] = map[string]any{"kty": "EC", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:])}
	}
	payload := map[string]any{"jti": challenge}
	if authorization != "" {
		payload["authorization"] = authorization
	}

	signed := base64url(jsonObject(header)) + "." + base64url(jsonObject(payload))
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, signer, digest[:])
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err)) // unreachable for a key of newBoundKey
	}
	var signature [64]byte // JWS has R and S and not ASN.1 (RFC 7518, section 3.4)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64url(signature[:])
}

// A headerItem is a member of a list in a header (RFC 9651, section 3.1).
type headerItem struct {
	values []string          // the value of an item, or those of an inner list
	params map[string]string // strings and tokens, without their quotes
}

// parseHeaderList parses the fields of a header that is a list of strings, tokens and inner
// lists of them. If they cannot be parsed, it returns false, and a browser ignores the header.
func parseHeaderList(fields []string) ([]headerItem, bool) {
	p := headerParser{rest: strings.Trim(strings.Join(fields, ", "), " \t"), ok: true}
	var items []headerItem
	for p.ok && p.rest != "" {
		item := headerItem{params: make(map[string]string)}
		if p.skip("(") {
			for p.spaces(); p.ok && !p.skip(")"); p.spaces() {
				item.values = append(item.values, p.value())
			}
		} else {
			item.values = append(item.values, p.value())
		}
		for p.ok && p.skip(";") {
			p.spaces()
			name := p.value()
			item.params[name] = ""
			if p.skip("=") {
				item.params[name] = p.value()
			}
		}
		items = append(items, item)
		if p.spaces(); p.rest == "" {
			break
		}
		p.ok = p.ok && p.skip(",")
		p.spaces()
		p.ok = p.ok && p.rest != "" // a comma at the end is an error
	}
	return items, p.ok
}

// A headerParser reads a header from its left to its right end. After the first error, ok is
// false.
type headerParser struct {
	rest string
	ok   bool
}

// skip skips a prefix and reports whether it was there.
func (p *headerParser) skip(prefix string) bool {
	rest, found := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return found
}

func (p *headerParser) spaces() { p.rest = strings.TrimLeft(p.rest, " \t") }

// value returns the string, token or key at the left end.
func (p *headerParser) value() string {
	if !p.skip(`"`) {
		end := strings.IndexAny(p.rest, " \t\"(),;=")
		if end < 0 {
			end = len(p.rest)
		}
		token := p.rest[:end]
		p.rest = p.rest[end:]
		p.ok = p.ok && token != ""
		return token
	}
	var text []byte
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return string(text)
		case c == '\\' && i+1 < len(p.rest) && slices.Contains([]byte(`"\`), p.rest[i+1]):
			i++
			text = append(text, p.rest[i])
		case c == '\\' || c < ' ' || c > '~':
			p.ok = false
			return ""
		default:
			text = append(text, c)
		}
	}
	p.ok = false // the string does not end
	return ""
}
