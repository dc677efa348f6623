package googletest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"sync"
)

// Making an RSA key takes a tenth of a second or more, so a process makes each
// of these once, when it is first needed. What a Google has of its own is the
// key IDs: a verifier that mixes up the keys of two Googles is found out.
var (
	// signingKeys are what Google signs with, one after the other.
	signingKeys = [...]func() *rsa.PrivateKey{
		sync.OnceValue(newRSAKey), sync.OnceValue(newRSAKey), sync.OnceValue(newRSAKey),
	}
	// forgerKey is an attacker's: no Google publishes it.
	forgerKey = sync.OnceValue(newRSAKey)
	// iapKey is what idtoken would check an ES256 token with.
	iapKey = sync.OnceValue(newECKey)
)

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("googletest: making an RSA key: %v", err))
	}
	return key
}

func newECKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("googletest: making an EC key: %v", err))
	}
	return key
}

// A publishedKey is an entry of Google's key set.
type publishedKey struct {
	kid string
	key func() *rsa.PrivateKey
}

// jwk is the key as Google publishes it (RFC 7517).
func (k publishedKey) jwk() map[string]any {
	public := k.key().PublicKey
	return map[string]any{
		"kid": k.kid,
		"kty": "RSA",
		"alg": "RS256",
		"use": "sig",
		"n":   base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e":   base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}
}

// iapJWK is the key set entry of Google's Identity-Aware Proxy.
func iapJWK(kid string) map[string]any {
	point, err := iapKey().PublicKey.Bytes()
	if err != nil {
		panic(fmt.Sprintf("googletest: encoding an EC key: %v", err))
	}
	return map[string]any{ // the point is 4 || X || Y, 32 bytes each
		"kid": kid,
		"kty": "EC",
		"alg": "ES256",
		"use": "sig",
		"crv": "P-256",
		"x":   base64.RawURLEncoding.EncodeToString(point[1:33]),
		"y":   base64.RawURLEncoding.EncodeToString(point[33:]),
	}
}

// newKeyID makes 40 hexadecimal digits, as Google's key IDs are.
func newKeyID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
