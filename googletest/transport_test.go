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
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// Handlers and clients see in memory what they see over a socket.
func TestBrowserIsLikeAServer(t *testing.T) {
	gzipped := func(s string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.Bytes()
	}
	for name, h := range map[string]http.HandlerFunc{
		"nothing":        func(http.ResponseWriter, *http.Request) {},
		"text":           func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") },
		"empty text":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "") },
		"status":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"unknown status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) },
		"no content":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"content in spite of it": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, err := io.WriteString(w, "text")
			checkIs(err, http.ErrBodyNotAllowed)
		},
		"not modified": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			w.WriteHeader(http.StatusNotModified)
		},
		"error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
		"status and text": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, "<p>text")
		},
		"status twice": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
		},
		"early hints": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		},
		"header too late": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Early", "1")
			w.WriteHeader(http.StatusOK)
			w.Header().Set("X-Late", "1")
			w.Header().Set("X-Early", "2")
		},
		"content type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
		},
		"no content type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "{}")
		},
		"length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			_, _ = io.WriteString(w, "text")
		},
		"less than the length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "40")
			_, _ = io.WriteString(w, "text")
		},
		"more than the length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			_, err := io.WriteString(w, "text")
			checkIs(err, nil)
			_, err = io.WriteString(w, "more")
			checkIs(err, http.ErrContentLength)
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			checkIs(http.NewResponseController(w).Flush(), nil)
			_, _ = io.WriteString(w, "more")
		},
		"much": func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				_, _ = io.WriteString(w, strings.Repeat("x", 1000))
			}
		},
		"gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipped("text"))
		},
		"another encoding": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, "text")
		},
		"cookies": func(w http.ResponseWriter, _ *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there?x", http.StatusSeeOther) },
		"echo": func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			r.Header.Del("Content-Length") // a server leaves it in the header, for what it is worth
			r.Header.Del("Transfer-Encoding")
			_, _ = fmt.Fprintf(w, "%s %s %q %q %s %d %q %v %v %v", r.Method, r.RequestURI, r.URL, r.URL.Path, r.Proto,
				r.ContentLength, body, err, r.Header, r.GetBody == nil)
		},
		"abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"abort too late": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			checkIs(http.NewResponseController(w).Flush(), nil)
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			memory := googletest.NewGoogle(client).Browser(h)
			memory.Jar = nil // it would come back
			for _, c := range []*http.Client{server.Client(), memory} {
				c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			}
			for _, make := range []func(origin string) (*http.Request, error){
				func(origin string) (*http.Request, error) { return http.NewRequest(http.MethodGet, origin, nil) },
				func(origin string) (*http.Request, error) { return http.NewRequest(http.MethodHead, origin+"/x", nil) },
				func(origin string) (*http.Request, error) {
					return http.NewRequest("", origin+"/a%2Fb%20c/?q=%26&x#fragment", nil)
				},
				func(origin string) (*http.Request, error) {
					return http.NewRequest(http.MethodPost, origin+"/", strings.NewReader("body"))
				},
				func(origin string) (*http.Request, error) {
					return http.NewRequest(http.MethodPut, origin+"/", io.MultiReader(strings.NewReader("of unknown length")))
				},
				func(origin string) (*http.Request, error) {
					r, err := http.NewRequest(http.MethodGet, origin+"/", nil)
					r.Header = http.Header{"Accept-Encoding": {"gzip"}, "User-Agent": {"test"}, "X-Twice": {"1", "2"}}
					return r, err
				},
			} {
				want, err := make(server.URL)
				require.NoError(t, err)
				got, err := make(googletest.Origin)
				require.NoError(t, err)
				// The server may be about to close a connection, and a body that is sent
				// but once cannot be sent again.
				server.Client().CloseIdleConnections()
				require.Equal(t, seen(server.Client(), want), seen(memory, got), "%s %s", got.Method, got.URL)
			}
		})
	}
}

// checkIs panics in a handler, which makes both answers differ from what is
// expected: handlers run in goroutines that may not fail a test.
func checkIs(err, target error) {
	if !errors.Is(err, target) {
		panic(fmt.Sprintf("got %v, want %v", err, target))
	}
}

// seen is what a client sees of an answer.
func seen(c *http.Client, r *http.Request) string {
	res, err := c.Do(r)
	if err != nil {
		return "no answer"
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Header.Del("Date")
	return fmt.Sprintf("%s %s %v %d %v\n%s\n%v", res.Proto, res.Status, res.Header, res.ContentLength, res.Uncompressed, body, err)
}

// What a server alone cannot have: HTTPS without a certificate.
func TestBrowserRequest(t *testing.T) {
	var in *http.Request
	browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { in = r }))
	get(t, browser, googletest.Origin+"/x")
	require.Equal(t, "app.test", in.Host)
	require.Equal(t, "192.0.2.1:1234", in.RemoteAddr)
	require.Equal(t, "app.test", in.TLS.ServerName)
	require.True(t, in.TLS.HandshakeComplete)
	require.Error(t, in.Context().Err(), "the handler has returned")
}

func TestBrowserPanics(t *testing.T) {
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"text":        {func(http.ResponseWriter, *http.Request) { panic("oh dear") }, "the handler panicked: oh dear\n"},
		"error":       {func(http.ResponseWriter, *http.Request) { panic(io.ErrNoProgress) }, io.ErrNoProgress.Error()},
		"status code": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(7) }, "invalid WriteHeader code 7"},
		"FailNow":     {func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, "the handler ended its goroutine"},
		"after some bytes": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			panic("oh dear")
		}, "oh dear"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := googletest.NewGoogle(client).Browser(tt.h).Get(googletest.Origin)
			require.ErrorContains(t, err, tt.want)
			if name == "error" {
				require.ErrorIs(t, err, io.ErrNoProgress)
			}
		})
	}
}

// A handler that sends events and waits for the client to go away.
func TestBrowserStreams(t *testing.T) {
	for name, leave := range map[string]func(res *http.Response, cancel func()){
		"close":  func(res *http.Response, _ func()) { _ = res.Body.Close() },
		"cancel": func(_ *http.Response, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended bool
				var late error
				browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for range 3 { // without waiting for a reader
						_, _ = io.WriteString(w, "data: 1\n\n")
						w.(http.Flusher).Flush()
					}
					<-r.Context().Done()
					time.Sleep(time.Millisecond) //nolint:forbidigo // synctest
					_, late = io.WriteString(w, "too late")
					ended = true
				}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, googletest.Origin, nil)
				require.NoError(t, err)
				res, err := browser.Do(r)
				require.NoError(t, err)
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

// A body is there to be read after the handler has returned, however late.
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
			body := &closed{Reader: strings.NewReader("x")}
			res, err := googletest.NewGoogle(client).Browser(http.NotFoundHandler()).Post(url, "text/plain", body)
			if err == nil {
				require.NoError(t, res.Body.Close())
			}
			synctest.Wait()
			require.True(t, body.yes, url)
		}
	})
}

type closed struct {
	io.Reader

	yes bool
}

func (c *closed) Close() error {
	c.yes = true
	return nil
}
