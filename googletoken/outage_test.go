package googletoken_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// slowly serves the keys after d.
func slowly(g *googletest.Google, d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
			g.ServeKeys(w, r)
		case <-r.Context().Done():
		}
	}
}

// freshFor serves the keys with this Cache-Control.
func freshFor(g *googletest.Google, cacheControl string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", cacheControl)
		g.ServeKeys(w, r)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// together calls verify from 200 goroutines concurrently.
func together(verify func() error) []error {
	errs := make([]error, 200)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = verify() })
	}
	wg.Wait()
	return errs
}

// Concurrent callers also share one fetch when the keys are no longer fresh, and when the
// fetch fails.
func TestOneFetchForAllLater(t *testing.T) {
	inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
		g.Respond(slowly(g, time.Second))
		require.NoError(t, verify())
		advance(6 * time.Hour)
		for _, err := range together(verify) {
			require.NoError(t, err)
		}
		require.Equal(t, 2, fetches(g))

		advance(7 * 24 * time.Hour)
		g.Respond(fail)
		for _, err := range together(verify) {
			requireUnavailable(t, err)
		}
		require.Equal(t, 3, fetches(g))
	})
}

// A caller waits until its own context ends. The fetch goes on after that.
func TestRequestGivesUpWaiting(t *testing.T) {
	for name, begin := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		},
		"cancelled before": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(clientID)
				g.Respond(slowly(g, 5*time.Second))
				v, token, began := newVerifier(t, g), g.Token(email, nonce), time.Now()
				ctx, cancel := begin(t.Context())
				defer cancel()
				_, err := v.Verify(ctx, token, nonce)
				requireUnavailable(t, err)
				require.ErrorIs(t, err, ctx.Err())
				require.LessOrEqual(t, time.Since(began), 2*time.Second)

				advance(5 * time.Second)
				_, err = v.Verify(ctx, token, nonce)
				require.NoError(t, err, "with keys at hand there is nothing to wait for")
				require.Equal(t, 1, fetches(g))
			})
		})
	}
}

// A fetch ends after ten seconds, however the key server delays it.
func TestFetchTimeout(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"no answer": hang,
		"a header, but no body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		},
		"a blank every second": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
				g.Respond(h)
				began := time.Now()
				for _, err := range together(verify) {
					requireUnavailable(t, err)
				}
				require.Equal(t, 10*time.Second, time.Since(began))
				require.Equal(t, 1, fetches(g))
			})
		})
	}
}

// While a fetch for an unknown key hangs, tokens under known keys do not wait for it.
func TestForcedFetchDelaysNoOtherToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		good := g.Token(email, nonce)
		_, err := v.Verify(t.Context(), good, nonce)
		require.NoError(t, err)

		g.Respond(hang)
		junk := g.Draft(email, nonce)
		junk.Header["kid"] = "unknown"
		bad := g.Mint(junk)
		began := time.Now()
		var refused error
		var wg sync.WaitGroup
		wg.Go(func() { _, refused = v.Verify(t.Context(), bad, nonce) })
		synctest.Wait()
		require.Equal(t, 2, fetches(g), "the fetch is under way")
		_, err = v.Verify(t.Context(), good, nonce)
		require.NoError(t, err)
		require.Zero(t, time.Since(began))
		wg.Wait()
		requireUnavailable(t, refused)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

// Keys are fresh from the request on, for as long as the header says, within two bounds.
func TestFreshnessIsObserved(t *testing.T) {
	for cacheControl, want := range map[string]time.Duration{
		"no-store":                      5 * time.Minute,
		"max-age=0":                     5 * time.Minute,
		"max-age=600":                   10 * time.Minute,
		"max-age=31536000, immutable":   24 * time.Hour,
		"public,max-age=\"7200\" ,x=\"": 2 * time.Hour,
	} {
		t.Run(cacheControl, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
				g.Respond(func(w http.ResponseWriter, r *http.Request) {
					<-time.After(4 * time.Second)
					w.Header().Set("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")
					freshFor(g, cacheControl)(w, r)
				})
				require.NoError(t, verify())
				advance(want - 4*time.Second - time.Millisecond)
				require.NoError(t, verify())
				require.Equal(t, 1, fetches(g))
				advance(time.Millisecond)
				require.NoError(t, verify())
				require.Equal(t, 2, fetches(g))
			})
		})
	}
}

// A roundTrip is a function that is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A client that fails or panics is an outage. It does not end the process, and no caller
// waits for ever.
func TestBrokenClient(t *testing.T) {
	for name, rt := range map[string]roundTrip{
		"error": func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") },
		"panic": func(*http.Request) (*http.Response, error) { panic("with a secret") },
		"exit":  func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				v, err := googletoken.New(googletoken.Config{
					ClientIDs: []string{clientID},
					HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
						n++
						return rt(r)
					})},
				})
				require.NoError(t, err)
				token := googletest.NewGoogle(clientID).Token(email, nonce)
				for _, err := range together(func() error { _, err := v.Verify(t.Context(), token, nonce); return err }) {
					requireUnavailable(t, err)
					require.NotContains(t, err.Error(), "secret")
				}
				require.Equal(t, 1, n)
			})
		})
	}
}
