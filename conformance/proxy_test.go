package conformance_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy stands between a client and a server and does what networks do. Connections
// that it has cut stay cut; what it holds is delivered by thaw, and not before.
type proxy struct {
	addr   string
	target string

	mu      sync.Mutex
	changed *sync.Cond // of mu
	conns   map[net.Conn]struct{}
	frozen  bool
	refuse  bool
	held    *heldRequest
	mute    bool // the answer to the next request is lost, with its connection
	turns   int  // answers after requests: round trips
}

// A heldRequest is what the client has sent and the server has not got yet.
type heldRequest struct {
	caught  chan struct{}
	release chan struct{}
}

func newProxy(tb testing.TB, target string) *proxy {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &proxy{addr: l.Addr().String(), target: target, conns: make(map[net.Conn]struct{})}
	p.changed = sync.NewCond(&p.mu)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	tb.Cleanup(func() {
		_ = l.Close()
		p.thaw()
		p.cut()
	})
	return p
}

func (p *proxy) serve(client net.Conn) {
	server, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", p.target)
	p.mu.Lock()
	if err != nil || p.refuse {
		p.mu.Unlock()
		reset(client)
		if err == nil {
			reset(server)
		}
		return
	}
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	c := &crossing{p: p, client: client, server: server}
	go c.carry(server, client, c.answer)
	c.carry(client, server, c.request)
}

// cut resets all connections, as when a machine is gone.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		reset(conn)
	}
	clear(p.conns)
}

// down refuses new connections and cuts the others, until up.
func (p *proxy) down() {
	p.mu.Lock()
	p.refuse = true
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = false
}

// freeze delivers nothing any more, not even that somebody has hung up; thaw delivers
// all of it.
func (p *proxy) freeze() { p.setFrozen(true) }
func (p *proxy) thaw()   { p.setFrozen(false) }

func (p *proxy) setFrozen(frozen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = frozen
	p.changed.Broadcast()
}

// dropAnswer lets the next request through and loses its answer with the connection.
func (p *proxy) dropAnswer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = true
}

// holdRequest keeps the next request back. Caught says that it is here; release
// delivers it, however long its client has given up.
func (p *proxy) holdRequest() *heldRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = &heldRequest{make(chan struct{}), make(chan struct{})}
	return p.held
}

// roundTrips returns how many there were since the last call.
func (p *proxy) roundTrips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.turns
	p.turns = 0
	return n
}

// A crossing is one connection through the proxy.
type crossing struct {
	p              *proxy
	client, server net.Conn
	asked, mute    bool // p.mu: since the last answer; and it is to be lost
}

// carry copies what arrives, unless seen refuses it, and hides the end of a frozen
// connection.
func (c *crossing) carry(from, to net.Conn, seen func() error) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && seen() == nil {
			_, _ = to.Write(buffer[:n])
		}
		if err != nil {
			c.p.mu.Lock()
			for c.p.frozen {
				c.p.changed.Wait()
			}
			c.p.mu.Unlock()
			if errors.Is(err, io.EOF) {
				_ = to.(*net.TCPConn).CloseWrite()
			} else {
				reset(to)
			}
			return
		}
	}
}

func (c *crossing) request() error {
	p := c.p
	p.mu.Lock()
	c.asked = true
	c.mute, p.mute = c.mute || p.mute, false
	held := p.held
	p.held = nil
	for p.frozen {
		p.changed.Wait()
	}
	p.mu.Unlock()
	if held != nil {
		close(held.caught)
		<-held.release
	}
	return nil
}

var errDropped = errors.New("answer dropped")

func (c *crossing) answer() error {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.frozen {
		p.changed.Wait()
	}
	if c.asked {
		p.turns++
		c.asked = false
	}
	if c.mute {
		reset(c.client)
		reset(c.server)
		return errDropped
	}
	return nil
}

// reset ends a connection without saying goodbye.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// The proxy itself, with a server that answers in capitals what it is asked.
func TestProxy(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	got := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buffer := make([]byte, 100)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					got <- string(buffer[:n])
					_, _ = conn.Write([]byte("ok"))
				}
			}()
		}
	}()
	p := newProxy(t, l.Addr().String())
	dial := func() net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	ask := func(conn net.Conn, text string, wait time.Duration) error {
		_, err := conn.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(wait)))
		_, err = io.ReadFull(conn, make([]byte, 2))
		return err
	}
	const soon, enough = 50 * time.Millisecond, 10 * time.Second

	conn := dial()
	for range 3 {
		require.NoError(t, ask(conn, "a", enough))
		require.Equal(t, "a", <-got)
	}
	require.Equal(t, 3, p.roundTrips())

	p.freeze()
	require.Error(t, ask(conn, "b", soon))
	require.Empty(t, got, "nothing arrives")
	require.NoError(t, conn.Close())
	p.thaw()
	require.Equal(t, "b", <-got, "it arrives late, though its sender has gone")

	conn = dial()
	p.dropAnswer()
	require.Error(t, ask(conn, "c", enough))
	require.Equal(t, "c", <-got, "the request has arrived")

	conn = dial()
	held := p.holdRequest()
	require.Error(t, ask(conn, "d", soon))
	<-held.caught
	require.Empty(t, got)
	require.NoError(t, conn.Close())
	close(held.release)
	require.Equal(t, "d", <-got)

	conn = dial()
	require.NoError(t, ask(conn, "e", enough))
	require.Equal(t, "e", <-got)
	p.down()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	// The reset may come before the connection is known to be there.
	conn, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", p.addr)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	require.Error(t, err, "refused")
	p.up()
	require.NoError(t, ask(dial(), "f", enough))
}
