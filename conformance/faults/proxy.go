// Package faults has what stands between a store and its server in tests, and does
// what networks do.
package faults

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// A Proxy passes on what a client and a server send to each other. A connection that
// it has cut stays cut. Thaw delivers what Freeze has kept back.
type Proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	changed *sync.Cond // of mu
	conns   map[net.Conn]struct{}
	frozen  bool
	refuse  bool
	held    *HeldRequest
	mute    bool // the answer to the next request is lost, with its connection
	turns   int  // answers after requests: round trips
	delay   time.Duration
	lose    int    // one request of this many is passed on and its connection reset
	tear    int    // one answer of this many is reset in its middle
	stuck   []byte // a request with this text is kept back until Thaw
}

// A HeldRequest is a request that the client has sent and the server has not got yet.
type HeldRequest struct {
	Caught  <-chan struct{} // closed when the proxy has the request
	caught  chan struct{}
	release chan struct{}
}

// Release delivers the request, also if its client has given up.
func (h *HeldRequest) Release() { close(h.release) }

// NewProxy returns a proxy on a free port of 127.0.0.1 that leads to the target.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, conns: make(map[net.Conn]struct{})}
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
	return p, nil
}

// Addr is the host and port that clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.Thaw()
	p.Down()
}

func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", target)
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

// Cut resets all connections, as when a machine is gone.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		reset(conn)
	}
	clear(p.conns)
}

// Down refuses new connections and cuts the others, until Up.
func (p *Proxy) Down() {
	p.set(func() { p.refuse = true })
	p.Cut()
}

// Up accepts connections again.
func (p *Proxy) Up() { p.set(func() { p.refuse = false }) }

// Lead makes new connections lead to another target. The others stay where they are.
func (p *Proxy) Lead(target string) { p.set(func() { p.target = target }) }

// Stick keeps back each request with this text, in any case, until Thaw.
func (p *Proxy) Stick(text string) { p.set(func() { p.stuck = []byte(strings.ToUpper(text)) }) }

// Freeze delivers nothing, not even the end of a connection, until Thaw delivers all
// of it.
func (p *Proxy) Freeze() { p.set(func() { p.frozen = true }) }

// Thaw ends Freeze and Stick.
func (p *Proxy) Thaw() { p.set(func() { p.frozen, p.stuck = false, nil }) }

// Delay keeps each chunk back for a random time of at most this. Zero ends it.
func (p *Proxy) Delay(most time.Duration) { p.set(func() { p.delay = most }) }

// LoseRequests passes one request of n on and resets its connection at once. Zero
// ends it.
func (p *Proxy) LoseRequests(n int) { p.set(func() { p.lose = n }) }

// TearAnswers passes on half of one answer of n and resets its connection. Zero ends
// it.
func (p *Proxy) TearAnswers(n int) { p.set(func() { p.tear = n }) }

// DropAnswer lets the next request through and loses its answer with the connection.
func (p *Proxy) DropAnswer() { p.set(func() { p.mute = true }) }

// HoldRequest keeps the next request back.
func (p *Proxy) HoldRequest() *HeldRequest {
	caught := make(chan struct{})
	h := &HeldRequest{Caught: caught, caught: caught, release: make(chan struct{})}
	p.set(func() { p.held = h })
	return h
}

// RoundTrips returns how many there were since the last call.
func (p *Proxy) RoundTrips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.turns
	p.turns = 0
	return n
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

// A crossing is one connection through the proxy.
type crossing struct {
	p              *Proxy
	client, server net.Conn
	asked, mute    bool // p.mu: since the last answer; and it is to be lost
	ended          int  // p.mu: directions in which nothing comes any more
}

// carry passes on what arrives. It hides the end of a frozen connection.
func (c *crossing) carry(from, to net.Conn, pass func([]byte)) {
	defer c.end()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			pass(buffer[:n])
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

func (c *crossing) request(chunk []byte) {
	p := c.p
	p.mu.Lock()
	c.asked = true
	c.mute, p.mute = c.mute || p.mute, false
	held := p.held
	p.held = nil
	for p.frozen || p.stuck != nil && bytes.Contains(bytes.ToUpper(chunk), p.stuck) {
		p.changed.Wait()
	}
	delay, lost := p.delay, oneIn(p.lose)
	p.mu.Unlock()
	if held != nil {
		close(held.caught)
		<-held.release
	}
	wait(delay)
	_, _ = c.server.Write(chunk)
	if lost {
		c.reset()
	}
}

func (c *crossing) answer(chunk []byte) {
	p := c.p
	p.mu.Lock()
	for p.frozen {
		p.changed.Wait()
	}
	if c.asked {
		p.turns++
		c.asked = false
	}
	mute, delay, torn := c.mute, p.delay, oneIn(p.tear)
	p.mu.Unlock()
	if mute {
		c.reset()
		return
	}
	wait(delay)
	if torn {
		chunk = chunk[:len(chunk)/2]
	}
	_, _ = c.client.Write(chunk)
	if torn {
		c.reset()
	}
}

func (c *crossing) reset() {
	reset(c.client)
	reset(c.server)
}

// end closes both connections when both directions have ended.
func (c *crossing) end() {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.ended++
	if c.ended < 2 {
		return
	}
	for _, conn := range []net.Conn{c.client, c.server} {
		delete(c.p.conns, conn)
		_ = conn.Close()
	}
}

// oneIn is true once in n times, and never if n is 0.
func oneIn(n int) bool { return n > 0 && rand.IntN(n) == 0 } //nolint:gosec // a fault, no secret

func wait(most time.Duration) {
	if most > 0 {
		time.Sleep(rand.N(most)) //nolint:forbidigo,gosec // a slow network of real connections
	}
}

// reset ends a connection without saying goodbye.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
