package googletest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// A handler and a client see in memory what they see over a socket.
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
		"content after no content": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, err := io.WriteString(w, "text")
			errorIs(t, err, http.ErrBodyNotAllowed)
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
		"header after the status": func(w http.ResponseWriter, _ *http.Request) {
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
			errorIs(t, err, nil)
			_, err = io.WriteString(w, "more")
			errorIs(t, err, http.ErrContentLength)
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			errorIs(t, http.NewResponseController(w).Flush(), nil)
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
			_, _ = fmt.Fprintf(w, "%s %s %q %q %s %d %q %v %v %v", r.Method, r.RequestURI, r.URL, r.URL.Path, r.Proto,
				r.ContentLength, body, err, r.Header, r.GetBody == nil)
		},
		"trailer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "text")
			w.Header().Set("X-Sum", "4")
		},
		"abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"abort after a flush": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			errorIs(t, http.NewResponseController(w).Flush(), nil)
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			memory := googletest.NewGoogle(client).Browser(h)
			memory.Jar = nil // the other client has no cookies
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
				// The server may be about to close an idle connection, and a body
				// that can be read only once cannot be sent again.
				server.Client().CloseIdleConnections()
				require.Equal(t, seen(server.Client(), want), seen(memory, got), "%s %s", got.Method, got.URL)
			}
		})
	}
}

// errorIs fails the test if err does not match target. It is for handlers, whose goroutines
// must not call FailNow and so cannot use require.
func errorIs(t *testing.T, err, target error) {
	if !errors.Is(err, target) {
		t.Errorf("got %v, want %v", err, target)
	}
}

// seen returns what a client sees of the response.
func seen(c *http.Client, r *http.Request) string {
	res, err := c.Do(r)
	if err != nil {
		return "no answer"
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Header.Del("Date")
	return fmt.Sprintf("%s %s %v %d %v\n%s\n%v %v",
		res.Proto, res.Status, res.Header, res.ContentLength, res.Uncompressed, body, res.Trailer, err)
}

// A handler sees a request that came over HTTPS, although there is no certificate.
func TestBrowserRequest(t *testing.T) {
	var in *http.Request
	browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { in = r }))
	get(t, browser, googletest.Origin+"/x")
	require.Equal(t, "app.test", in.Host)
	require.Equal(t, "192.0.2.1:1234", in.RemoteAddr)
	require.Equal(t, "192.0.2.2:443", fmt.Sprint(in.Context().Value(http.LocalAddrContextKey)))
	require.Empty(t, in.Header.Get("Connection"))
	require.Equal(t, "app.test", in.TLS.ServerName)
	require.True(t, in.TLS.HandshakeComplete)
	require.Error(t, in.Context().Err(), "the handler has returned")
}

// A panic of the handler is the error of the request, or of reading its response.
func TestBrowserPanics(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"text", func(http.ResponseWriter, *http.Request) { panic("oh dear") }, "the handler panicked: oh dear\n"},
		{"error", func(http.ResponseWriter, *http.Request) { panic(io.ErrNoProgress) }, io.ErrNoProgress.Error()},
		{"status code", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(7) }, "invalid WriteHeader code 7"},
		{"FailNow", func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, "the handler ended its goroutine"},
		{"after some bytes", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			panic("oh dear")
		}, "oh dear"},
		{"after a flush", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			errorIs(t, http.NewResponseController(w).Flush(), nil)
			panic("oh dear")
		}, "transport_test.go"}, // in the stack
		{"FailNow after a flush", func(w http.ResponseWriter, _ *http.Request) {
			errorIs(t, http.NewResponseController(w).Flush(), nil)
			runtime.Goexit()
		}, "the handler ended its goroutine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := googletest.NewGoogle(client).Browser(tt.h).Get(googletest.Origin)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				require.NoError(t, res.Body.Close())
			}
			require.ErrorContains(t, err, tt.want)
			if tt.name == "error" {
				require.ErrorIs(t, err, io.ErrNoProgress)
			}
		})
	}
}

// A panic after the client has read the response is logged, as every server does.
func TestBrowserPanicsTooLate(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	synctest.Test(t, func(t *testing.T) {
		read := make(chan struct{})
		browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			_, _ = io.WriteString(w, "text")
			errorIs(t, http.NewResponseController(w).Flush(), nil)
			<-read
			panic("oh dear")
		}))
		_, body := get(t, browser, googletest.Origin)
		require.Equal(t, "text", string(body))
		close(read)
		synctest.Wait()
		require.Contains(t, logged.String(), "http: panic serving 192.0.2.1:1234: oh dear")
		require.Contains(t, logged.String(), "transport_test.go")
	})
}
