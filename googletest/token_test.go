package googletest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// parts splits a token and decodes its segments.
func parts(t *testing.T, token string) (header, payload map[string]any, signature []byte) {
	t.Helper()
	segments := strings.Split(token, ".")
	require.Len(t, segments, 3)
	require.NoError(t, json.Unmarshal(decode(t, segments[0]), &header))
	require.NoError(t, json.Unmarshal(decode(t, segments[1]), &payload))
	return header, payload, decode(t, segments[2])
}

func decode(t *testing.T, segment string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	require.NoError(t, err)
	return b
}

// input returns the bytes that a token's signature signs.
func input(token string) []byte { return []byte(token[:strings.LastIndexByte(token, '.')]) }

func verifyRS256(key *rsa.PublicKey, token string, signature []byte) error {
	digest := sha256.Sum256(input(token))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
}

func TestMint(t *testing.T) {
	g := googletest.NewGoogle(client)
	d := g.Draft("ada@example.com", nonce)
	key := &d.Key.PublicKey

	d.Claims["x"], d.Header["y"] = "<&>", 1
	token := g.Mint(d)
	header, payload, signature := parts(t, token)
	require.NoError(t, verifyRS256(key, token, signature))
	require.Equal(t, "<&>", payload["x"])
	require.Equal(t, map[string]any{"alg": "RS256", "kid": g.KeyID(), "typ": "JWT", "y": 1.0}, header)

	d.RawHeader, d.RawPayload = []byte(`{"raw": 1}`), []byte(`{"raw": 2}`)
	token = g.Mint(d)
	require.Equal(t, "eyJyYXciOiAxfQ.eyJyYXciOiAyfQ", string(input(token)))
	_, _, signature = parts(t, token)
	require.NoError(t, verifyRS256(key, token, signature))

	d.Signature = []byte("any")
	_, _, signature = parts(t, g.Mint(d))
	require.Equal(t, "any", string(signature))

	g.Rotate()
	d.Signature = nil
	token = g.Mint(d)
	_, _, signature = parts(t, token)
	require.NoError(t, verifyRS256(key, token, signature), "a draft keeps its key")

	d.RawPayload = nil
	d.Claims["x"] = func() {}
	require.Panics(t, func() { g.Mint(d) })
}

func TestDraftUnsigned(t *testing.T) {
	g := googletest.NewGoogle(client)
	token := g.Mint(g.Draft("ada@example.com", nonce).Unsigned())
	header, _, signature := parts(t, token)
	require.Equal(t, "none", header["alg"])
	require.Empty(t, signature)
	require.True(t, strings.HasSuffix(token, "."))
}

func TestDraftForge(t *testing.T) {
	g := googletest.NewGoogle(client)
	d := g.Draft("ada@example.com", nonce)
	googles := &d.Key.PublicKey
	token := g.Mint(d.Forge())
	header, _, signature := parts(t, token)
	require.Equal(t, g.KeyID(), header["kid"])
	require.ErrorIs(t, verifyRS256(googles, token, signature), rsa.ErrVerification)
	require.NoError(t, verifyRS256(&d.Key.PublicKey, token, signature))
}

func TestDraftHS256(t *testing.T) {
	g := googletest.NewGoogle(client)
	token := g.Mint(g.Draft("ada@example.com", nonce).HS256([]byte("secret")))
	header, _, signature := parts(t, token)
	require.Equal(t, "HS256", header["alg"])
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write(input(token))
	require.Equal(t, mac.Sum(nil), signature)
}

// The key of ES256 is the one that idtoken fetches.
func TestDraftES256(t *testing.T) {
	g := googletest.NewGoogle(client)
	_, body := get(t, g.Client(), googletest.IAPCertsURL)
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Y string }
	}
	require.NoError(t, json.Unmarshal(body, &set))
	require.Len(t, set.Keys, 1)
	k := set.Keys[0]
	require.Equal(t, "EC P-256", k.Kty+" "+k.Crv)
	point := slices.Concat([]byte{4}, decode(t, k.X), decode(t, k.Y)) // uncompressed: SEC 1, section 2.3.3
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	require.NoError(t, err)

	token := g.Mint(g.Draft("ada@example.com", nonce).ES256(64))
	header, _, signature := parts(t, token)
	require.Equal(t, "ES256", header["alg"])
	require.Equal(t, k.Kid, header["kid"])
	digest := sha256.Sum256(input(token))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	require.True(t, ecdsa.Verify(key, digest[:], r, s))

	for size := range 129 {
		_, _, signature := parts(t, g.Mint(g.Draft("ada@example.com", nonce).ES256(size)))
		require.Len(t, signature, size)
	}
}
