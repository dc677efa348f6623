package googletest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// Respond replaces the answer by any other, and nil restores it.
func TestGoogleRespond(t *testing.T) {
	for _, tt := range []struct {
		name    string
		respond func(g *googletest.Google) http.HandlerFunc
		check   func(t *testing.T, res *http.Response, body []byte, err error)
	}{
		{"status", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) }
		}, func(t *testing.T, res *http.Response, _ []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, "503 Service Unavailable", res.Status)
		}},
		{"headers", func(g *googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Age", "7")
				g.ServeKeys(w, r)
			}
		}, func(t *testing.T, res *http.Response, body []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, []string{"max-age=60"}, res.Header["Cache-Control"])
			require.Equal(t, "7", res.Header.Get("Age"))
			require.Contains(t, string(body), `{"keys":[{`)
		}},
		{"HTML", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "<!doctype html><p>Sign in to the network")
			}
		}, func(t *testing.T, res *http.Response, _ []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
		}},
		{"truncated", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, `{"keys":[`)
			}
		}, func(t *testing.T, res *http.Response, body []byte, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.EqualValues(t, 1000, res.ContentLength)
			require.Len(t, body, len(`{"keys":[`))
		}},
		{"cut off", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"keys":[`)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
		}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}},
		{"gzip", func(g *googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				plain := httptest.NewRecorder()
				g.ServeKeys(plain, r)
				w.Header().Set("Content-Encoding", r.Header.Get("Accept-Encoding"))
				z := gzip.NewWriter(w)
				_, _ = z.Write(plain.Body.Bytes())
				_ = z.Close()
			}
		}, func(t *testing.T, res *http.Response, body []byte, err error) {
			require.NoError(t, err)
			require.True(t, res.Uncompressed)
			require.Empty(t, res.Header.Get("Content-Encoding"))
			require.EqualValues(t, -1, res.ContentLength)
			require.Contains(t, string(body), `{"keys":[{`)
		}},
		{"broken gzip", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = io.WriteString(w, "no gzip at all")
			}
		}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			require.ErrorIs(t, err, gzip.ErrHeader)
		}},
		{"redirect", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://attacker.test/certs", http.StatusFound)
			}
		}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			require.ErrorContains(t, err, "not http://attacker.test/certs")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(client)
			g.Respond(tt.respond(g))
			res, err := g.Client().Get(googletest.CertsURL)
			var body []byte
			if err == nil {
				body, err = io.ReadAll(res.Body)
				require.NoError(t, res.Body.Close())
			}
			tt.check(t, res, body, err)
			require.Equal(t, 1, g.Requests(googletest.CertsURL))

			g.Respond(nil)
			require.Len(t, published(t, g), 2)
		})
	}
}

// A handler that never stops writing waits for the client to read.
func TestGoogleRespondEndless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		sent := 0
		g.Respond(func(w http.ResponseWriter, _ *http.Request) {
			for block := bytes.Repeat([]byte(" "), 8<<10); ; sent += len(block) {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		})
		res, err := g.Client().Get(googletest.CertsURL)
		require.NoError(t, err)
		n, err := io.CopyN(io.Discard, res.Body, 1<<20)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		_, err = res.Body.Read(make([]byte, 1))
		require.ErrorContains(t, err, "read on closed response body")
		synctest.Wait() // the handler has ended
		require.Less(t, sent, int(n)+256<<10)
	})
}

// The client's timeout and the request's context end a request while the handler hangs.
func TestGoogleRespondHangs(t *testing.T) {
	for name, hang := range map[string]func(g *googletest.Google, forever chan struct{}) http.HandlerFunc{
		"until the context is done": func(*googletest.Google, chan struct{}) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		},
		"for ever": func(_ *googletest.Google, forever chan struct{}) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { <-forever }
		},
		"after the first bytes": func(_ *googletest.Google, forever chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"keys":[`)
				w.(http.Flusher).Flush()
				<-forever
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(client)
				forever := make(chan struct{})
				defer close(forever)
				g.Respond(hang(g, forever))
				c := g.Client()
				c.Timeout = 7 * time.Second
				start := time.Now()
				_, err := newValidator(t, c).Validate(t.Context(), g.Token("ada@example.com", nonce), client)
				var timeout interface{ Timeout() bool }
				require.ErrorAs(t, err, &timeout)
				require.True(t, timeout.Timeout(), "%v", err)
				require.Equal(t, 7*time.Second, time.Since(start))

				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("enough")) })
				_, err = newValidator(t, g.Client()).Validate(ctx, g.Token("ada@example.com", nonce), client)
				require.ErrorContains(t, err, "enough")
			})
		})
	}
}

// In a bubble, keys and tokens expire on the bubble's clock.
func TestGoogleInSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			g.ServeKeys(w, r)
		})
		v, token := newValidator(t, g.Client()), g.Token("ada@example.com", nonce)
		for _, step := range []struct {
			wait     time.Duration
			requests int
			valid    bool
		}{
			{0, 1, true},
			{time.Minute, 1, true},
			{time.Second, 2, true},
			{59*time.Minute - time.Second, 3, true}, // idtoken accepts a token in the second of its exp
			{time.Second, 3, false},
		} {
			time.Sleep(step.wait) //nolint:forbidigo // synctest
			_, err := v.Validate(t.Context(), token, client)
			require.Equal(t, step.valid, err == nil, "after %v: %v", step.wait, err)
			require.Equal(t, step.requests, g.Requests(googletest.CertsURL), "after %v", step.wait)
		}
	})
}

func TestGoogleConcurrently(t *testing.T) {
	g := googletest.NewGoogle(client)
	errs := make(chan error, 16)
	for i := range cap(errs) {
		go func() {
			errs <- func() error {
				if i%4 == 0 {
					g.Rotate()
				}
				res, err := g.Client().Get(googletest.CertsURL)
				if err != nil {
					return err
				}
				defer res.Body.Close()
				if g.Token("ada@example.com", nonce) == "" || res.StatusCode != http.StatusOK {
					return fmt.Errorf("got %s", res.Status)
				}
				return nil
			}()
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.Equal(t, cap(errs), g.Requests(googletest.CertsURL))
}
