package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proofKey is the key with which a browser proves that a session is its own.
type proofKey struct{ private *ecdsa.PrivateKey }

func newProofKey(t *testing.T) proofKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return proofKey{private}
}

// sign returns a proof for the challenge, with the public key for a registration.
func (k proofKey) sign(t *testing.T, challenge string, withKey bool) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	header := map[string]any{"alg": "ES256", "typ": "dbsc+jwt"}
	if withKey {
		point, err := k.private.PublicKey.Bytes()
		require.NoError(t, err)
		header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	}
	head, err := json.Marshal(header)
	require.NoError(t, err)
	payload, err := json.Marshal(map[string]string{"jti": challenge})
	require.NoError(t, err)
	text := encode(head) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	require.NoError(t, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature)
}
