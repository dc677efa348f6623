package googletest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A boundProof is the JWT of a registration or a refresh.
type boundProof struct {
	challenge  string
	registered *ecdsa.PublicKey // the jwk; nil for a refresh
	signed     string
	signature  []byte
}

// onlyProof returns the proof of a request that has exactly one.
func onlyProof(r *http.Request) (boundProof, error) {
	proofs := r.Header["Secure-Session-Response"]
	if len(proofs) != 1 {
		return boundProof{}, errors.New("not one proof")
	}
	return parseBoundProof(proofs[0])
}

func parseBoundProof(text string) (p boundProof, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return p, errors.New("not three parts")
	}
	var data [3][]byte
	for i, part := range parts {
		if data[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return p, err
		}
	}
	var header struct {
		Alg, Typ string
		JWK      *struct{ Kty, Crv, X, Y string }
	}
	var payload struct{ JTI string }
	if err := errors.Join(json.Unmarshal(data[0], &header), json.Unmarshal(data[1], &payload)); err != nil {
		return p, err
	}
	if header.Alg != "ES256" || header.Typ != "dbsc+jwt" {
		return p, errors.New("alg or typ")
	}
	p = boundProof{challenge: payload.JTI, signed: parts[0] + "." + parts[1], signature: data[2]}
	if header.JWK == nil {
		return p, nil
	}
	x, errX := base64.RawURLEncoding.Strict().DecodeString(header.JWK.X)
	y, errY := base64.RawURLEncoding.Strict().DecodeString(header.JWK.Y)
	if errX != nil || errY != nil || header.JWK.Kty != "EC" || header.JWK.Crv != "P-256" {
		return p, errors.New("jwk")
	}
	p.registered, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	return p, err
}

func (p boundProof) verify(key *ecdsa.PublicKey) error {
	digest := sha256.Sum256([]byte(p.signed))
	if key == nil || len(p.signature) != 64 ||
		!ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(p.signature[:32]), new(big.Int).SetBytes(p.signature[32:])) {
		return errors.New("signature")
	}
	return nil
}

// The server of these tests accepts the proofs of Chromium 156.
func TestBoundServerAcceptsChromium(t *testing.T) {
	registration, err := parseBoundProof("eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImwzNEtkNEFpcUtvb1pJVlBvYTB1dnQ5Vm0zSnktUGZvb1JyVDZTNzVUSnciLCJ5IjoiSG5nT3hGdWJGdkNPSzUzbmo0RnRKQ19jSE9TanJlYjNUR3Q2eDNoQ2x1RSJ9LCJ0eXAiOiJkYnNjK2p3dCJ9.eyJqdGkiOiI2RlpfUTdTQjlJdm9rSXpKWkpWWk56a19CNjlPNVlyYkVQbHZRN29Lc0Q4In0.nCgkUaKkjpQeI6jK4L1FheOuzaNhvNb6PKGJVCYc0PRfffA0fgu_AQvl6Fc1oxoJruDtZ26v-GLASDeH2e4nzw")
	require.NoError(t, err)
	require.Equal(t, "6FZ_Q7SB9IvokIzJZJVZNzk_B69O5YrbEPlvQ7oKsD8", registration.challenge)
	require.NoError(t, registration.verify(registration.registered))
	refresh, err := parseBoundProof("eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0.eyJqdGkiOiJBYUlqTUpLX1dRUU9VSUJfVmZkY21fYTdfdGlsTjlQb0o3RC1JczNpIn0.dXd4-6rkzce74ZpK26fP53W7baju6V1T4oTvldotIs2kdX01KihmBYJI1xWQ9CIedlnLZfZRatXGjajcG6vL8g")
	require.NoError(t, err)
	require.Equal(t, "AaIjMJK_WQQOUIB_Vfdcm_a7_tilN9PoJ7D-Is3i", refresh.challenge)
	require.Nil(t, refresh.registered)
	require.NoError(t, refresh.verify(registration.registered))
}
