package googletest_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// Trailers (RFC 9110, section 6.5) arrive in both directions, after the body.
func TestBrowserTrailers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var early, late http.Header
		browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			early = r.Trailer.Clone()
			body, err := io.ReadAll(r.Body)
			errorIs(t, err, nil)
			late = r.Trailer.Clone()

			w.Header().Set("Trailer", "Announced")
			_, _ = w.Write(body)
			w.Header().Set("Announced", "0")
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "7")
		}))
		r := newRequest(t, http.MethodPost, nil)
		r.Trailer = http.Header{"Checksum": nil}
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("body"), atEnd(func() { r.Trailer.Set("Checksum", "4") })))
		res, err := browser.Do(r)
		require.NoError(t, err)
		require.Empty(t, res.Trailer.Get("Announced"))
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "body", string(body))
		require.Equal(t, http.Header{"Checksum": nil}, early)
		require.Equal(t, http.Header{"Checksum": {"4"}}, late)
		require.Equal(t, http.Header{"Announced": {"0"}, "Grpc-Status": {"7"}}, res.Trailer)
	})
}

// atEnd is an empty io.Reader that calls the function when it is read.
type atEnd func()

func (f atEnd) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// A handler takes the connection over, as WebSocket servers do.
func TestBrowserUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var remote, local net.Addr
		browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Errorf("Hijack: %v", err)
				return
			}
			defer func() { _ = conn.Close() }()
			remote, local = conn.RemoteAddr(), conn.LocalAddr()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			for lines := bufio.NewScanner(buffered); lines.Scan() && lines.Text() != "bye"; {
				_, _ = io.WriteString(conn, lines.Text()+"\n")
			}
		}))
		r := newRequest(t, http.MethodGet, nil)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "echo")
		res, err := browser.Do(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
		require.Equal(t, "192.0.2.1:1234", remote.String())
		require.Equal(t, "192.0.2.2:443", local.String())

		conn := res.Body.(io.ReadWriteCloser)
		answers := bufio.NewReader(conn)
		for _, line := range []string{"one\n", "two\n"} {
			_, err := io.WriteString(conn, line)
			require.NoError(t, err)
			answer, err := answers.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, line, answer)
		}
		_, err = io.WriteString(conn, "bye\n")
		require.NoError(t, err)
		_, err = answers.ReadString('\n')
		require.ErrorIs(t, err, io.EOF)
		synctest.Wait()
		_, err = io.WriteString(conn, "more\n")
		require.Error(t, err, "the server has closed the connection")
		require.NoError(t, conn.Close())
	})
}

// A handler's deadlines hold, on the bubble's clock.
func TestBrowserDeadlines(t *testing.T) {
	const timeout = 10 * time.Second
	deadline := func() time.Time { return time.Now().Add(timeout) }

	t.Run("read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				errorIs(t, http.NewResponseController(w).SetReadDeadline(deadline()), nil)
				_, err := io.ReadAll(r.Body)
				errorIs(t, err, os.ErrDeadlineExceeded)
				w.WriteHeader(http.StatusRequestTimeout)
			}))
			start := time.Now()
			body, writer := io.Pipe()
			defer func() { _ = writer.Close() }()
			res, err := browser.Do(newRequest(t, http.MethodPost, body)) // whose body never comes
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusRequestTimeout, res.StatusCode)
			require.GreaterOrEqual(t, time.Since(start), timeout)
			require.Less(t, time.Since(start), timeout+time.Second)
		})
	})
	t.Run("write", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var late error
			var took time.Duration
			browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				start := time.Now()
				errorIs(t, http.NewResponseController(w).SetWriteDeadline(deadline()), nil)
				for late == nil {
					_, late = w.Write(make([]byte, 1<<10))
				}
				took = time.Since(start)
			}))
			res, err := browser.Do(newRequest(t, http.MethodGet, nil))
			require.NoError(t, err)
			time.Sleep(2 * timeout) //nolint:forbidigo // synctest; the client does not read
			synctest.Wait()
			require.ErrorIs(t, late, os.ErrDeadlineExceeded)
			require.Equal(t, timeout, took)
			_, err = io.ReadAll(res.Body)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.NoError(t, res.Body.Close())
		})
	})
}

// A client that expects 100 Continue (RFC 9110, section 10.1.1) sends its body only if the
// handler reads it.
func TestBrowserExpectContinue(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			body := &watchedBody{Reader: strings.NewReader("body")}
			var before bool
			var got []byte
			browser := googletest.NewGoogle(client).Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second / 2) //nolint:forbidigo // synctest
				before = body.read
				if !wanted {
					w.WriteHeader(http.StatusExpectationFailed)
					return
				}
				got, _ = io.ReadAll(r.Body)
			}))
			r := newRequest(t, http.MethodPost, body)
			r.Header.Set("Expect", "100-continue")
			res, err := browser.Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.False(t, before, "the body was sent before the handler asked for it")
			synctest.Wait()
			require.Equal(t, wanted, body.read)
			if wanted {
				require.Equal(t, "body", string(got))
			}
		})
	}
}
