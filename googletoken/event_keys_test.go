package googletoken_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// V-16: events and ID tokens share one allowance of requests for unknown keys.
func TestUnknownKeyOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		junk := func() (refused int) {
			for range 100 {
				d := g.EventDraft(disabled, email)
				d.Header["kid"] = rand.Text()
				_, err := v.VerifyEvent(t.Context(), g.Mint(d))
				refused += requireNoKey(t, err)
				idToken := g.Draft(email, nonce)
				idToken.Header["kid"] = rand.Text()
				_, err = v.Verify(t.Context(), g.Mint(idToken), nonce)
				refused += requireNoKey(t, err)
			}
			return refused
		}
		require.Equal(t, 2, junk(), "the first of each fetch")
		require.Equal(t, 2, fetches(g), "a regular one, and a forced one at once")
		after(time.Minute - time.Millisecond)
		require.Zero(t, junk())
		require.Equal(t, 2, fetches(g))
		after(time.Millisecond)
		require.Equal(t, 1, junk())
		require.Equal(t, 3, fetches(g))
	})
}

// V-16: a new key is found at once, a retired one is forgotten with the next fetch.
func TestRotationOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		verify := func(token string) error {
			_, err := v.VerifyEvent(t.Context(), token)
			return err
		}
		old, minted := g.KeyID(), g.SecurityEvent(disabled, email)
		require.NoError(t, verify(minted))
		g.Rotate()
		require.NoError(t, verify(g.SecurityEvent(disabled, email)))
		require.NoError(t, verify(minted), "both are published")
		require.Equal(t, 2, fetches(g))

		g.Retire(old)
		after(time.Minute)
		g.Rotate()
		require.NoError(t, verify(g.SecurityEvent(disabled, email)), "fetches")
		requireReason(t, googlesession.ReasonSignature, verify(minted))
	})
}

// V-15: without keys nobody can say, so that Google is to send it again; a day of
// Google's own outage is none of ours.
func TestOutageOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v, token := newVerifier(t, g), g.SecurityEvent(disabled, email)
		verify := func() error {
			got, err := v.VerifyEvent(t.Context(), token)
			require.Equal(t, err != nil, got.ID == "")
			return err
		}
		g.Respond(fail)
		requireUnavailable(t, verify(), "cold")
		g.Respond(nil)
		after(10 * time.Second)
		require.NoError(t, verify())
		g.Respond(fail)
		after(24 * time.Hour)
		require.NoError(t, verify(), "stale")
		after(7 * time.Hour)
		requireUnavailable(t, verify(), "stale for more than a day")
		g.Respond(nil)
		after(time.Minute)
		require.NoError(t, verify(), "Google is back; the token is as good as before")
	})
}

// V-15: who does not wait for the keys is told to come again.
func TestEventGivesUpWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		g.Respond(slowly(g, 5*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := newVerifier(t, g).VerifyEvent(ctx, g.SecurityEvent(disabled, email))
		requireUnavailable(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		after(5 * time.Second)
	})
}

// V-4: whatever else goes wrong with a signature, panics included, is an outage of
// ours.
func TestSignatureCheckGoesWrong(t *testing.T) {
	for want, key := range map[string]*rsa.PublicKey{
		"panic (runtime.":                    nil,
		"crypto/rsa: missing public modulus": {},
	} {
		err := googletoken.CheckRS256(key, "header.payload", []byte("signature"))
		requireUnavailable(t, err)
		require.ErrorContains(t, err, "googletoken: checking a signature: "+want)
	}

	g := googletest.NewGoogle(clientID)
	v, token := newVerifier(t, g), g.SecurityEvent(disabled, email)
	_, err := v.VerifyEvent(t.Context(), token)
	require.NoError(t, err)
	googletoken.GiveKey(v, g.KeyID(), &rsa.PublicKey{})
	got, err := v.VerifyEvent(t.Context(), token)
	requireUnavailable(t, err)
	require.Zero(t, got)
	requireNoSecret(t, err, token)
}
