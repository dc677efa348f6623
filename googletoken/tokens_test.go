package googletoken_test

import (
	"encoding/json"
	"maps"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// What a good token may differ in, and what becomes of it.
func TestGoodTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *googletest.Draft)
		want   func(id *googlesession.Identity)
	}{
		{"V-3 no typ", func(d *googletest.Draft) { delete(d.Header, "typ") }, nil},
		{"V-18 typ in lower case", func(d *googletest.Draft) { d.Header["typ"] = "jwt" }, nil},
		{"V-3 keys of its own are ignored", func(d *googletest.Draft) {
			maps.Copy(d.Header, map[string]any{
				"jku": "https://attacker.test", "x5u": "https://attacker.test", "jwk": map[string]any{}, "x5c": []string{"x"},
			})
		}, nil},
		{"V-3 white space and escapes in the header", func(d *googletest.Draft) {
			d.RawHeader = []byte(" {\n\"a\\u006cg\": \"R\\u00532\\u00356\", \"kid\": \"" + d.Header["kid"].(string) + "\" }\r\n")
		}, nil},
		{"V-5 unknown claims", func(d *googletest.Draft) {
			d.Claims["x"] = map[string]any{"y": []any{1.5, nil, true, "z"}}
		}, nil},
		{"V-5 nested 16 deep", func(d *googletest.Draft) {
			d.Claims["x"] = json.RawMessage(strings.Repeat("[", 15) + strings.Repeat("]", 15))
		}, nil},
		{"V-7 issuer without scheme", func(d *googletest.Draft) { d.Claims["iss"] = "accounts.google.com" }, nil},
		{"V-8 an address that only holds a service account's", func(d *googletest.Draft) {
			d.Claims["email"] = "ada@x.gserviceaccount.com.example.com"
		}, func(id *googlesession.Identity) { id.Email = "ada@x.gserviceaccount.com.example.com" }},
		{"V-8 another word before it", func(d *googletest.Draft) {
			d.Claims["email"] = "ada@mygserviceaccount.com"
		}, func(id *googlesession.Identity) { id.Email = "ada@mygserviceaccount.com" }},
		{"V-9 sub of 255 characters", func(d *googletest.Draft) {
			d.Claims["sub"] = strings.Repeat("!~", 127) + "1"
		}, func(id *googlesession.Identity) { id.Subject = strings.Repeat("!~", 127) + "1" }},
		{
			"V-9 sub of one", func(d *googletest.Draft) { d.Claims["sub"] = "0" },
			func(id *googlesession.Identity) { id.Subject = "0" },
		},
		{"V-10 no nbf", func(d *googletest.Draft) { delete(d.Claims, "nbf") }, nil},
		{
			"V-11 not verified", func(d *googletest.Draft) { d.Claims["email_verified"] = false },
			func(id *googlesession.Identity) { id.EmailVerified = false },
		},
		{
			"V-11 says nothing about it", func(d *googletest.Draft) { delete(d.Claims, "email_verified") },
			func(id *googlesession.Identity) { id.EmailVerified = false },
		},
		{"V-11 verified, the old way", func(d *googletest.Draft) { d.Claims["email_verified"] = "true" }, nil},
		{
			"V-11 not verified, the old way", func(d *googletest.Draft) { d.Claims["email_verified"] = "false" },
			func(id *googlesession.Identity) { id.EmailVerified = false },
		},
		{
			"V-12 hd is passed on", func(d *googletest.Draft) { d.Claims["hd"] = "EXAMPLE.com" },
			func(id *googlesession.Identity) { id.HostedDomain = "EXAMPLE.com" },
		},
		{
			"names outside ASCII", func(d *googletest.Draft) { d.Claims["name"] = "Zoë 😀 \u2028" },
			func(id *googlesession.Identity) { id.Name = "Zoë 😀 \u2028" },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			d := g.Draft(email, nonce)
			want := googlesession.Identity{
				Subject: g.Subject(email), Email: email, EmailVerified: true, Name: "Ada Gmail",
				Picture: d.Claims["picture"].(string), IssuedAt: time.Unix(d.Claims["iat"].(int64), 0).UTC(),
			}
			tt.change(d)
			if tt.want != nil {
				tt.want(&want)
			}
			id, err := newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
			require.NoError(t, err)
			require.Equal(t, want, id)
			require.Empty(t, g.Strays())
		})
	}
}

// V-11, G-7: what is neither true nor "true" is refused, not taken for one of them.
func TestOddEmailVerified(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	for _, value := range []any{"TRUE", "True", "1", "", "yes", " true", json.RawMessage(`"tru\u0065"`)} {
		d := g.Draft(email, nonce)
		d.Claims["email_verified"] = value
		_, err := v.Verify(t.Context(), g.Mint(d), nonce)
		requireReason(t, googlesession.ReasonMalformed, err, value)
	}
}

// V-5: one level more than TestGoodTokens has.
func TestTooDeep(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	deep := json.RawMessage(strings.Repeat("[", 16) + strings.Repeat("]", 16))
	d := g.Draft(email, nonce)
	d.Claims["x"] = deep
	_, err := v.Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonMalformed, err)
	d = g.Draft(email, nonce)
	d.Header["x"] = deep
	_, err = v.Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonMalformed, err)
}

