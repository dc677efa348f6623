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
)

// inBubble runs a test about the life of keys: a stand-in for Google and a
// verifier on a clock that only sleeping moves.
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

// tokens returns a function that returns a good token of now. It signs one in a
// minute, and one with each key, because that is what takes long.
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

func after(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // synctest
	synctest.Wait()
}

func fail(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }

// V-15: one fetch for everybody who waits for it.
func TestOneFetchForAll(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			after2 := time.After(time.Second)
			<-after2
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

// V-15: who began the fetch may leave; the others get their keys.
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

// V-15: Google down for a day is no outage of ours; after that it is one: 503.
func TestStaleKeys(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=3600")
			w.Header().Set("Content-Type", "application/json")
			g.ServeKeys(keepHeader{w, "max-age=3600"}, r)
		})
		require.NoError(t, verify())
		g.Respond(fail)
		after(time.Hour - time.Second)
		require.NoError(t, verify())
		require.Equal(t, 1, fetches(g), "still fresh")
		after(time.Second)
		require.NoError(t, verify(), "stale")
		require.Equal(t, 2, fetches(g))
		after(24*time.Hour - time.Second)
		require.NoError(t, verify(), "stale for almost a day")
		after(time.Second)
		requireUnavailable(t, verify(), "stale for a day")
		g.Respond(nil)
		after(time.Minute)
		require.NoError(t, verify(), "Google is back")
	})
}

// keepHeader sets a Cache-Control of the test's over the stand-in's.
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

// V-15: a server that begins during an outage does not ask with every request.
func TestColdAndUnreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(fail)
		for range 100 {
			requireUnavailable(t, verify())
		}
		require.Equal(t, 1, fetches(g))
		for i, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
			after(wait - time.Millisecond)
			requireUnavailable(t, verify())
			require.Equal(t, 1+i, fetches(g))
			after(time.Millisecond)
			requireUnavailable(t, verify())
			require.Equal(t, 2+i, fetches(g))
		}
		for i := range 200 { // the waiting grows no further, and never ends
			after(time.Minute)
			requireUnavailable(t, verify())
			requireUnavailable(t, verify())
			require.Equal(t, 7+i, fetches(g))
		}
		g.Respond(nil)
		after(time.Minute)
		require.NoError(t, verify())

		g.Respond(fail)
		after(48 * time.Hour)
		before := fetches(g)
		requireUnavailable(t, verify())
		after(10 * time.Second)
		requireUnavailable(t, verify())
		require.Equal(t, before+2, fetches(g), "the next outage begins with short waits")
	})
}

// V-16: a new key is found at once, a retired one is forgotten with the next fetch.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		verify := func(token string) error {
			_, err := v.Verify(t.Context(), token, nonce)
			return err
		}
		old := g.KeyID()
		oldToken := g.Draft(email, nonce)
		oldToken.Claims["exp"] = time.Now().Add(24 * time.Hour).Unix()
		minted := g.Mint(oldToken)
		require.NoError(t, verify(minted))
		g.Rotate()
		require.NoError(t, verify(g.Token(email, nonce)))
		require.NoError(t, verify(minted), "both are published")
		require.Equal(t, 2, fetches(g))

		g.Retire(old)
		after(time.Minute)
		g.Rotate()
		require.NoError(t, verify(g.Token(email, nonce)), "fetches")
		requireReason(t, googlesession.ReasonSignature, verify(minted))
	})
}
