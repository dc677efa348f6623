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
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// FuzzVerify checks that Verify and VerifyEvent neither panic nor fetch keys too often,
// whatever is posted, and that not both accept it. If Verify accepts a token, crypto/rsa has
// to accept its signature, and encoding/json has to read the same claims.
func FuzzVerify(f *testing.F) {
	g := googletest.NewGoogle(clientID)
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
	g.Keys(nil) // because the function above must not use f in the target
	f.Add(good)
	for _, bad := range g.BadTokens(email, nonce) {
		f.Add(bad.Token)
	}
	f.Add(g.SecurityEvent(disabled, email))
	for _, bad := range g.BadEvents(email) {
		f.Add(bad.Token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := v.Verify(t.Context(), token, nonce)
		event, eventErr := v.VerifyEvent(t.Context(), token)
		if eventErr != nil {
			requireVerdictOrNoKey(t, eventErr)
			require.Zero(t, event)
		}
		require.False(t, err == nil && eventErr == nil, "the token was accepted both as an ID token and as an event")
		require.LessOrEqual(t, fetches(g), 3+int(time.Since(began)/time.Minute), "keys are fetched too often")
		if err != nil {
			requireVerdictOrNoKey(t, err)
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

// requireVerdictOrNoKey requires that the token is refused or that its key is unknown.
func requireVerdictOrNoKey(t *testing.T, err error) {
	if _, refused := errors.AsType[*googlesession.TokenError](err); !refused {
		require.ErrorIs(t, err, googlesession.ErrUnknownKey)
	}
}

func cutLast(token string) (input string, signature []byte, ok bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return "", nil, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	return token[:i], signature, err == nil
}

// FuzzHeader checks that an accepted header has alg RS256 once, and that encoding/json reads
// the same members.
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
			require.False(t, name != "alg" && strings.EqualFold(name, "alg"), "the header has two spellings of alg")
		}
	})
}

// FuzzEvents checks that an accepted payload is within the bounds, and that encoding/json
// reads the same members.
func FuzzEvents(f *testing.F) {
	g := googletest.NewGoogle(clientID)
	seed := func(token string) {
		if parts := strings.Split(token, "."); len(parts) == 3 {
			if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
				f.Add(payload)
			}
		}
	}
	for _, kind := range kinds {
		seed(g.SecurityEvent(kind, email))
		seed(g.Mint(g.EventDraft(kind, email).SSF()))
	}
	for _, bad := range g.BadEvents(email) {
		seed(bad.Token)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := googletoken.ParseEvents(payload)
		if err != nil {
			requireReason(t, googlesession.ReasonMalformed, err)
			require.Zero(t, got)
			return
		}
		var claims struct {
			Jti    string
			Iat    int64
			Events map[string]map[string]any
			SubID  any `json:"sub_id"`
		}
		require.NoError(t, json.Unmarshal(payload, &claims))
		require.Equal(t, claims.Jti, got.ID)
		require.Regexp(t, `^[!-~]{1,255}$`, got.ID)
		if claims.Iat > 0 && claims.Iat < 1e11 {
			require.Equal(t, claims.Iat, got.IssuedAt.Unix())
		}
		require.Len(t, got.Changes, len(claims.Events))
		require.LessOrEqual(t, len(got.Changes), 10)
		subjects := []any{"", sub(claims.SubID)}
		for _, event := range claims.Events {
			subjects = append(subjects, sub(event["subject"]))
		}
		for _, change := range got.Changes {
			require.Contains(t, kinds, change.Kind)
			require.Contains(t, subjects, change.Subject)
			require.Regexp(t, `^[!-~]{0,255}$`, change.Subject)
			require.Contains(t, []string{"", "hijacking", "bulk-account", "other"}, change.Reason)
		}
	})
}

var kinds = []googlesession.AccountChangeKind{
	googlesession.ChangeSessionsRevoked, googlesession.ChangeTokensRevoked, googlesession.ChangeTokenRevoked,
	googlesession.ChangeAccountDisabled, googlesession.ChangeAccountEnabled, googlesession.ChangeCredentialRequired,
	googlesession.ChangeVerification, googlesession.ChangeUnknown,
}

func sub(subject any) any {
	m, _ := subject.(map[string]any)
	return m["sub"]
}
