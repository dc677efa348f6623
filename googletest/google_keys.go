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

// These functions return keys. Each makes its key once per process, at the first call,
// because an RSA key takes a tenth of a second or more. All Googles share the keys but
// have key IDs of their own, so a verifier that confuses the keys of two Googles fails.
var (
	// signingKeys are for Google's tokens. Each Rotate takes the next of
	// them, and the first again after the last.
	signingKeys = [...]func() *rsa.PrivateKey{
		sync.OnceValue(newRSAKey), sync.OnceValue(newRSAKey), sync.OnceValue(newRSAKey),
	}
	// forgerKey returns an attacker's key. A Google never publishes it.
	forgerKey = sync.OnceValue(newRSAKey)
	// iapKey returns the key at IAPCertsURL, which package idtoken uses for
	// a token with ES256.
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

// jwk returns the JSON Web Key as Google publishes it (RFC 7517).
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

// iapJWK returns the JSON Web Key of Google's Identity-Aware Proxy.
func iapJWK(kid string) map[string]any {
	point, err := iapKey().PublicKey.Bytes()
	if err != nil {
		panic(fmt.Sprintf("googletest: encoding an EC key: %v", err))
	}
	return map[string]any{ // point is the byte 4, then 32 bytes X and 32 bytes Y
		"kid": kid,
		"kty": "EC",
		"alg": "ES256",
		"use": "sig",
		"crv": "P-256",
		"x":   base64.RawURLEncoding.EncodeToString(point[1:33]),
		"y":   base64.RawURLEncoding.EncodeToString(point[33:]),
	}
}

// newKeyID returns 40 random hexadecimal digits, which is the form of Google's key IDs.
func newKeyID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // rand.Read never fails
	return hex.EncodeToString(b[:])
}
