package googletoken_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// A bearer has one Verifier verify ID tokens and security events under any key ID.
type bearer struct {
	google *googletest.Google
	v      *googletoken.Verifier
}

// bearers runs a test once with ID tokens and once with security events. show
// verifies a token that Google has just signed under kid, "" for the newest key.
func bearers(t *testing.T, test func(t *testing.T, g *googletest.Google, show func(kid string) error)) {
	t.Helper()
	t.Run("ID tokens", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBearer(t)
			test(t, b.google, func(kid string) error { return b.signIn(t.Context(), kid) })
		})
	})
	t.Run("events", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBearer(t)
			test(t, b.google, func(kid string) error { return b.event(t.Context(), kid) })
		})
	})
}

func newBearer(t *testing.T) bearer {
	t.Helper()
	g := googletest.NewGoogle(clientID)
	return bearer{g, newVerifier(t, g)}
}

func (b bearer) signIn(ctx context.Context, kid string) error {
	_, err := b.v.Verify(ctx, b.mint(b.google.Draft(email, nonce), kid), nonce)
	return err
}

func (b bearer) event(ctx context.Context, kid string) error {
	_, err := b.v.VerifyEvent(ctx, b.mint(b.google.EventDraft(disabled, email), kid))
	return err
}

// mint does not sign a token under an unknown key, because signing many would take long.
func (b bearer) mint(d *googletest.Draft, kid string) string {
	if kid == "" || kid == b.google.KeyID() {
		return b.google.Mint(d)
	}
	d.Header["kid"] = kid
	part := func(members map[string]any) string {
		text, err := json.Marshal(members)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(d.Header) + "." + part(d.Claims) + ".AAAA"
}

// requireNoKey requires that a token is refused because Google has no such key, or that
// this is not known yet. It returns 1 if the token is refused, otherwise 0.
func requireNoKey(tb testing.TB, err error) (refused int) {
	tb.Helper()
	if errors.Is(err, googlesession.ErrUnavailable) {
		requireUnavailable(tb, err)
		return 0
	}
	requireReason(tb, googlesession.ReasonSignature, err)
	return 1
}

// Unknown keys cause at most one request a minute, and tokens under known keys are accepted
// meanwhile.
func TestUnknownKey(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		junk := func() (refused int) {
			for range 10_000 {
				refused += requireNoKey(t, show(rand.Text()))
			}
			require.NoError(t, show(""))
			return refused
		}
		require.Equal(t, 2, junk(), "the first unknown key before each fetch is refused")
		require.Equal(t, 2, fetches(g), "a regular fetch, and a forced one at once")
		advance(time.Minute - time.Millisecond)
		require.Zero(t, junk())
		require.Equal(t, 2, fetches(g))
		advance(time.Millisecond)
		require.Equal(t, 1, junk())
		require.Equal(t, 3, fetches(g))
		advance(time.Minute)
		g.Respond(fail)
		require.Zero(t, junk())
		require.Equal(t, 4, fetches(g))
	})
}

// A token under a new key is not refused while no fetch is allowed. It is accepted a minute
// later at most, even if invented keys cause every fetch.
func TestNewKeyAfterStrangers(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		require.NoError(t, show(""))
		stranger := func() { requireNoKey(t, show(rand.Text())) }
		for range 1000 {
			stranger()
		}
		for range 3 {
			g.Rotate()
			for range 60 {
				err := show("")
				requireUnavailable(t, err, "an invented key has used up this minute's fetch")
				require.ErrorIs(t, err, googlesession.ErrUnknownKey)
				advance(time.Second)
				stranger()
			}
			require.NoError(t, show(""))
		}
		require.Equal(t, 5, fetches(g))
	})
}

// Once keys have been fetched for a kid, its token is refused from then on. A fetch answers
// for every kid that was seen before it.
func TestUnknownKeyIsRemembered(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		requireReason(t, googlesession.ReasonSignature, show("first"))
		requireReason(t, googlesession.ReasonSignature, show("second"), "by a forced fetch")
		requireReason(t, googlesession.ReasonSignature, show("second"))
		requireUnavailable(t, show("third"))
		requireUnavailable(t, show("third"), "it was seen twice, but there was no fetch after it")
		advance(time.Minute)
		requireReason(t, googlesession.ReasonSignature, show("fourth"), "by a forced fetch")
		requireReason(t, googlesession.ReasonSignature, show("third"), "it is not in the response fetched for the fourth")
		requireUnavailable(t, show("fifth"))
		require.Equal(t, 3, fetches(g))

		g.Respond(fail)
		advance(time.Minute)
		for _, kid := range []string{"first", "second", "third", "fourth", "fifth"} {
			requireUnavailable(t, show(kid), "Google may have it by now: %s", kid)
		}
	})
}

