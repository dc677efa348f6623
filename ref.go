package googlesession

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// The value of a session cookie and the text of a Ref have the same form, 12 and 32 bytes in
// base64url without padding, which is 59 characters:
//
//	cookie  tag || random    32 bytes of crypto/rand, or 28 bytes and rememberMark
//	Ref     tag || hash      SHA-256 of idSalt and the cookie's value
//
// The tag is the first part of a hash of the user ID. It is in the cookie, so that a
// store can keep the data of a user in one place, such as one slot of a Redis Cluster,
// and find the place without another call. It is a hash, so that a cookie does not show
// which user it belongs to. The format must not change, because stores hold references
// for as long as sessions live.

// A Ref is the reference of a session, which is the hash of its cookie. It may be shown,
// logged and listed, because the cookie's value cannot be found from it. The zero Ref does
// not name a session.
type Ref struct {
	Tag [12]byte // UserTag of the session's user
	ID  [32]byte // SHA-256 of the cookie's value, Config.Generation and Config.CookieSuffix
}

// String returns base64url(Tag || ID) without padding, which has 59 characters.
func (r Ref) String() string { return encodeParts(r.Tag, r.ID) }

// ParseRef is the inverse of [Ref.String]. It returns an error for every other text.
func ParseRef(s string) (Ref, error) {
	tag, id, ok := decodeParts(s)
	if !ok {
		return Ref{}, errors.New("googlesession: malformed session reference")
	}
	return Ref{Tag: tag, ID: id}, nil
}

// PublicID returns the first 16 bytes of ID. It is the [Session.PublicID] of a session that
// did not begin with a re-authentication.
func (r Ref) PublicID() PublicID { return PublicID(r.ID[:16]) }

// A PublicID names a session in lists, events and the application's own tables. It stays the
// same when the user re-authenticates. It may be shown and logged, because the cookie's value
// cannot be found from it. The zero PublicID does not name a session.
type PublicID [16]byte

// String returns the ID in base64url without padding, which has 22 characters.
func (id PublicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// ParsePublicID is the inverse of [PublicID.String]. It returns an error for every other text.
func ParsePublicID(s string) (PublicID, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != len(PublicID{}) || len(s) != base64.RawURLEncoding.EncodedLen(len(raw)) {
		return PublicID{}, errors.New("googlesession: malformed public session ID")
	}
	return PublicID(raw), nil
}

// UserTag returns the part of a [Ref] that all sessions of a user have in common. It is the
// first 12 bytes of SHA-256("gs-tag/1\0" || userID). Stores find a user's sessions by it.
func UserTag(userID string) [12]byte {
	var buf [64]byte // long enough for Google's user IDs of 21 digits, so that append allocates nothing
	sum := sha256.Sum256(append(append(buf[:0], "gs-tag/1\x00"...), userID...))
	return [12]byte(sum[:12])
}

// rememberMark is the end of the cookie's value, before it is encoded in base64url, if the
// user asked to be remembered ([SignIn.Remember]). A re-authentication reads the mark, so
// that a remembered session stays remembered. The mark is in the cookie, because stores
// keep durations and not the reason for them. A client that changes the mark changes the
// Ref, so its session is not found. The value still has 28 random bytes. Without the wish
// to be remembered, the random bytes end in the mark once in four billion times.
const rememberMark = "keep"

// The hash of an offer among the random bytes of a session cookie (binding_offer.go).
const (
	offerAt      = 16
	offerHashLen = 12
)

// newToken returns a new value for the session cookie of this user, and its Ref. The value
// is base64url(UserTag || 32 random bytes). If remember is true, rememberMark replaces the
// last four bytes. offer is the hash of the offer that goes with a cookie, or nil; it replaces 12
// bytes in the middle. At least 16 bytes are random in every case.
func (m *Manager) newToken(userID string, remember bool, offer []byte) (token string, ref Ref) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // rand.Read never fails
	copy(random[offerAt:], offer)
	if remember {
		copy(random[len(random)-len(rememberMark):], rememberMark)
	}
	tag := UserTag(userID)
	token = encodeParts(tag, random)
	return token, Ref{Tag: tag, ID: hashToken(m.idSalt, token)}
}

// refOf returns the Ref of a session cookie's value. It reports false for a value that
// newToken cannot have written, so that no store is asked about it.
func (m *Manager) refOf(token string) (Ref, bool) {
	tag, _, ok := decodeParts(token)
	if !ok {
		return Ref{}, false
	}
	return Ref{Tag: tag, ID: hashToken(m.idSalt, token)}, true
}

// isRemembered reports whether the value of a session cookie ends in rememberMark.
func isRemembered(token string) bool {
	_, random, ok := decodeParts(token)
	return ok && string(random[len(random)-len(rememberMark):]) == rememberMark
}

// idSalt returns what is hashed before the value of a session cookie:
//
//	"gs-id/1\0" || generation || "\0"                      without Config.CookieSuffix
//	"gs-id/2\0" || suffix || "\0" || generation || "\0"    with it
//
// Two configurations that differ in the suffix or the generation have different salts,
// because neither text contains NUL. A client may rename a cookie to the name of another
// application's cookie. Its value is then hashed to a Ref that no session has, even if both
// applications share a store. Without a suffix the salt is that of earlier versions of the
// library, so their sessions stay live.
func idSalt(c *Config) []byte {
	if c.CookieSuffix == "" {
		return []byte("gs-id/1\x00" + c.Generation + "\x00")
	}
	return []byte("gs-id/2\x00" + c.CookieSuffix + "\x00" + c.Generation + "\x00")
}

// tokenSalt returns what is hashed before the value of a bearer token:
//
//	"gs-id/3\0" || suffix || "\0" || generation || "\0"
func tokenSalt(c *Config) []byte {
	return []byte("gs-id/3\x00" + c.CookieSuffix + "\x00" + c.Generation + "\x00")
}

// hashToken returns SHA-256(salt || token). The hash covers the tag too, so a cookie with
// a changed tag names a session that does not exist.
func hashToken(salt []byte, token string) [32]byte {
	var buf [160]byte // append allocates only if the generation is long
	return sha256.Sum256(append(append(buf[:0], salt...), token...))
}

const (
	partsLen = 12 + 32

	// refLen is the length of a Ref's text and of a session cookie's value.
	refLen = (partsLen*8 + 5) / 6
)

// encodeParts returns the 44 bytes of both parts in base64url without padding.
func encodeParts(tag [12]byte, rest [32]byte) string {
	var raw [partsLen]byte
	copy(raw[:12], tag[:])
	copy(raw[12:], rest[:])
	var text [refLen]byte
	base64.RawURLEncoding.Encode(text[:], raw[:])
	return string(text[:])
}

// decodeParts is the inverse of encodeParts. It accepts one spelling of each value, because
// Strict refuses set bits after the last byte, and because a text of refLen characters in
// which the decoder skips a line break has fewer than 44 bytes.
func decodeParts(s string) (tag [12]byte, rest [32]byte, ok bool) {
	if len(s) != refLen {
		return tag, rest, false
	}
	var raw [partsLen]byte
	var text [refLen]byte // []byte(s) would be on the heap
	copy(text[:], s)
	n, err := base64.RawURLEncoding.Strict().Decode(raw[:], text[:])
	if err != nil || n != partsLen {
		return tag, rest, false
	}
	return [12]byte(raw[:12]), [32]byte(raw[12:]), true
}
