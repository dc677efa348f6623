package googletoken_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// Events and ID tokens share the limit on fetches for unknown keys.
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
		require.Equal(t, 2, junk(), "the first unknown key before each fetch is refused")
		require.Equal(t, 2, fetches(g), "a regular fetch, and a forced one at once")
		advance(time.Minute - time.Millisecond)
		require.Zero(t, junk())
		require.Equal(t, 2, fetches(g))
		advance(time.Millisecond)
		require.Equal(t, 1, junk())
		require.Equal(t, 3, fetches(g))
	})
}

// Without keys the answer is an outage, so that Google sends the event again. With keys, an
// outage of Google of up to a day does not matter.
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
		requireUnavailable(t, verify(), "there are no keys yet")
		g.Respond(nil)
		advance(10 * time.Second)
		require.NoError(t, verify())
		g.Respond(fail)
		advance(24 * time.Hour)
		require.NoError(t, verify(), "the keys are stale")
		advance(7 * time.Hour)
		requireUnavailable(t, verify(), "the keys are stale for more than a day")
		g.Respond(nil)
		advance(time.Minute)
		require.NoError(t, verify(), "Google is back, and the token does not expire")
	})
}

// A caller that gives up waiting for keys gets an outage.
func TestEventGivesUpWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		g.Respond(slowly(g, 5*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := newVerifier(t, g).VerifyEvent(ctx, g.SecurityEvent(disabled, email))
		requireUnavailable(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		advance(5 * time.Second)
	})
}

// Any other failure of the signature check is an outage, including a panic.
func TestSignatureCheckFails(t *testing.T) {
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
