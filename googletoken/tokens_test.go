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

// Each row changes a good token in a way that is accepted.
func TestGoodTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *googletest.Draft)
		want   func(id *googlesession.Identity)
	}{
		{"no typ", func(d *googletest.Draft) { delete(d.Header, "typ") }, nil},
		{"typ in lower case", func(d *googletest.Draft) { d.Header["typ"] = "jwt" }, nil},
		{"keys in the header are ignored", func(d *googletest.Draft) {
			maps.Copy(d.Header, map[string]any{
				"jku": "https://attacker.test", "x5u": "https://attacker.test", "jwk": map[string]any{}, "x5c": []string{"x"},
			})
		}, nil},
		{"white space and escapes in the header", func(d *googletest.Draft) {
			d.RawHeader = []byte(" {\n\"a\\u006cg\": \"R\\u00532\\u00356\", \"kid\": \"" + d.Header["kid"].(string) + "\" }\r\n")
		}, nil},
		{"unknown claims", func(d *googletest.Draft) {
			d.Claims["x"] = map[string]any{"y": []any{1.5, nil, true, "z"}}
		}, nil},
		{"nested 16 deep", func(d *googletest.Draft) {
			d.Claims["x"] = json.RawMessage(strings.Repeat("[", 15) + strings.Repeat("]", 15))
		}, nil},
		{"issuer without scheme", func(d *googletest.Draft) { d.Claims["iss"] = "accounts.google.com" }, nil},
		{"an address that contains a service account's domain", func(d *googletest.Draft) {
			d.Claims["email"] = "ada@x.gserviceaccount.com.example.com"
		}, func(id *googlesession.Identity) { id.Email = "ada@x.gserviceaccount.com.example.com" }},
		{"a domain that ends like a service account's", func(d *googletest.Draft) {
			d.Claims["email"] = "ada@mygserviceaccount.com"
		}, func(id *googlesession.Identity) { id.Email = "ada@mygserviceaccount.com" }},
		{"sub of 255 characters", func(d *googletest.Draft) {
			d.Claims["sub"] = strings.Repeat("!~", 127) + "1"
		}, func(id *googlesession.Identity) { id.Subject = strings.Repeat("!~", 127) + "1" }},
		{
			"sub of one character", func(d *googletest.Draft) { d.Claims["sub"] = "0" },
			func(id *googlesession.Identity) { id.Subject = "0" },
		},
		{"no nbf", func(d *googletest.Draft) { delete(d.Claims, "nbf") }, nil},
		{
			"address not verified", func(d *googletest.Draft) { d.Claims["email_verified"] = false },
			func(id *googlesession.Identity) { id.EmailVerified = false },
		},
		{
			"no email_verified", func(d *googletest.Draft) { delete(d.Claims, "email_verified") },
			func(id *googlesession.Identity) { id.EmailVerified = false },
		},
		{"email_verified is a string, true", func(d *googletest.Draft) { d.Claims["email_verified"] = "true" }, nil},
		{
			"email_verified is a string, false", func(d *googletest.Draft) { d.Claims["email_verified"] = "false" },
			func(id *googlesession.Identity) { id.EmailVerified = false },
		},
		{
			"hd is returned as it is", func(d *googletest.Draft) { d.Claims["hd"] = "EXAMPLE.com" },
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

// A value of email_verified that only resembles true is refused.
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

// One level more than in TestGoodTokens is refused.
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

// A token of 8192 bytes is accepted.
func TestLongestToken(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	longest := ""
	for fill := 5000; fill < 8000 && len(longest) != 8192; fill++ {
		d := g.Draft(email, nonce)
		d.Claims["x"] = strings.Repeat("x", fill)
		if longest = g.Mint(d); len(longest) > 8192 {
			// No payload gives this length with this header, so try another header.
			d.Header["x"] = "x"
			longest = g.Mint(d)
		}
	}
	require.Len(t, longest, 8192)
	_, err := v.Verify(t.Context(), longest, nonce)
	require.NoError(t, err)
}

// A token that is too long takes no memory, whatever it consists of.
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
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10), "bytes allocated")
		})
	}
}

// A token for another client, or an expired one, does not cause a fetch, even if there are
// no keys yet.
func TestNoFetchForWrongAudienceOrTime(t *testing.T) {
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

// The nonce is checked last, so that a forged token is refused for its signature, and a
// token for another party or of another time for that.
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

// The times are checked after the keys have arrived.
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

// The times are checked to the millisecond, although claims have whole seconds.
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
		{"as old as MaxAge", "iat", 0, 10 * time.Minute, true},
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
				advance(tt.at)
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

// A token that expires when it is issued is refused, even within the leeway.
func TestNoLifetime(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	d := g.Draft(email, nonce)
	d.Claims["iat"] = time.Now().Add(30 * time.Second).Unix()
	d.Claims["exp"] = d.Claims["iat"]
	_, err := newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
	requireReason(t, googlesession.ReasonTime, err)
}
