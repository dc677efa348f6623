package googletoken_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlesessiontest"
	"github.com/googlesession/googlesession/googletoken"
)

// FuzzVerify: whatever is posted, Verify neither panics nor asks for keys more than
// it may, and what it accepts has a signature that the standard library finds good,
// over claims that encoding/json reads in the same way.
func FuzzVerify(f *testing.F) {
	g := googlesessiontest.NewGoogle(clientID)
	v := newVerifier(f, g)
	var key rsa.PublicKey
	g.Keys(func(keys []map[string]any) []map[string]any {
		for _, k := range keys {
			n, err := base64.RawURLEncoding.DecodeString(k["n"].(string))
			require.NoError(f, err)
			key = rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
		}
		return keys
	})
	began := time.Now()
	good := g.Token(email, nonce)
	_, err := v.Verify(f.Context(), good, nonce)
	require.NoError(f, err)
	f.Add(good)
	for _, bad := range g.BadTokens(email, nonce) {
		f.Add(bad.Token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := v.Verify(t.Context(), token, nonce)
		require.LessOrEqual(t, fetches(g), 3+int(time.Since(began)/time.Minute), "asked for keys too often")
		if err != nil {
			_, refused := errors.AsType[*googlesession.TokenError](err)
			require.True(t, refused, "%v", err)
			require.Zero(t, id)
			return
		}
		input, signature, ok := cutLast(token)
		require.True(t, ok)
		sum := sha256.Sum256([]byte(input))
		require.NoError(t, rsa.VerifyPKCS1v15(&key, crypto.SHA256, sum[:], signature))
		_, payload, _ := strings.Cut(input, ".")
		raw, err := base64.RawURLEncoding.DecodeString(payload)
		require.NoError(t, err)
		var claims struct{ Iss, Aud, Sub, Nonce string }
		require.NoError(t, json.Unmarshal(raw, &claims))
		require.Equal(t, []string{clientID, nonce, id.Subject}, []string{claims.Aud, claims.Nonce, claims.Sub})
		require.Contains(t, claims.Iss, "accounts.google.com")
	})
}

func cutLast(token string) (input string, signature []byte, ok bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return "", nil, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	return token[:i], signature, err == nil
}

// FuzzHeader: what is accepted says RS256 once, and encoding/json reads the same.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{
		`{"alg":"RS256","kid":"1","typ":"JWT"}`, `{"alg":"RS256","alg":"none","kid":"1"}`, `{"ALG":"none","alg":"RS256","kid":"1"}`,
		`{"alg":"RS256","kid":"1","crit":["b64"],"b64":false}`, `{"alg":"ES256","kid":"1"}`, `{"alg":"RS256","kid":"\u0000"}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kid, typ, err := googletoken.ParseHeader(text)
		if err != nil {
			_, refused := errors.AsType[*googlesession.TokenError](err)
			require.True(t, refused, "%v", err)
			return
		}
		var h map[string]any
		require.NoError(t, json.Unmarshal(text, &h))
		require.Equal(t, "RS256", h["alg"])
		require.Equal(t, h["kid"], kid)
		if h["typ"] != nil {
			require.Equal(t, h["typ"], typ)
		}
		for name := range h {
			require.False(t, name != "alg" && strings.EqualFold(name, "alg"), "two spellings of alg")
		}
	})
}
