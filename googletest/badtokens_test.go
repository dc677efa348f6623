package googletest_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// badTokens returns the tokens that must be refused, by their kind.
func badTokens(g *googletest.Google) map[string][]googletest.BadToken {
	return map[string][]googletest.BadToken{
		"ID tokens": g.BadTokens("ada@example.com", nonce),
		"events":    g.BadEvents("ada@example.com"),
	}
}

// The lists have a row of every kind of attack, and no row twice.
func TestBadTokensNames(t *testing.T) {
	of := map[string][]string{
		"ID tokens": {"one byte longer than 8 KiB", "token of a service account", "no nonce"},
		"events":    {"one byte longer than 16 KiB", "no jti"},
	}
	ofBoth := []string{
		"empty text", "two segments", "header with padding", "payload with padding", "signature with padding",
		"header is an array", "alg twice, first none", `alg "none"`, "ES256, signature of 31 bytes", "kid unknown",
		"attacker's key in jwk, under its own kid", "signed by a key that Google does not have, under its own kid",
		"signature one byte short", "signed block with block type 0", "payload is an array", "aud twice with the same value",
		"logout token", "sub is empty", "no aud", "aud is another client", "no iss", `iss "https://securetoken.google.com/project"`,
		"no iat",
	}
	reasons := []googlesession.TokenReason{
		googlesession.ReasonMalformed, googlesession.ReasonAlgorithm, googlesession.ReasonSignature,
		googlesession.ReasonAudience, googlesession.ReasonIssuer,
	}
	for kind, rows := range badTokens(googletest.NewGoogle(client)) {
		require.Greater(t, len(rows), 300, kind)
		names, tokens, count := map[string]bool{}, map[string]string{}, map[googlesession.TokenReason]int{}
		for _, row := range rows {
			require.NotRegexp(t, `^[A-Z]-\d`, row.Name)
			require.False(t, names[row.Name], "%s is there twice", row.Name)
			names[row.Name] = true
			require.Empty(t, tokens[row.Token], "%s has the token of another row", row.Name)
			tokens[row.Token] = row.Name
			count[row.Reason]++
		}
		for _, name := range slices.Concat(ofBoth, of[kind]) {
			require.True(t, names[name], "%s: %s is missing", kind, name)
		}
		for _, reason := range reasons {
			require.GreaterOrEqual(t, count[reason], 10, "%s: rows of reason %s", kind, reason)
		}
		switch kind {
		case "ID tokens":
			for _, reason := range []googlesession.TokenReason{googlesession.ReasonParty, googlesession.ReasonTime, googlesession.ReasonNonce} {
				require.GreaterOrEqual(t, count[reason], 10, "rows of reason %s", reason)
			}
		case "events":
			require.Equal(t, 5, count[googlesession.ReasonTime])
			require.Len(t, count, len(reasons)+1, "an event has neither a party nor a nonce")
		}
	}
}

// The lists are right for every client, address and nonce.
func TestBadTokensFor(t *testing.T) {
	for name, tt := range map[string]struct{ client, email, nonce string }{
		"no letters, no hd": {"1", "ada@gmail.com", "0123456789"},
		"no nonce":          {client, "ada@example.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := googletest.NewGoogle(tt.client)
			good := googletest.NewGoogle(tt.client).Draft(tt.email, tt.nonce).Claims
			rows := g.BadTokens(tt.email, tt.nonce)
			require.Greater(t, len(rows), 250)
			rows = append(rows, g.BadEvents(tt.email)...)
			for _, row := range rows {
				require.NotContains(t, row.Name, "%!", "a wrong format")
				if tt.nonce == "" {
					require.NotEqual(t, googlesession.ReasonNonce, row.Reason, row.Name)
				}
				if row.Reason == googlesession.ReasonAudience {
					_, claims, _ := parts(t, row.Token)
					require.NotEqual(t, good["aud"], claims["aud"], row.Name)
				}
			}
		})
	}
}

// The third segment is Google's RS256 signature of the other two, unless the row is
// about the signature. Some spellings of the signature are undone before it is verified.
func TestBadTokensSignatures(t *testing.T) {
	g := googletest.NewGoogle(client)
	keys := map[string]*rsa.PublicKey{}
	for _, k := range published(t, g) {
		keys[k["kid"].(string)] = &rsa.PublicKey{
			N: new(big.Int).SetBytes(decode(t, k["n"].(string))),
			E: int(new(big.Int).SetBytes(decode(t, k["e"].(string))).Int64()),
		}
	}
	good := keys[g.KeyID()]
	for _, row := range slices.Concat(g.BadTokens("ada@example.com", nonce), g.BadEvents("ada@example.com")) {
		signed := false
		if i := strings.LastIndexByte(row.Token, '.'); i > 0 {
			signature, err := base64.RawURLEncoding.DecodeString(tolerated(row.Token[i+1:]))
			signed = err == nil && verifyRS256(good, row.Token, signature) == nil
		}
		switch {
		case row.Reason == googlesession.ReasonSignature:
			// The signature is not by the key that the kid names, which may be unknown.
			header, _, signature := parts(t, row.Token)
			require.Equal(t, "RS256", header["alg"], row.Name)
			key := keys[header["kid"].(string)]
			require.Equal(t, key == nil, row.UnknownKey, row.Name)
			if key != nil {
				require.Error(t, verifyRS256(key, row.Token, signature), row.Name)
			}
		case row.Reason == googlesession.ReasonAlgorithm:
			var header map[string]any
			require.NoError(t, json.Unmarshal(decode(t, row.Token[:strings.IndexByte(row.Token, '.')]), &header))
			require.NotEqual(t, "RS256", header["alg"], row.Name)
			// In these rows alg is wrong, and not the algorithm that signed.
			mislabelled := strings.HasPrefix(row.Name, "alg ") || row.Name == "no alg"
			require.Equal(t, mislabelled, signed, row.Name)
		case strings.HasPrefix(row.Name, "one byte longer than "):
			length := map[string]int{"one byte longer than 8 KiB": 8193, "one byte longer than 16 KiB": 16385}[row.Name]
			require.Len(t, row.Token, length)
			require.True(t, signed, row.Name)
		case slices.Contains(withoutSignature, row.Name):
		case strings.HasPrefix(row.Name, "signature with "):
			undone := strings.Contains(row.Name, "not ASCII") || strings.Contains(row.Name, "full-width") ||
				strings.Contains(row.Name, "not UTF-8") || strings.Contains(row.Name, "question mark") ||
				strings.Contains(row.Name, "impossible length")
			require.Equal(t, !undone, signed, row.Name)
		default:
			require.True(t, signed, row.Name)
		}
	}
}

