package googletest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// readAhead is the number of bytes that may wait in a clientConn until the
// client reads them. The last block that fill has read may come on top.
const readAhead = 64 << 10

// A clientConn is the client's end of a connection in memory. A net.Pipe has
// no buffer, and a write to a closed net.Pipe fails at once. But net/http
// relies on what the kernel does for a socket:
//
//   - Some data waits for its reader. A handler that flushes an event does not wait until
//     the client reads it.
//   - A write to a connection that the server has closed succeeds at first. Else
//     http.Transport might return the error of that write instead of the response that a
//     server sends before it closes, 413 for example.
type clientConn struct {
	net.Conn

	failWrites atomic.Bool // true if a write to a closed connection must fail

	mu      sync.Mutex
	changed *sync.Cond // signals changes of the fields below; its lock is mu
	data    []byte
	err     error // the error that Read returns after data; nil if more data may come
	closed  bool
}

func newClientConn(pipe net.Conn) *clientConn {
	c := &clientConn{Conn: pipe}
	c.changed = sync.NewCond(&c.mu)
	go c.fill()
	return c
}

// fill reads what the server writes, and appends it to c.data. It returns
// when either end is closed.
func (c *clientConn) fill() {
	block := make([]byte, 4<<10)
	for {
		n, err := c.Conn.Read(block)
		c.mu.Lock()
		c.data = append(c.data, block[:n]...)
		c.err = err
		c.changed.Broadcast()
		for !c.closed && len(c.data) >= readAhead {
			c.changed.Wait()
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *clientConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.data) == 0 && c.err == nil && !c.closed {
		c.changed.Wait()
	}
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case len(c.data) == 0:
		return 0, c.err
	}
	n := copy(p, c.data)
	c.data = c.data[n:]
	c.changed.Broadcast()
	return n, nil
}

func (c *clientConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if errors.Is(err, io.ErrClosedPipe) && !c.failWrites.Load() {
		return len(p), nil
	}
	return n, err
}

// upgraded makes a write to a closed connection fail from now on. It is
// called when the connection does not carry HTTP any more, so a failed write
// cannot hide a response.
func (c *clientConn) upgraded() { c.failWrites.Store(true) }

func (c *clientConn) Close() error {
	c.failWrites.Store(true)
	c.mu.Lock()
	c.closed = true
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Conn.Close()
}

// A serverConn is the server's end of a connection in memory.
type serverConn struct {
	net.Conn

	hijacked atomic.Bool
}

// These are the addresses that handlers see, from a range for documentation,
// TEST-NET-1 (RFC 5737).
var (
	clientAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
	serverAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 443}
)

func (*serverConn) LocalAddr() net.Addr  { return serverAddr }
func (*serverConn) RemoteAddr() net.Addr { return clientAddr }

// stateChanged is the ConnState of the http.Server. It records that a
// handler hijacked the connection.
func (c *serverConn) stateChanged(_ net.Conn, state http.ConnState) {
	if state == http.StateHijacked {
		c.hijacked.Store(true)
	}
}

// CloseWrite ends the goroutine of the connection unless a handler hijacked
// the connection. If http.Server has not read a request to the end, it calls
// CloseWrite, sleeps for half a second and closes the connection. The sleep
// is for TCP. In a testing/synctest bubble the sleep would be fatal if the
// test ended meanwhile, because the bubble's clock stops then.
func (c *serverConn) CloseWrite() error {
	if c.hijacked.Load() {
		return errors.ErrUnsupported
	}
	panic(http.ErrAbortHandler) // the server recovers the panic and closes the connection
}

// A listener accepts conn as its only connection.
type listener struct{ conn net.Conn }

func (l *listener) Accept() (net.Conn, error) {
	conn := l.conn
	if conn == nil {
		return nil, net.ErrClosed
	}
	l.conn = nil
	return conn, nil
}

func (*listener) Close() error   { return nil }
func (*listener) Addr() net.Addr { return serverAddr }
