package googletoken_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// A failed fetch counts towards the limit like any other. While fetches fail, no token is
// refused for its key.
func TestForcedFetchFails(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		require.NoError(t, show(""))
		g.Respond(fail)
		for minute := range 5 {
			requireUnavailable(t, show("unknown"))
			require.Equal(t, 2+minute, fetches(g))
			advance(time.Minute - time.Millisecond)
			requireUnavailable(t, show("unknown"))
			require.Equal(t, 2+minute, fetches(g))
			advance(time.Millisecond)
		}

		advance(7 * time.Hour)
		requireUnavailable(t, show("unknown"), "the keys are stale")
		require.NoError(t, show(""), "the keys are stale")
		advance(24 * time.Hour)
		requireUnavailable(t, show("unknown"))
		requireUnavailable(t, show(""))
	})
}

// A new key is found when the wait after a failure has ended. Until then its
// tokens are not refused.
func TestRotationDuringOutage(t *testing.T) {
	bearers(t, func(t *testing.T, g *googletest.Google, show func(string) error) {
		require.NoError(t, show(""))
		advance(6 * time.Hour)
		g.Respond(fail)
		require.NoError(t, show(""), "the keys are stale")
		g.Rotate()
		for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute} {
			err := show("")
			requireUnavailable(t, err, "it is too soon for another fetch")
			require.NotErrorIs(t, err, googlesession.ErrUnknownKey, "this is an outage")
			advance(wait)
		}
		require.Equal(t, 5, fetches(g))
		g.Respond(nil)
		require.NoError(t, show(""))
		require.Equal(t, 6, fetches(g))
	})
}

// A caller that gives up gets an outage. The fetch goes on, and answers the same token the
// next time without another fetch.
func TestCallerStopsWaitingForUnknownKey(t *testing.T) {
	for name, show := range map[string]func(b bearer, ctx context.Context, kid string) error{
		"ID token": bearer.signIn, "event": bearer.event,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBearer(t)
				require.NoError(t, show(b, t.Context(), ""))
				b.google.Respond(slowly(b.google, 5*time.Second))
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				err := show(b, ctx, "unknown")
				requireUnavailable(t, err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				requireUnavailable(t, show(b, ctx, "unknown"), "the context has ended before")
				advance(3 * time.Second)
				requireReason(t, googlesession.ReasonSignature, show(b, t.Context(), "unknown"))
				require.Equal(t, 2, fetches(b.google))
			})
		})
	}
}

// A fetch that had begun when the token came does not answer for it.
func TestFetchUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBearer(t)
		g := b.google
		require.NoError(t, b.signIn(t.Context(), ""))
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			g.Keys(func(keys []map[string]any) []map[string]any { return keys[:2] }) // written now, read later
			slowly(g, time.Second)(w, r)
		})
		other := make(chan error, 1)
		go func() { other <- b.signIn(t.Context(), "unknown") }()
		synctest.Wait()
		g.Rotate()
		requireUnavailable(t, b.event(t.Context(), ""))
		requireReason(t, googlesession.ReasonSignature, <-other)
		require.Equal(t, 2, fetches(g))
		g.Respond(nil)
		g.Keys(nil)
		advance(time.Minute)
		require.NoError(t, b.event(t.Context(), ""))
	})
}
