package googlesession

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A device-bound session needs two cookies. The session cookie is the credential, as always.
// The bound cookie is a stamp, which the browser gets for a few minutes when it proves that it
// holds a private key. A thief who has copied both cookies cannot renew the stamp. The protocol
// is Device Bound Session Credentials (W3C, https://w3c.github.io/webappsec-dbsc/).
//
//	handlers_binding.go  the two routes, by which a browser registers its key and proves it
//	binding_demand.go    which guards demand a bound session
//	binding_check.go     whether a request has proved that it comes from the browser
//	binding_offer.go     what a browser gets with a sign-in
//	binding_proof.go     the signature of a browser
//	binding.go           what a store keeps, and the stamps that are made from it
//
// A stamp is a MAC with a secret of the session, so that a renewal writes nothing, two renewals
// at the same time do not disturb each other, and a lost answer loses nothing. A reader of the
// store can make stamps and cannot make a session cookie.

// A binding is what Session.Binding holds of a session that has registered a key:
//
//	1 || state || since[6] || secret[16] || key[33]
//
// The key is a point of P-256 in compressed form (SEC 1, section 2.3.3).
type binding struct {
	state  bindingState
	since  time.Time // when the binding got its state, in whole milliseconds
	secret [16]byte  // the key of the MACs
	key    [33]byte
}

// A bindingState says whether requests have to prove that they come from the browser.
type bindingState byte

const (
	bindingWaiting  bindingState = 'w' // the browser has sent its key, and has not renewed the stamp yet
	bindingEnforced bindingState = 'e' // the browser has renewed the stamp, so it keeps the key
)

const (
	bindingVersion = 1
	bindingLen     = 1 + 1 + 6 + 16 + 33
)

// parseBinding is the inverse of text. It reports false for every other text, which a later
// version of the library may have written.
func parseBinding(s string) (b binding, ok bool) {
	if len(s) != bindingLen || s[0] != bindingVersion {
		return b, false
	}
	b.state, b.since = bindingState(s[1]), milliTime(s[2:8])
	copy(b.secret[:], s[8:24])
	copy(b.key[:], s[24:])
	return b, b.state == bindingWaiting || b.state == bindingEnforced
}

// text returns what the store keeps.
func (b binding) text() string {
	raw := make([]byte, 0, bindingLen)
	raw = append(raw, bindingVersion, byte(b.state))
	raw = appendMilli(raw, b.since)
	raw = append(raw, b.secret[:]...)
	return string(append(raw, b.key[:]...))
}

// shownBinding returns the part of a Binding that leaves the Manager, which is the version and
// the state, so that an application that prints a Session prints no secret. If no session has
// to prove anything, the result is empty.
func (m *Manager) shownBinding(s string) string {
	if m.cfg.DeviceBinding == BindNobody {
		return ""
	}
	return s[:min(len(s), 2)]
}

// Bound reports whether the session is bound to a key of its browser, so that a copy of its
// cookies stops working within minutes. A session is not bound before its browser has renewed
// its proof once. See [Config.DeviceBinding].
func (s Session) Bound() bool {
	return len(s.Binding) >= 2 && s.Binding[0] == bindingVersion && bindingState(s.Binding[1]) == bindingEnforced
}

// A stampKind keeps the value of the bound cookie and a challenge apart.
type stampKind byte

const (
	stampCookie    stampKind = 'b'
	stampChallenge stampKind = 'c'
)

const (
	macLen      = 24
	stampRawLen = 6 + macLen
	stampLen    = stampRawLen * 8 / 6 // of the text
)

// stamp returns the text that only the server can make for this session:
//
//	base64url(end[6] || HMAC-SHA256(secret, "gs-binding/1" || kind || ID || end)[:24])
func (b binding) stamp(kind stampKind, ref Ref, end time.Time) string {
	raw := appendMilli(make([]byte, 0, stampRawLen), end)
	mac := b.mac(kind, ref, raw)
	return base64.RawURLEncoding.EncodeToString(append(raw, mac[:]...))
}

// stampEnd returns when the stamp ends. It reports false if the server has not made the text as
// a stamp of this kind for this session. The caller compares the time.
func (b binding) stampEnd(kind stampKind, ref Ref, text string) (end time.Time, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != stampLen || len(raw) != stampRawLen {
		return end, false
	}
	mac := b.mac(kind, ref, raw[:6])
	if subtle.ConstantTimeCompare(raw[6:], mac[:]) != 1 {
		return end, false
	}
	return milliTime(raw[:6]), true
}

// mac returns the HMAC of a stamp (RFC 2104). A guard computes it for each request of a bound
// session, and with crypto/hmac that allocates ten times.
func (b binding) mac(kind stampKind, ref Ref, end []byte) [macLen]byte {
	var buf [2 * sha256.BlockSize]byte // long enough for both texts, so that append allocates nothing
	pad := b.padded(0x36)
	text := append(append(buf[:0], pad[:]...), "gs-binding/1"...)
	text = append(append(append(text, byte(kind)), ref.ID[:]...), end...)
	sum := sha256.Sum256(text)
	pad = b.padded(0x5c)
	sum = sha256.Sum256(append(append(buf[:0], pad[:]...), sum[:]...))
	return [macLen]byte(sum[:macLen])
}

// padded returns the key of the MACs as a block of SHA-256 that is combined with x.
func (b binding) padded(x byte) (block [sha256.BlockSize]byte) {
	copy(block[:], b.secret[:])
	for i := range block {
		block[i] ^= x
	}
	return block
}

// appendMilli appends the time in Unix milliseconds as six bytes, the most significant first.
func appendMilli(raw []byte, t time.Time) []byte {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
	return append(raw, ms[2:]...)
}

// milliTime is the inverse of appendMilli.
func milliTime[T string | []byte](raw T) time.Time {
	var ms [8]byte
	copy(ms[2:], raw)
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))) //nolint:gosec // 48 bits
}