// V-1: 8192 bytes are looked at, whatever fills them; one more is not.
func TestLongestToken(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	longest := ""
	for fill := 5000; fill < 8000 && len(longest) != 8192; fill++ {
		d := g.Draft(email, nonce)
		d.Claims["x"] = strings.Repeat("x", fill)
		if longest = g.Mint(d); len(longest) > 8192 {
			// No payload gives this length with this header: try another.
			d.Header["x"] = "x"
			longest = g.Mint(d)
		}
	}
	require.Len(t, longest, 8192)
	_, err := v.Verify(t.Context(), longest, nonce)
	require.NoError(t, err)
}

// V-1: what is too long costs nothing, however it is made up.
func TestHugeTokens(t *testing.T) {
	v := newVerifier(t, googletest.NewGoogle(clientID))
	for name, token := range map[string]string{
		"dots":      strings.Repeat(".", 16<<20),
		"letters":   strings.Repeat("A", 16<<20),
		"line feed": strings.Repeat("\n", 16<<20),
		"segments":  strings.Repeat("A", 5<<20) + "." + strings.Repeat("A", 5<<20) + "." + strings.Repeat("A", 5<<20),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := v.Verify(t.Context(), token, nonce)
			_, eventErr := v.VerifyEvent(t.Context(), token)
			runtime.ReadMemStats(&after)
			requireReason(t, googlesession.ReasonMalformed, err)
			requireReason(t, googlesession.ReasonMalformed, eventErr)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10), "bytes")
		})
	}
}

// V-6, V-10: a token for somebody else, or of yesterday, is no reason to ask for
// keys, even if they would be needed.
func TestNoFetchForOthersTokens(t *testing.T) {
	for want, change := range map[googlesession.TokenReason]func(d *googletest.Draft){
		googlesession.ReasonAudience: func(d *googletest.Draft) { d.Claims["aud"] = "another" },
		googlesession.ReasonTime:     func(d *googletest.Draft) { d.Claims["exp"] = time.Now().Unix() },
	} {
		synctest.Test(t, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			d := g.Draft(email, nonce)
			change(d)
			_, err := newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
			requireReason(t, want, err)
			require.Zero(t, fetches(g), want)
		})
	}
}

// V-13: Google's signature comes first, so that the nonce says nothing about
// forged tokens, and a token that nobody asked a nonce for is none with one.
func TestNonceComesLast(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	_, err := v.Verify(t.Context(), g.Mint(g.Draft(email, "another").Forge()), nonce)
	requireReason(t, googlesession.ReasonSignature, err)
	d := g.Draft(email, "another")
	d.Claims["azp"] = "another"
	_, err = v.Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonParty, err)
	d = g.Draft(email, "another")
	d.Claims["iat"] = time.Now().Add(-time.Hour).Unix()
	_, err = v.Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonTime, err)
}

// V-10: the clock decides when the keys have come, not when the token did.
func TestExpiresWhileKeysAreFetched(t *testing.T) {
	for name, tt := range map[string]struct {
		claim string
		in    time.Duration
	}{
		"exp":                 {"exp", 3 * time.Second},
		"exp, in that second": {"exp", 5 * time.Second}, // idtoken would take it
		"MaxAge":              {"iat", 3*time.Second - 10*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(clientID)
				g.Respond(slowly(g, 5*time.Second))
				d := g.Draft(email, nonce)
				d.Claims[tt.claim] = time.Now().Add(tt.in).Unix()
				_, err := newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
				requireReason(t, googlesession.ReasonTime, err)
			})
		})
	}
}

// V-10: to the millisecond; claims know seconds only.
func TestTimesBetweenSeconds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		claim string
		value time.Duration // from the start
		at    time.Duration
		ok    bool
	}{
		{"last moment", "exp", 5 * time.Minute, 5*time.Minute - time.Millisecond, true},
		{"expired", "exp", 5 * time.Minute, 5 * time.Minute, false},
		{"of age", "iat", 0, 10 * time.Minute, true},
		{"too old", "iat", 0, 10*time.Minute + time.Millisecond, false},
		{"issued too soon", "iat", 2 * time.Minute, time.Minute - time.Millisecond, false},
		{"issued soon", "iat", 2 * time.Minute, time.Minute, true},
		{"not valid yet", "nbf", 2 * time.Minute, time.Minute - time.Millisecond, false},
		{"almost valid", "nbf", 2 * time.Minute, time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(clientID)
				d := g.Draft(email, nonce)
				d.Claims[tt.claim] = time.Now().Add(tt.value).Unix()
				token, v := g.Mint(d), newVerifier(t, g)
				after(tt.at)
				_, err := v.Verify(t.Context(), token, nonce)
				if tt.ok {
					require.NoError(t, err)
					return
				}
				requireReason(t, googlesession.ReasonTime, err)
			})
		})
	}
}

// V-10: not even the leeway makes room for a token that ends when it begins.
func TestNoLifetime(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	d := g.Draft(email, nonce)
	d.Claims["iat"] = time.Now().Add(30 * time.Second).Unix()
	d.Claims["exp"] = d.Claims["iat"]
	_, err := newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonTime, err)
}
