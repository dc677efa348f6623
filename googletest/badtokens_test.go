package googletest_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// lists are the tokens that must be refused, of both kinds.
func lists(g *googletest.Google) map[string][]googletest.BadToken {
	return map[string][]googletest.BadToken{
		"ID tokens": g.BadTokens("ada@example.com", nonce),
		"events":    g.BadEvents("ada@example.com"),
	}
}

func TestBadTokensNames(t *testing.T) {
	all := []string{
		"V-1", "V-2", "V-3", "V-5", "V-6", "V-7", "V-9", "V-16",
		"G-1", "G-2", "G-3", "G-4", "G-5", "G-6", "G-16", "G-17", "G-18", "G-26",
	}
	reasons := []googlesession.TokenReason{
		googlesession.ReasonMalformed, googlesession.ReasonAlgorithm, googlesession.ReasonSignature,
		googlesession.ReasonAudience, googlesession.ReasonIssuer,
	}
	for kind, rows := range lists(googletest.NewGoogle(client)) {
		require.Greater(t, len(rows), 300, kind)
		names, tokens, ids, count := map[string]bool{}, map[string]string{}, map[string]bool{}, map[googlesession.TokenReason]int{}
		id := regexp.MustCompile(`^[VG]-\d+ `)
		for _, row := range rows {
			require.Regexp(t, id, row.Name)
			require.False(t, names[row.Name], "%s is there twice", row.Name)
			names[row.Name] = true
			require.Empty(t, tokens[row.Token], "%s has the token of another row", row.Name)
			tokens[row.Token] = row.Name
			ids[strings.Fields(row.Name)[0]] = true
			count[row.Reason]++
		}
		require.Subset(t, slices.Collect(maps.Keys(ids)), all, kind)
		for _, reason := range reasons {
			require.GreaterOrEqual(t, count[reason], 10, "%s: rows of reason %s", kind, reason)
		}
		switch kind {
		case "ID tokens":
			require.Subset(t, slices.Collect(maps.Keys(ids)), []string{"V-8", "V-13"})
			require.True(t, names["V-1 one byte longer than 8 KiB"])
			for _, reason := range []googlesession.TokenReason{googlesession.ReasonParty, googlesession.ReasonTime, googlesession.ReasonNonce} {
				require.GreaterOrEqual(t, count[reason], 10, "rows of reason %s", reason)
			}
		case "events":
			require.True(t, ids["G-27"])
			require.True(t, names["V-1 one byte longer than 16 KiB"])
			require.Equal(t, 5, count[googlesession.ReasonTime])
			require.Len(t, count, len(reasons)+1, "nobody signs in with an event")
		}
	}
}

// Whom and what they are made for makes no difference, but for nonces.
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
				require.NotContains(t, row.Name, "%!", "a format that went wrong")
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

// The third segment is Google's RS256 signature of the other two where the
// signature is not the point, and is not where it is. (Some spellings have to be
// undone to see it.)
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
			// Under the key that the kid names; there may be none.
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
			labelled := strings.Contains(row.Name, " alg") // wrong is what it says, not how it is signed
			require.Equal(t, labelled, signed, row.Name)
		case strings.HasPrefix(row.Name, "V-1 "), strings.HasPrefix(row.Name, "G-17 "):
			// Not three segments, or too long. The long one has all that a good one has.
			if length := map[string]int{
				"V-1 one byte longer than 8 KiB": 8193, "V-1 one byte longer than 16 KiB": 16385,
			}[row.Name]; length > 0 {
				require.Len(t, row.Token, length)
				require.True(t, signed, row.Name)
			}
		case row.Name == "G-2 ES256, no signature":
		case strings.HasPrefix(row.Name, "G-18 signature with "):
			undone := strings.Contains(row.Name, "not ASCII") || strings.Contains(row.Name, "full-width") ||
				strings.Contains(row.Name, "not UTF-8") || strings.Contains(row.Name, "question mark") ||
				strings.Contains(row.Name, "no bytes have")
			require.Equal(t, !undone, signed, row.Name)
		default:
			require.True(t, signed, row.Name)
		}
	}
}

// tolerated undoes what careless readers of base64 do not mind.
func tolerated(s string) string {
	return strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "", "\x00", "", "=", "", "+", "-", "/", "_").Replace(s)
}

// One thing is wrong with each: a token that is refused for a claim differs from
// the good one by that claim.
func TestBadTokensDiffer(t *testing.T) {
	allowed := map[googlesession.TokenReason][]string{
		googlesession.ReasonAudience: {"aud"},
		googlesession.ReasonParty:    {"azp"},
		googlesession.ReasonIssuer:   {"iss"},
		googlesession.ReasonTime:     {"exp", "iat", "nbf"},
		googlesession.ReasonNonce:    {"nonce"},
	}
	synctest.Test(t, func(t *testing.T) { // where it stays the same second
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
			case strings.HasPrefix(row.Name, "V-8 "): // what a service account's token has
				require.NotEmpty(t, changed, row.Name)
				require.Subset(t, []string{"azp", "email", "email_verified", "hd"}, changed, row.Name)
			case row.Name == "G-6 exp is before iat, both within the leeway":
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

// difference returns the names of the claims that are not the same. No two tokens
// have one jti.
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

// The forged blocks are what they say: under the public key they show the digest,
// which is all that a careless verifier looks for.
func TestBadTokensPaddings(t *testing.T) {
	g := googletest.NewGoogle(client)
	key := &g.Draft("ada@example.com", "").Key.PublicKey
	n := 0
	for _, row := range slices.Concat(g.BadTokens("ada@example.com", nonce), g.BadEvents("ada@example.com")) {
		if strings.HasPrefix(row.Name, "V-3 signed block ") {
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
