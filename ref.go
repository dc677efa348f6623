package googlesession

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// A Ref is the public handle of a session: what a cookie hashes to. It is safe
// to show, log and list; no cookie can be made from it. The zero Ref names
// nothing.
type Ref struct {
	Tag [12]byte // UserTag of the session's user
	ID  [32]byte // SHA-256 over the generation and the cookie's value
}

// refLen is the length of a Ref's text, and of a cookie's value: 44 bytes in
// unpadded base64url.
const refLen = 59

// String returns base64url(Tag || ID), 59 characters.
func (r Ref) String() string {
	return encode44(r.Tag, r.ID)
}

// ParseRef reads what [Ref.String] wrote, and nothing else.
func ParseRef(s string) (Ref, error) {
	b, ok := decode44(s)
	if !ok {
		return Ref{}, errors.New("googlesession: malformed session reference")
	}
	return Ref{Tag: [12]byte(b[:12]), ID: [32]byte(b[12:])}, nil
}

// UserTag is the part of a [Ref] that belongs to the user: the first 12 bytes of
// SHA-256("gs-tag/1\0" || userID). Stores find a user's sessions by it.
func UserTag(userID string) [12]byte {
	var buf [64]byte // on the stack for Google's user IDs, which have 21 digits
	sum := sha256.Sum256(append(append(buf[:0], "gs-tag/1\x00"...), userID...))
	return [12]byte(sum[:12])
}

// encode44 writes 12+32 bytes as 59 characters.
func encode44(tag [12]byte, rest [32]byte) string {
	var raw [44]byte
	copy(raw[:12], tag[:])
	copy(raw[12:], rest[:])
	var text [refLen]byte
	base64.RawURLEncoding.Encode(text[:], raw[:])
	return string(text[:])
}

// decode44 is strict: one spelling for each value. It is part of every request, and
// takes half the time of encoding/base64, whose Strict() moreover skips CR and LF.
func decode44(s string) (b [44]byte, ok bool) {
	if len(s) != refLen {
		return b, false
	}
	var all byte // what any character has in the upper two bits, none of base64url's has
	for i := range 14 {
		c0, c1, c2, c3 := sextets[s[4*i]], sextets[s[4*i+1]], sextets[s[4*i+2]], sextets[s[4*i+3]]
		all |= c0 | c1 | c2 | c3
		b[3*i], b[3*i+1], b[3*i+2] = c0<<2|c1>>4, c1<<4|c2>>2, c2<<6|c3
	}
	c0, c1, c2 := sextets[s[56]], sextets[s[57]], sextets[s[58]]
	all |= c0 | c1 | c2
	b[42], b[43] = c0<<2|c1>>4, c1<<4|c2>>2
	return b, all < 64 && c2&3 == 0 // the last two bits are of no byte
}

// sextets are the values of base64url's characters, and 255 for all others.
var sextets = func() (values [256]byte) {
	for i := range values {
		values[i] = 255
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		values[c] = byte(i)
	}
	return values
}()
