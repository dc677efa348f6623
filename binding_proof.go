package googlesession

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/googlesession/googlesession/internal/strictjson"
)

// maxProof is how many bytes the text of a proof may have. A proof with a key has some 420.
const maxProof = 2 << 10

// maxProofDepth is how deeply the objects of a proof may be nested. The key is the second level.
const maxProofDepth = 4

// A bindError is the reason why a browser's proof was refused. Its text is the Reason of
// EventBindRefused.
type bindError string

const (
	errProofShape     bindError = "shape"     // the request does not have exactly one well-formed proof
	errProofAlgorithm bindError = "algorithm" // the proof is signed with another algorithm than ES256
	errProofKey       bindError = "key"       // a registration has no key of P-256, or a refresh has a key
	errProofSignature bindError = "signature" // the proof is not signed with the key
	errOffer          bindError = "offer"     // the proof is for another sign-in, or comes too late
	errBoundTwice     bindError = "twice"     // the session has a key already
)

func (e bindError) Error() string { return "googlesession: device binding refused: " + string(e) }

// A proof is a signed text by which a browser shows that it holds a private key. It is a JSON
// Web Token (RFC 7519) in which the claim jti is the challenge (DBSC, section 8.6).
type proof struct {
	challenge string
	key       []byte   // the public key in uncompressed form (SEC 1); nil if the proof does not bring one
	signed    [32]byte // the hash of the signed text
	signature [64]byte // r || s (RFC 7518, section 3.4)
}

// parseProof reads a proof strictly, so that it can be understood in one way only. It does not
// check the signature. Unknown header parameters and claims are ignored, because browsers have
// added and removed some.
func parseProof(text string) (p proof, err error) {
	if len(text) > maxProof {
		return p, errProofShape
	}
	head, rest, _ := strings.Cut(text, ".")
	payload, signature, found := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if !found || err != nil || strings.ContainsAny(text, "\r\n") {
		return p, errProofShape
	}
	header, err := parseProofPart(head)
	if err != nil {
		return p, err
	}
	claims, err := parseProofPart(payload)
	if err != nil {
		return p, err
	}
	challenge, ok, err := claims.String("jti")
	if typ, _, typErr := header.String("typ"); err != nil || !ok || typErr != nil || typ != "dbsc+jwt" {
		return p, errProofShape
	}
	if alg, _, err := header.String("alg"); err != nil || alg != "ES256" {
		return p, errProofAlgorithm
	}
	if len(raw) != len(p.signature) {
		return p, errProofSignature
	}
	p.challenge, p.signature = challenge, [64]byte(raw)
	p.signed = sha256.Sum256([]byte(text[:len(head)+1+len(payload)]))
	p.key, err = parseProofKey(header)
	return p, err
}

func parseProofPart(text string) (strictjson.Members, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return strictjson.Members{}, errProofShape
	}
	members, err := strictjson.Object(raw, maxProofDepth)
	if err != nil {
		return strictjson.Members{}, errProofShape
	}
	return members, nil
}

// parseProofKey returns the public key in the header of a registration (RFC 7517), or nil if the
// header has none.
func parseProofKey(header strictjson.Members) ([]byte, error) {
	jwk, ok, err := header.Object("jwk")
	if err != nil {
		return nil, errProofKey
	}
	if !ok {
		return nil, nil
	}
	key := []byte{4} // uncompressed
	for _, member := range []struct{ name, want string }{{"kty", "EC"}, {"crv", "P-256"}, {"x", ""}, {"y", ""}} {
		value, _, err := jwk.String(member.name)
		if err != nil || member.want != "" && value != member.want {
			return nil, errProofKey
		}
		if member.want != "" {
			continue
		}
		coordinate, err := base64.RawURLEncoding.Strict().DecodeString(value)
		if err != nil || len(coordinate) != 32 || strings.ContainsAny(value, "\r\n") {
			return nil, errProofKey
		}
		key = append(key, coordinate...)
	}
	if _, private, err := jwk.Member("d"); private || err != nil {
		return nil, errProofKey // a private key that has left the browser proves nothing
	}
	if _, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key); err != nil {
		return nil, errProofKey // not a point of the curve
	}
	return key, nil
}

// signedBy reports whether the proof is signed with the private key that belongs to this public
// key, in uncompressed form.
func (p *proof) signedBy(key []byte) bool {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return false
	}
	r, s := new(big.Int).SetBytes(p.signature[:32]), new(big.Int).SetBytes(p.signature[32:])
	return ecdsa.Verify(public, p.signed[:], r, s)
}

// compressKey returns the compressed form of a public key in uncompressed form.
func compressKey(key []byte) (compressed [33]byte) {
	compressed[0] = 2 | key[64]&1
	copy(compressed[1:], key[1:33])
	return compressed
}

// expandKey is the inverse of compressKey. It returns nil for 33 bytes that are not a key.
func expandKey(compressed [33]byte) []byte {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), compressed[:])
	if x == nil {
		return nil
	}
	key := make([]byte, 65)
	key[0] = 4
	x.FillBytes(key[1:33])
	y.FillBytes(key[33:])
	return key
}
