package googletest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// A roundTripper is an http.RoundTripper made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// serveInMemory sends r to h over a connection in memory, by an http.Transport and an
// http.Server, and returns the response.
//
// Each request has a connection, a transport and a server of its own. Their goroutines
// end when the response body has been read or closed and the handler has returned, so a
// client has nothing to close, and one client works in any testing/synctest bubble.
func serveInMemory(h http.Handler, r *http.Request) (*http.Response, error) {
	x := &exchange{handler: h, serverName: r.URL.Hostname()}
	transport := &http.Transport{
		DialTLSContext:        x.dial,
		MaxIdleConnsPerHost:   -1,          // without the Connection header that DisableKeepAlives sends
		ExpectContinueTimeout: time.Second, // as in http.DefaultTransport
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		if failure := x.clientDone(); failure != nil {
			return nil, failure
		}
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		_ = x.clientDone()
		x.client.upgraded()
	case res.Body == http.NoBody:
		if failure := x.clientDone(); failure != nil {
			return nil, failure
		}
	default:
		res.Body = &responseBody{ReadCloser: res.Body, exchange: x}
	}
	return res, nil
}

// An exchange is one request and its response. It is the server's http.Handler, which
// calls the application's and remembers how that failed.
type exchange struct {
	handler    http.Handler
	serverName string
	client     *clientConn // set by dial

	mu      sync.Mutex
	failure error // why the handler did not return; nil if it did, or still runs
	done    bool  // the client has all of the response, or does not want it
}

// dial starts a server for one connection and returns the client's end of it.
func (x *exchange) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	x.client = newClientConn(client)
	end := &serverConn{Conn: server}
	s := http.Server{ //nolint:gosec // its only client is not slow to send headers
		Handler:   x,
		Protocols: new(http.Protocols),
		ConnState: end.stateChanged,
	}
	s.Protocols.SetHTTP1(true)        // the server would set up HTTP/2 for every request
	_ = s.Serve(&listener{conn: end}) // returns after it has started the connection's goroutine
	return x.client, nil
}

// ServeHTTP calls the application's handler. If that panics or ends its goroutine, the
// client's request fails with an error that says so. net/http alone would log the panic
// and tell the client that the connection was closed.
func (x *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: x.serverName}
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		switch {
		case v == http.ErrAbortHandler: //nolint:errorlint // http.Server compares it so
			panic(v) // and closes the connection, as the handler wants
		case v == nil: // runtime.Goexit was called; the server closes the connection
			x.handlerFailed(errors.New("googletest: the handler ended its goroutine; call t.FailNow only in the test's goroutine"))
		case x.handlerFailed(panicError(v)):
			panic(http.ErrAbortHandler)
		default: // too late for the client, so the server logs it
			panic(v)
		}
	}()
	x.handler.ServeHTTP(w, r)
	returned = true
}

// panicError returns an error for the value of a panic, with the stack. It must be called
// by the deferred function that recovered the value.
func panicError(v any) error {
	if cause, ok := v.(error); ok {
		return fmt.Errorf("googletest: the handler panicked: %w\n%s", cause, debug.Stack())
	}
	return fmt.Errorf("googletest: the handler panicked: %v\n%s", v, debug.Stack())
}

// handlerFailed records why the handler did not return. It reports whether the client can
// still be told.
func (x *exchange) handlerFailed(err error) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.done {
		return false
	}
	x.failure = err
	return true
}

// clientDone records that the client reads no more. It returns why the handler failed, or
// nil if it did not fail before.
func (x *exchange) clientDone() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.done = true
	return x.failure
}

// A responseBody replaces the error of a connection that was closed early by the failure
// of the handler, which is the reason.
type responseBody struct {
	io.ReadCloser

	exchange *exchange
}

func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		if failure := b.exchange.clientDone(); failure != nil {
			err = failure
		}
	}
	return n, err
}

func (b *responseBody) Close() error {
	_ = b.exchange.clientDone()
	return b.ReadCloser.Close()
}
