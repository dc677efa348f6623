package googlesession_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

const (
	shortBody = 200 * time.Millisecond // how long a body may take in these tests
	patience  = 20 * time.Second       // how long the test waits on a busy machine
)

// slowSite returns a site behind a real server, on which bodies must arrive within shortBody.
func slowSite(t *testing.T, edit func(*googlesession.Config), server func(*httptest.Server)) (*site, *httptest.Server) {
	t.Helper()
	s := newSite(t, func(c *googlesession.Config) {
		c.Admins = []string{alice}
		c.SecurityEventVerifier, _ = c.Verifier.(googlesession.SecurityEventVerifier)
		if edit != nil {
			edit(c)
		}
	})
	s.manager.SetBodyTimeout(shortBody)
	srv := httptest.NewUnstartedServer(s)
	if server != nil {
		server(srv)
	}
	if srv.EnableHTTP2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return s, srv
}

// slowRoutes has requests whose body the library reads or refuses to read.
var slowRoutes = []struct {
	name, method, target, media string
	signedIn                    bool
	status                      int
	code                        googlesession.Code
}{
	{"login", "POST", "/api/login", "application/json", false, 408, googlesession.CodeTooSlow},
	{"login by a form", "POST", "/api/login", "application/x-www-form-urlencoded", false, 408, googlesession.CodeTooSlow},
	{"a user's access", "PATCH", "/api/admin/users/x", "application/json", true, 408, googlesession.CodeTooSlow},
	{"security events", "POST", "/api/security-events", "application/secevent+jwt", false, 408, googlesession.CodeTooSlow},
	{"login of a media type that is refused", "POST", "/api/login", "text/plain", false, 415, googlesession.CodeUnsupportedMediaType},
	{"logout", "POST", "/api/logout", "text/plain", false, 204, ""},
	{"the user's other sessions", "DELETE", "/api/sessions", "text/plain", true, 200, ""},
	{"a route that is refused", "DELETE", "/api/sessions", "text/plain", false, 401, googlesession.CodeNoSession},
	{"no route", "POST", "/api/nothing", "text/plain", false, 404, googlesession.CodeNotFound},
	{"another method", "POST", "/api/user", "text/plain", false, 405, googlesession.CodeMethodNotAllowed},
	{"a page of the application that is refused", "POST", "/private", "text/plain", false, 401, googlesession.CodeNoSession},
}

// A body that does not arrive does not hold its connection for ever, whether it is read or
// not.
func TestSlowBody(t *testing.T) {
	s, server := slowSite(t, nil, nil)
	value := cookie(t, s.signIn(t, alice), sessionCookie)
	for _, framing := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
		for i, tt := range slowRoutes {
			if i%4 != 0 && framing != "Content-Length: 100" {
				continue // how net/http waits for a body does not depend on the route
			}
			t.Run(tt.name+", "+framing, func(t *testing.T) {
				t.Parallel() // net/http waits half a second before it closes
				conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
				require.NoError(t, err)
				defer func() { _ = conn.Close() }()
				require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
				request := tt.method + " " + tt.target + " HTTP/1.1\r\nHost: app.test\r\nContent-Type: " + tt.media + "\r\n" + framing + "\r\n"
				if tt.signedIn {
					request += "Cookie: " + sessionCookie + "=" + value + "\r\n"
				}
				_, err = io.WriteString(conn, request+"\r\n1") // the beginning of a body, or of a chunk's length
				require.NoError(t, err)
				reader := bufio.NewReader(conn)
				resp, err := http.ReadResponse(reader, nil) //nolint:bodyclose // the connection ends
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, tt.status, resp.StatusCode, string(body))
				if tt.code != "" {
					require.Equal(t, tt.code, answer{resp.StatusCode, resp.Header, string(body)}.code(t))
				}
				_, err = reader.ReadByte()
				require.False(t, errors.Is(err, context.DeadlineExceeded) || isTimeout(err), "the connection is closed")
			})
		}
	}
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// With HTTP/2, the other requests of the connection go on.
func TestSlowBodyHTTP2(t *testing.T) {
	s, server := slowSite(t, nil, func(srv *httptest.Server) { srv.EnableHTTP2 = true })
	value := cookie(t, s.signIn(t, alice), sessionCookie)
	client := server.Client()
	for _, tt := range slowRoutes {
		if tt.status != http.StatusRequestTimeout {
			continue // HTTP/2 does not wait for a body that is not read
		}
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			body, never := io.Pipe()
			defer func() { _ = never.Close() }()
			r, err := http.NewRequestWithContext(ctx, tt.method, server.URL+tt.target, body)
			require.NoError(t, err)
			r.Host = "app.test"
			r.Header.Set("Content-Type", tt.media)
			if tt.signedIn {
				r.Header.Set("Cookie", sessionCookie+"="+value)
			}
			resp, err := client.Do(r)
			require.NoError(t, err)
			defer resp.Body.Close()
			require.Equal(t, 2, resp.ProtoMajor)
			require.Equal(t, tt.status, resp.StatusCode)
		})
	}
}

