package googletest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// newRequest returns a request with the test's context.
func newRequest(t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, googletest.Origin+"/", body)
	require.NoError(t, err)
	return r
}

// A handler sends events, without waiting for a reader, until the client goes away.
func TestBrowserStreams(t *testing.T) {
	for name, leave := range map[string]func(res *http.Response, cancel func()){
		"close":  func(res *http.Response, _ func()) { _ = res.Body.Close() },
		"cancel": func(_ *http.Response, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent, ended bool
				var late error
				browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for range 3 {
						_, _ = io.WriteString(w, "data: 1\n\n")
						w.(http.Flusher).Flush()
					}
					sent = true
					<-r.Context().Done()
					time.Sleep(time.Millisecond) //nolint:forbidigo // synctest
					_, _ = io.WriteString(w, "too late")
					late = http.NewResponseController(w).Flush()
					ended = true
				}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				res, err := browser.Do(newRequest(t, http.MethodGet, nil).WithContext(ctx))
				require.NoError(t, err)
				synctest.Wait()
				require.True(t, sent, "the handler has sent all events before the client reads one")
				events := make([]byte, 27)
				_, err = io.ReadFull(res.Body, events)
				require.NoError(t, err)
				require.Equal(t, strings.Repeat("data: 1\n\n", 3), string(events))
				synctest.Wait()
				require.False(t, ended)

				leave(res, cancel)
				time.Sleep(time.Second) //nolint:forbidigo // synctest
				synctest.Wait()
				require.True(t, ended)
				require.Error(t, late)
				_, err = res.Body.Read(events)
				require.Error(t, err)
				require.NotErrorIs(t, err, io.EOF)
				_ = res.Body.Close()
			})
		})
	}
}

// The client and the handler talk in turns, in one request.
func TestBrowserStreamsBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			connection := http.NewResponseController(w)
			errorIs(t, connection.EnableFullDuplex(), nil)
			errorIs(t, connection.Flush(), nil)
			for lines := bufio.NewScanner(r.Body); lines.Scan(); {
				_, _ = fmt.Fprintln(w, strings.ToUpper(lines.Text()))
				errorIs(t, connection.Flush(), nil)
			}
		}))
		body, lines := io.Pipe()
		res, err := browser.Do(newRequest(t, http.MethodPost, body))
		require.NoError(t, err)
		answers := bufio.NewReader(res.Body)
		for _, word := range []string{"one", "two", "three"} {
			_, err := fmt.Fprintln(lines, word)
			require.NoError(t, err)
			answer, err := answers.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, strings.ToUpper(word)+"\n", answer)
		}
		require.NoError(t, lines.Close())
		_, err = answers.ReadString('\n')
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, res.Body.Close())
	})
}

// A body can be read after the handler has returned.
func TestBrowserBodyOutlivesHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{1, 60 << 10, 70 << 10} {
			browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, size))
			}))
			res, err := browser.Get(googletest.Origin)
			require.NoError(t, err)
			synctest.Wait()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Len(t, body, size)
			require.NoError(t, res.Body.Close())
		}
	})
}

func TestBrowserClosesRequestBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, url := range []string{googletest.Origin, "https://else.test"} {
			body := &watchedBody{Reader: strings.NewReader("x")}
			res, err := googletest.NewGoogle(client).Browser(http.NotFoundHandler()).Post(url, "text/plain", body)
			if err == nil {
				require.NoError(t, res.Body.Close())
			}
			synctest.Wait()
			require.True(t, body.closed, url)
		}
	})
}

// A watchedBody notes what is done with it.
type watchedBody struct {
	io.Reader

	read, closed bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read = true
	return b.Reader.Read(p)
}

func (b *watchedBody) Close() error {
	b.closed = true
	return nil
}

// A client that sends more than the handler reads gets the response, and not the error of
// writing to a connection that the server has closed. The bubble may end at once.
func TestBrowserBodyTooLarge(t *testing.T) {
	tooLarge := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 4<<10)); err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
	})
	unread := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) })
	for name, h := range map[string]http.Handler{"limited": tooLarge, "unread": unread} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				browser := googletest.NewGoogle(client).Browser(h)
				for range 100 {
					res, err := browser.Do(newRequest(t, http.MethodPost, strings.NewReader(strings.Repeat("x", 1<<20))))
					require.NoError(t, err)
					require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
					require.NoError(t, res.Body.Close())
				}
				require.Equal(t, start, time.Now())
			})
		})
	}
}

// Each way of ending a request ends its goroutines, else the bubble would fail.
func TestBrowserLeavesNoGoroutines(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/text", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") })
	mux.HandleFunc("/much", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/text", http.StatusSeeOther) })
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("oh dear") })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // http.Server looks for a client that goes away only after the body
		<-r.Context().Done()
	})
	synctest.Test(t, func(t *testing.T) {
		browser := googletest.NewGoogle(client).Browser(mux)
		browser.Timeout = time.Second
		errs := make(map[string]error)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			for _, path := range []string{"/empty", "/text", "/much", "/redirect", "/panic", "/hang", "/nowhere"} {
				r := newRequest(t, method, strings.NewReader("body"))
				r.URL.Path = path
				res, err := browser.Do(r)
				errs[path] = err
				if err == nil {
					require.NoError(t, res.Body.Close()) // without reading it
				}
			}
		}
		for _, path := range []string{"/panic", "/hang"} {
			require.Error(t, errs[path], path)
			delete(errs, path)
		}
		for path, err := range errs {
			require.NoError(t, err, path)
		}
	})
}

// One client is used by many goroutines, in a bubble and outside of one.
func TestBrowserInParallel(t *testing.T) {
	body := strings.Repeat("0123456789", 20<<10)
	browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		_, _ = w.Write(text)
	}))
	run := func(t *testing.T) {
		errs := make(chan error)
		for range 50 {
			go func() {
				res, err := browser.Post(googletest.Origin, "text/plain", strings.NewReader(body))
				if err != nil {
					errs <- err
					return
				}
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				if err == nil && string(text) != body {
					err = fmt.Errorf("got %d bytes back, want %d", len(text), len(body))
				}
				errs <- err
			}()
		}
		for range 50 {
			require.NoError(t, <-errs)
		}
	}
	run(t)
	synctest.Test(t, run)
	run(t)
}
