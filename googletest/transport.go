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
		MaxIdleConnsPerHost:   -1,          // DisableKeepAlives would send a Connection header
		ExpectContinueTimeout: time.Second, // http.DefaultTransport waits as long
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

// An exchange is one request and its response. It is the http.Handler of the
// server. It calls the application's handler and records how that handler failed.
type exchange struct {
	handler    http.Handler
	serverName string
	client     *clientConn // the client's end of the connection, set by dial

	mu      sync.Mutex
	failure error // why the handler did not return; nil if it returned or still runs
	done    bool  // true if the client reads no more of the response
}

// dial starts a server for one connection and returns the client's end of the connection.
func (x *exchange) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	x.client = newClientConn(client)
	end := &serverConn{Conn: server}
	s := http.Server{ //nolint:gosec // the only client is a Transport in this process, so headers are not slow
		Handler:   x,
		Protocols: new(http.Protocols),
		ConnState: end.stateChanged,
	}
	s.Protocols.SetHTTP1(true)        // without Protocols, the server would set up HTTP/2 for every request
	_ = s.Serve(&listener{conn: end}) // Serve returns after it has started the connection's goroutine
	return x.client, nil
}

// ServeHTTP calls the application's handler. If the handler panics or ends its
// goroutine, the client's request fails with an error that says so. Without that,
// net/http would log the panic and tell the client only that the connection was closed.
func (x *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: x.serverName}
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		switch {
		case v == http.ErrAbortHandler: //nolint:errorlint // http.Server also compares the panic's value with ==
			panic(v) // http.Server then closes the connection, as the handler wants
		case v == nil: // the handler called runtime.Goexit, so the server closes the connection
			x.handlerFailed(errors.New("googletest: the handler ended its goroutine; call t.FailNow only in the test's goroutine"))
		case x.handlerFailed(panicError(v)):
			panic(http.ErrAbortHandler)
		default: // the client reads no more, so the server logs the panic
			panic(v)
		}
	}()
	x.handler.ServeHTTP(w, r)
	returned = true
}

// panicError returns an error that has the value and the stack of a panic.
// It must be called by the deferred function that recovered the value.
func panicError(v any) error {
	if cause, ok := v.(error); ok {
		return fmt.Errorf("googletest: the handler panicked: %w\n%s", cause, debug.Stack())
	}
	return fmt.Errorf("googletest: the handler panicked: %v\n%s", v, debug.Stack())
}

// handlerFailed records err as the reason why the handler did not return. If
// the client reads no more, handlerFailed records nothing and returns false.
func (x *exchange) handlerFailed(err error) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.done {
		return false
	}
	x.failure = err
	return true
}

// clientDone records that the client reads no more. It returns why the
// handler failed, or nil if the handler has not failed until now.
func (x *exchange) clientDone() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.done = true
	return x.failure
}

// A responseBody is the body of a response. If the handler fails, the
// connection is closed early. Read then returns the handler's failure
// instead of the error of the connection.
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