// When a body has arrived the deadline is gone, for the rest of the handler and for the next
// request of the connection.
func TestBodyThatArrivesLeavesNoDeadline(t *testing.T) {
	for name, server := range map[string]func(*httptest.Server){
		"HTTP/1.1": nil,
		"HTTP/2":   func(srv *httptest.Server) { srv.EnableHTTP2 = true },
		"a server with a ReadTimeout of its own": func(srv *httptest.Server) {
			srv.Config.ReadTimeout = time.Hour
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			s, srv := slowSite(t, func(c *googlesession.Config) {
				c.Admit = func(ctx context.Context, _ googlesession.Identity) error {
					select {
					case <-ctx.Done():
					case <-time.After(3 * shortBody):
					}
					ended <- ctx.Err()
					return nil
				}
			}, server)
			client := srv.Client()
			send := func(method, target, body string, header ...string) *http.Response {
				r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+target, strings.NewReader(body))
				require.NoError(t, err)
				r.Host = "app.test"
				for i := 0; i < len(header); i += 2 {
					r.Header.Set(header[i], header[i+1])
				}
				resp, err := client.Do(r)
				require.NoError(t, err)
				t.Cleanup(func() { resp.Body.Close() })
				return resp
			}
			resp := send(http.MethodGet, "/api/login", "") //nolint:bodyclose // send closes it
			nonceCookie := resp.Header.Get("Set-Cookie")
			var text bytes.Buffer
			_, err := text.ReadFrom(resp.Body)
			require.NoError(t, err)
			nonce := between(text.String(), `"nonce":"`, `"`)
			require.NotEmpty(t, nonce)
			resp = send(http.MethodPost, "/api/login", `{"credential":"`+s.google.Token(alice, nonce)+`"}`, //nolint:bodyclose // send closes it
				"Content-Type", "application/json", "Cookie", between(nonceCookie, "", ";"))
			require.Equal(t, http.StatusOK, resp.StatusCode)
			require.NoError(t, <-ended, "the handler goes on after the deadline")
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			time.Sleep(2 * shortBody)                                                                  //nolint:forbidigo // a real connection that idles
			require.Equal(t, http.StatusUnauthorized, send(http.MethodGet, "/private", "").StatusCode) //nolint:bodyclose // send closes it
		})
	}
}

// between returns the text that stands after the first before and ahead of the next after.
func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// A shorter ReadTimeout of the server is kept.
func TestShorterReadTimeoutIsKept(t *testing.T) {
	s, server := slowSite(t, nil, func(srv *httptest.Server) { srv.Config.ReadTimeout = shortBody })
	s.manager.SetBodyTimeout(time.Hour)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, "POST /api/login HTTP/1.1\r\nHost: app.test\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestTimeout, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
}

// The body of an admitted request has no deadline, because it is up to the application.
func TestBodyOfAnAdmittedRequestHasNoDeadline(t *testing.T) {
	s, _ := slowSite(t, nil, nil)
	value := cookie(t, s.signIn(t, alice), sessionCookie)
	server := httptest.NewServer(s.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			_, _ = w.Write(body)
		}
	})))
	defer server.Close()
	body, slow := io.Pipe()
	go func() {
		_, _ = io.WriteString(slow, "a")
		time.Sleep(3 * shortBody) //nolint:forbidigo // a real connection that is slow
		_, _ = io.WriteString(slow, "b")
		_ = slow.Close()
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
	require.NoError(t, err)
	r.Header.Set("Cookie", sessionCookie+"="+value)
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "ab", string(got))
}