// A kid that was not published when it was first seen is found later.
func TestKeyIsPublishedLate(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		late := g.Rotate()
		g.Keys(func(keys []map[string]any) []map[string]any { return keys[:1] })
		requireReason(t, googlesession.ReasonSignature, show(late))
		g.Keys(nil)
		require.NoError(t, show(late), "by a forced fetch")

		late = g.Rotate()
		requireUnavailable(t, show(late))
		advance(time.Minute)
		require.NoError(t, show(late))
	})
}

// A response without the kid refuses a token only if Google wrote the response after the
// token arrived.
func TestAnswerOfACache(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		cached := func(age string) {
			g.Respond(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Cache-Control") != "no-cache" {
					t.Error("a cache may answer")
				}
				w.Header().Set("Age", age)
				g.ServeKeys(w, r)
			})
		}
		cached("30")
		requireUnavailable(t, show("invented"))
		require.NoError(t, show(""))
		advance(time.Minute)
		cached("61")
		requireUnavailable(t, show("invented"), "the forced fetch brings a response older than the token")
		advance(time.Minute)
		cached("60")
		requireReason(t, googlesession.ReasonSignature, show("invented"), "the forced fetch brings a response younger than the first token")
		for _, age := range []string{"0", "-1", "x", "1, 2"} {
			advance(time.Minute)
			cached(age)
			require.Equal(t, age == "0", requireNoKey(t, show(rand.Text())) == 1, age)
		}
	})
}

// The key of a token that would be refused under any key is not looked for.
func TestNoFetchForFlawedTokens(t *testing.T) {
	for _, warm := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBearer(t)
			if warm {
				require.NoError(t, b.signIn(t.Context(), ""))
			}
			now, before := time.Now(), fetches(b.google)
			for _, flaw := range []struct {
				claim string
				value any
				want  googlesession.TokenReason
			}{
				{"aud", "another", googlesession.ReasonAudience},
				{"iss", "https://attacker.test", googlesession.ReasonIssuer},
				{"iat", now.Add(10 * time.Minute).Unix(), googlesession.ReasonTime},
			} {
				d := b.google.EventDraft(disabled, email)
				d.Claims[flaw.claim] = flaw.value
				_, err := b.v.VerifyEvent(t.Context(), b.mint(d, "unknown"))
				requireReason(t, flaw.want, err)
				d = b.google.Draft(email, nonce)
				d.Claims[flaw.claim] = flaw.value
				_, err = b.v.Verify(t.Context(), b.mint(d, "unknown"), nonce)
				requireReason(t, flaw.want, err)
			}
			for _, flaw := range []struct {
				claim string
				value any
				want  googlesession.TokenReason
			}{
				{"azp", "another", googlesession.ReasonParty},
				{"email", "robot@project.iam.gserviceaccount.com", googlesession.ReasonParty},
				{"iat", now.Add(-11 * time.Minute).Unix(), googlesession.ReasonTime},
				{"nbf", now.Add(10 * time.Minute).Unix(), googlesession.ReasonTime},
				{"exp", now.Unix(), googlesession.ReasonTime},
				{"exp", now.Add(25 * time.Hour).Unix(), googlesession.ReasonTime},
			} {
				d := b.google.Draft(email, nonce)
				d.Claims[flaw.claim] = flaw.value
				_, err := b.v.Verify(t.Context(), b.mint(d, "unknown"), nonce)
				requireReason(t, flaw.want, err)
			}
			require.Equal(t, before, fetches(b.google))

			// The nonce is not checked before the signature.
			d := b.google.Draft(email, "another")
			_, err := b.v.Verify(t.Context(), b.mint(d, "unknown"), nonce)
			requireReason(t, googlesession.ReasonSignature, err)
			require.Equal(t, before+1, fetches(b.google))
		})
	}
}

// The number of unknown key IDs that are remembered is bounded.
func TestUnknownKeysTakeLittleMemory(t *testing.T) {
	b := newBearer(t)
	for range 1000 {
		requireNoKey(t, b.signIn(t.Context(), rand.Text()))
	}
	require.Equal(t, 256, googletoken.Missing(b.v))
}
