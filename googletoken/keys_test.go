package googletoken_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// inBubble runs a test in a synctest bubble, with a stand-in for Google and a function that
// verifies a good token.
func inBubble(t *testing.T, test func(t *testing.T, g *googletest.Google, verify func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		token := tokens(g)
		test(t, g, func() error {
			_, err := v.Verify(t.Context(), token(), nonce)
			return err
		})
	})
}

// tokens returns a function that returns a good token that is valid now. It signs one token
// in a minute and one with each key, because signing takes long.
func tokens(g *googletest.Google) func() string {
	var mu sync.Mutex
	var token, kid string
	var minted time.Time
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		if newest := g.KeyID(); kid != newest || time.Since(minted) > time.Minute {
			token, kid, minted = g.Token(email, nonce), newest, time.Now()
		}
		return token
	}
}

func fetches(g *googletest.Google) int { return g.Requests(googletest.CertsURL) }

// advance moves the bubble's clock.
func advance(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // synctest
	synctest.Wait()
}

func fail(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }

// Concurrent callers share one fetch.
func TestOneFetchForAll(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(time.Second)
			g.ServeKeys(w, r)
		})
		var wg sync.WaitGroup
		var good atomic.Int32
		for range 200 {
			wg.Go(func() {
				if verify() == nil {
					good.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 200, good.Load())
		require.Equal(t, 1, fetches(g))
	})
}

// A fetch goes on if the caller that began it gives up.
func TestFetchOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(time.Second)
			g.ServeKeys(w, r)
		})
		ctx, cancel := context.WithCancel(t.Context())
		token := g.Token(email, nonce)
		var first, second error
		var wg sync.WaitGroup
		wg.Go(func() { _, first = v.Verify(ctx, token, nonce) })
		synctest.Wait()
		wg.Go(func() { _, second = v.Verify(t.Context(), token, nonce) })
		synctest.Wait()
		cancel()
		wg.Wait()
		require.ErrorIs(t, first, context.Canceled)
		requireUnavailable(t, first)
		require.NoError(t, second)
		require.Equal(t, 1, fetches(g))
	})
}

// An outage of Google does not matter for a day. After that it is an outage of the Verifier.
func TestStaleKeys(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=3600")
			w.Header().Set("Content-Type", "application/json")
			g.ServeKeys(keepHeader{w, "max-age=3600"}, r)
		})
		require.NoError(t, verify())
		g.Respond(fail)
		advance(time.Hour - time.Second)
		require.NoError(t, verify())
		require.Equal(t, 1, fetches(g), "the keys are still fresh")
		advance(time.Second)
		require.NoError(t, verify(), "the keys are stale")
		require.Equal(t, 2, fetches(g))
		advance(24*time.Hour - time.Second)
		require.NoError(t, verify(), "the keys are stale for almost a day")
		advance(time.Second)
		requireUnavailable(t, verify(), "the keys are stale for a day")
		g.Respond(nil)
		advance(time.Minute)
		require.NoError(t, verify(), "Google is back")
	})
}

// A keepHeader overrides the Cache-Control of the stand-in.
type keepHeader struct {
	http.ResponseWriter

	cacheControl string
}

func (k keepHeader) WriteHeader(status int) {
	k.Header().Set("Cache-Control", k.cacheControl)
	k.ResponseWriter.WriteHeader(status)
}

func (k keepHeader) Write(p []byte) (int, error) {
	k.Header().Set("Cache-Control", k.cacheControl)
	return k.ResponseWriter.Write(p)
}

// A Verifier that starts during an outage does not fetch keys for every token.
func TestStartDuringOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(fail)
		for range 100 {
			requireUnavailable(t, verify())
		}
		require.Equal(t, 1, fetches(g))
		for i, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
			advance(wait - time.Millisecond)
			requireUnavailable(t, verify())
			require.Equal(t, 1+i, fetches(g))
			advance(time.Millisecond)
			requireUnavailable(t, verify())
			require.Equal(t, 2+i, fetches(g))
		}
		for i := range 200 { // the wait does not grow any more
			advance(time.Minute)
			requireUnavailable(t, verify())
			requireUnavailable(t, verify())
			require.Equal(t, 7+i, fetches(g))
		}
		g.Respond(nil)
		advance(time.Minute)
		require.NoError(t, verify())

		g.Respond(fail)
		advance(48 * time.Hour)
		before := fetches(g)
		requireUnavailable(t, verify())
		advance(10 * time.Second)
		requireUnavailable(t, verify())
		require.Equal(t, before+2, fetches(g), "the next outage begins with short waits")
	})
}

// A new key is found at once. A retired key is forgotten with the next fetch.
func TestRotation(t *testing.T) {
	for _, kind := range []struct {
		name   string
		mint   func(*googletest.Google) string
		verify func(ctx context.Context, v *googletoken.Verifier, token string) error
	}{
		{
			"ID token", func(g *googletest.Google) string { return g.Token(email, nonce) },
			func(ctx context.Context, v *googletoken.Verifier, token string) error {
				_, err := v.Verify(ctx, token, nonce)
				return err
			},
		},
		{
			"event", func(g *googletest.Google) string { return g.SecurityEvent(disabled, email) },
			func(ctx context.Context, v *googletoken.Verifier, token string) error {
				_, err := v.VerifyEvent(ctx, token)
				return err
			},
		},
	} {
		t.Run(kind.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(clientID)
				v := newVerifier(t, g)
				old, token := g.KeyID(), kind.mint(g)
				require.NoError(t, kind.verify(t.Context(), v, token))
				g.Rotate()
				require.NoError(t, kind.verify(t.Context(), v, kind.mint(g)))
				require.NoError(t, kind.verify(t.Context(), v, token), "both keys are published")
				require.Equal(t, 2, fetches(g))

				g.Retire(old)
				advance(time.Minute)
				g.Rotate()
				require.NoError(t, kind.verify(t.Context(), v, kind.mint(g)), "the new key is fetched")
				requireReason(t, googlesession.ReasonSignature, kind.verify(t.Context(), v, token))
			})
		})
	}
}