// withoutSignature are the rows whose token is not three segments, so that nothing
// is signed, or has no signature.
var withoutSignature = []string{
	"empty text", "token of 64 KiB", "64 KiB of dots", "64 KiB without a dot", "an access token", "an authorization code",
	"token with its authorization scheme", "token in quotes", "one segment", "two segments", "two dots and nothing else",
	"dot before the token", "dot after the token", "four segments", "five segments, as in JWE", "empty header",
	"empty payload", "empty signature", "percent-encoded dots", "JSON serialization, flattened",
	"JSON serialization, general", "tab instead of a dot", "alg none and no signature", "token inside a token",
	"ES256, no signature",
}

// tolerated undoes the spellings of base64 that careless decoders accept.
func tolerated(s string) string {
	return strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "", "\x00", "", "=", "", "+", "-", "/", "_").Replace(s)
}

// Each token has one thing wrong. A token that is refused for a claim differs from the good
// token in that claim only.
func TestBadTokensDiffer(t *testing.T) {
	allowed := map[googlesession.TokenReason][]string{
		googlesession.ReasonAudience: {"aud"},
		googlesession.ReasonParty:    {"azp"},
		googlesession.ReasonIssuer:   {"iss"},
		googlesession.ReasonTime:     {"exp", "iat", "nbf"},
		googlesession.ReasonNonce:    {"nonce"},
	}
	synctest.Test(t, func(t *testing.T) { // so that all tokens are of the same second
		g := googletest.NewGoogle(client)
		header, claims, _ := parts(t, g.Token("ada@example.com", nonce))
		for _, row := range g.BadTokens("ada@example.com", nonce) {
			if allowed[row.Reason] == nil {
				continue
			}
			h, c, _ := parts(t, row.Token)
			require.Equal(t, header, h, row.Name)
			changed := difference(claims, c)
			switch {
			case strings.Contains(row.Name, "service account"): // has a token with several other claims
				require.NotEmpty(t, changed, row.Name)
				require.Subset(t, []string{"azp", "email", "email_verified", "hd"}, changed, row.Name)
			case row.Name == "exp is before iat, both within the leeway":
				require.ElementsMatch(t, []string{"exp", "iat"}, changed, row.Name)
			default:
				require.Len(t, changed, 1, row.Name)
				require.Subset(t, allowed[row.Reason], changed, row.Name)
			}
		}
	})
}

func TestBadEventsDiffer(t *testing.T) {
	allowed := map[googlesession.TokenReason]string{
		googlesession.ReasonAudience: "aud", googlesession.ReasonIssuer: "iss", googlesession.ReasonTime: "iat",
	}
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		d := g.EventDraft(googlesession.ChangeAccountDisabled, "ada@example.com")
		d.Event(googlesession.ChangeAccountDisabled)["reason"] = "hijacking"
		header, claims, _ := parts(t, g.Mint(d))
		for _, row := range g.BadEvents("ada@example.com") {
			if claim := allowed[row.Reason]; claim != "" {
				h, c, _ := parts(t, row.Token)
				require.Equal(t, header, h, row.Name)
				require.Equal(t, []string{claim}, difference(claims, c), row.Name)
			}
		}
	})
}

// difference returns the names of the claims that differ. It ignores jti, because
// every token has another one.
func difference(a, b map[string]any) []string {
	var names []string
	all := maps.Clone(a)
	maps.Copy(all, b)
	delete(all, "jti")
	for name := range all {
		x, inA := a[name]
		y, inB := b[name]
		if inA != inB || !reflect.DeepEqual(x, y) {
			names = append(names, name)
		}
	}
	return names
}

// The forged blocks have the digest in them. A careless verifier looks for nothing else.
func TestBadTokensPaddings(t *testing.T) {
	g := googletest.NewGoogle(client)
	key := &g.Draft("ada@example.com", "").Key.PublicKey
	n := 0
	for _, row := range slices.Concat(g.BadTokens("ada@example.com", nonce), g.BadEvents("ada@example.com")) {
		if strings.HasPrefix(row.Name, "signed block ") {
			n++
			_, _, signature := parts(t, row.Token)
			digest := sha256.Sum256(input(row.Token))
			block := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, 256))
			require.Contains(t, string(block), string(digest[:]), row.Name)
			require.Zero(t, block[0], row.Name)
		}
	}
	require.Equal(t, 9+9, n)
}
