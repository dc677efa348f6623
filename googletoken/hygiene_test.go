package googletoken_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"io"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// A key with which Google would not sign is not used. A good key is published beside it, so
// the set as a whole is usable.
func TestKeyHygiene(t *testing.T) {
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	for name, spoil := range map[string]func(key map[string]any){
		"kty":                   func(k map[string]any) { k["kty"] = "EC" },
		"no kty":                func(k map[string]any) { delete(k, "kty") },
		"alg":                   func(k map[string]any) { k["alg"] = "RS512" },
		"no alg":                func(k map[string]any) { delete(k, "alg") },
		"use":                   func(k map[string]any) { k["use"] = "enc" },
		"no use":                func(k map[string]any) { delete(k, "use") },
		"key_ops":               func(k map[string]any) { k["key_ops"] = []string{"encrypt"} },
		"key_ops is not a list": func(k map[string]any) { k["key_ops"] = "verify" },
		"alg of another type":   func(k map[string]any) { k["alg"] = 5 },
		"padded modulus":        func(k map[string]any) { k["n"] = k["n"].(string) + "=" },
		"no modulus":            func(k map[string]any) { delete(k, "n") },
		"no exponent":           func(k map[string]any) { delete(k, "e") },
		"even exponent":         func(k map[string]any) { k["e"] = number(big.NewInt(65538)) },
		"exponent 1":            func(k map[string]any) { k["e"] = "AQ" },
		"exponent 3":            func(k map[string]any) { k["e"] = "Aw" },
		"exponent of 32 bits":   func(k map[string]any) { k["e"] = number(big.NewInt(1<<31 + 1)) },
		"even modulus": func(k map[string]any) {
			n, err := base64.RawURLEncoding.DecodeString(k["n"].(string))
			require.NoError(t, err)
			n[len(n)-1] &^= 1
			k["n"] = base64.RawURLEncoding.EncodeToString(n)
		},
		"modulus of 2047 bits": func(k map[string]any) {
			k["n"] = number(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 2047), big.NewInt(1)))
		},
		"modulus of 8193 bits": func(k map[string]any) {
			k["n"] = number(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 8192), big.NewInt(1)))
		},
		"a member name in another case": func(k map[string]any) {
			k["KTY"] = k["kty"]
			delete(k, "kty")
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			spoiled := g.KeyID()
			token := g.Token(email, nonce)
			g.Rotate()
			g.Keys(func(keys []map[string]any) []map[string]any {
				for _, k := range keys {
					if k["kid"] == spoiled {
						spoil(k)
					}
				}
				return keys
			})
			usable, err := googletoken.UsableKeys(certs(t, g))
			require.NoError(t, err)
			require.NotContains(t, usable, spoiled)
			require.Contains(t, usable, g.KeyID())

			v := newVerifier(t, g)
			_, err = v.Verify(t.Context(), token, nonce)
			requireReason(t, googlesession.ReasonSignature, err)
			_, err = v.Verify(t.Context(), g.Token(email, nonce), nonce)
			require.NoError(t, err, "the other key is used")
		})
	}
}

// certs returns the body of Google's response to a request for its keys.
func certs(tb testing.TB, g *googletest.Google) []byte {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, googletest.CertsURL, http.NoBody)
	require.NoError(tb, err)
	resp, err := g.Client().Do(r)
	require.NoError(tb, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	return body
}

// A weak key is not used, even if Google publishes it.
func TestWeakKey(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // weak on purpose
	require.NoError(t, err)
	g := googletest.NewGoogle(clientID)
	g.Keys(func(keys []map[string]any) []map[string]any {
		return append(keys, map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "weak", "e": "AQAB",
			"n": base64.RawURLEncoding.EncodeToString(weak.N.Bytes()),
		})
	})
	d := g.Draft(email, nonce)
	d.Header["kid"], d.Key = "weak", weak
	_, err = newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonSignature, err)
}

// If two keys have the same ID, neither is used.
func TestKeyIDTwice(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	twice := g.KeyID()
	token := g.Token(email, nonce)
	other := g.Rotate()
	g.Keys(func(keys []map[string]any) []map[string]any {
		second := map[string]any{}
		for _, k := range keys {
			if k["kid"] == other {
				maps.Copy(second, k)
			}
		}
		second["kid"] = twice
		return append(keys, second)
	})
	v := newVerifier(t, g)
	second := g.Draft(email, nonce)
	second.Header["kid"] = twice
	for _, token := range []string{token, g.Mint(second)} {
		_, err := v.Verify(t.Context(), token, nonce)
		requireReason(t, googlesession.ReasonSignature, err)
	}
	_, err := v.Verify(t.Context(), g.Token(email, nonce), nonce)
	require.NoError(t, err)
}

func TestTooManyKeys(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	g.Keys(func(keys []map[string]any) []map[string]any {
		for i := range 32 {
			keys = append(keys, map[string]any{"kid": strings.Repeat("x", i+1)})
		}
		return keys
	})
	_, err := newVerifier(t, g).Verify(t.Context(), g.Token(email, nonce), nonce)
	requireUnavailable(t, err)
}

// A request of idtoken does not reach the network.
func TestIDTokenReachesNoNetwork(t *testing.T) {
	for _, url := range []string{googletest.IAPCertsURL, "https://example.com/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		resp, err := googletoken.KeyTransport.RoundTrip(r)
		if resp != nil {
			_ = resp.Body.Close()
		}
		require.ErrorContains(t, err, "idtoken may ask for Google's keys only")
	}
}

// Without an HTTPClient the proxy of the environment is used, so that a server behind one
// reaches Google.
func TestUsesEnvironmentProxy(t *testing.T) {
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}})
	require.NoError(t, err)
	require.True(t, googletoken.UsesEnvironmentProxy(v))
}
