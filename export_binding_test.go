package googlesession

import (
	"errors"
	"time"
)

// ReadProof reads a proof, and returns its challenge and whether it is signed with the key that
// it brings. The reason is that of the refusal, or "".
func ReadProof(text string) (challenge string, signed bool, reason string) {
	p, err := parseProof(text)
	if err != nil {
		reason, _ := errors.AsType[bindError](err)
		return "", false, string(reason)
	}
	return p.challenge, p.key != nil && p.signedBy(p.key), ""
}

// SignedBy reports whether a proof is signed with the key that another proof brings, after that
// key was kept in a binding.
func SignedBy(text, registration string) bool {
	p, err := parseProof(text)
	r, registrationErr := parseProof(registration)
	return err == nil && registrationErr == nil && p.signedBy(expandKey(compressKey(r.key)))
}

// NewBindingText returns a binding with these secret bytes, as a store keeps it.
func NewBindingText(state byte, since time.Time, secret [16]byte, key [33]byte) string {
	return binding{bindingState(state), since, secret, key}.text()
}

// BindingText reads a binding and writes it again.
func BindingText(text string) (string, bool) {
	b, ok := parseBinding(text)
	return b.text(), ok
}

// Stamp returns the stamp of a kind, 'b' or 'c'.
func Stamp(bindingText string, kind byte, ref Ref, end time.Time) string {
	b, _ := parseBinding(bindingText)
	return b.stamp(stampKind(kind), ref, end)
}

// StampEnd checks a stamp.
func StampEnd(bindingText string, kind byte, ref Ref, text string) (time.Time, bool) {
	b, _ := parseBinding(bindingText)
	return b.stampEnd(stampKind(kind), ref, text)
}

// OfferHash returns the part of a session cookie's random bytes that belongs to an offer.
var OfferHash = offerHash
