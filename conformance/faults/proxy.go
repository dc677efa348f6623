// Package faults has a proxy that stands between a store and its server in tests, and
// delays, loses and cuts as networks do.
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

// A Proxy forwards the data that a client and a server send to each other. A connection
// that it has cut stays cut. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	changed *sync.Cond // uses mu
	conns   map[net.Conn]struct{}
	frozen  bool
	refuse  bool
	held    *HeldRequest
	mute    bool // the answer to the next request is lost, with its connection
	turns   int  // counts round trips, which are answers after a request
	delay   time.Duration
	lose    int    // the connection is reset after one request of this many
	tear    int    // the connection is reset in the middle of one answer of this many
	stuck   []byte // a request that contains this text is held until Thaw
}

// A HeldRequest is a request that the client has sent and the server has not received yet.
type HeldRequest struct {
	Caught  <-chan struct{} // closed when the proxy has the request
	caught  chan struct{}
	release chan struct{}
}

// Release delivers the request, also if its client has given up. It may be called once.
func (h *HeldRequest) Release() { close(h.release) }

// NewProxy returns a proxy that listens on a free port of 127.0.0.1 and connects to the
// target, a host and port. The caller closes it.
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

// Addr returns the host and port that clients connect to.
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

// Cut resets all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		reset(conn)
	}
	clear(p.conns)
}

// Down cuts all connections and refuses new ones until Up is called.
func (p *Proxy) Down() {
	p.set(func() { p.refuse = true })
	p.Cut()
}

// Up accepts connections again.
func (p *Proxy) Up() { p.set(func() { p.refuse = false }) }

// Lead sets the target of new connections. The others keep theirs.
func (p *Proxy) Lead(target string) { p.set(func() { p.target = target }) }

// Stick holds each request that contains this text, in upper or lower case, until Thaw is
// called.
func (p *Proxy) Stick(text string) { p.set(func() { p.stuck = []byte(strings.ToUpper(text)) }) }

// Freeze delivers nothing, not even the end of a connection, until Thaw is called.
func (p *Proxy) Freeze() { p.set(func() { p.frozen = true }) }

// Thaw ends Freeze and Stick, and delivers what they have held.
func (p *Proxy) Thaw() { p.set(func() { p.frozen, p.stuck = false, nil }) }

// Delay delays all data by a random time of up to most. Zero ends that.
func (p *Proxy) Delay(most time.Duration) { p.set(func() { p.delay = most }) }

// LoseRequests forwards each request and, after one of n, resets the connection at once.
// Zero ends that.
func (p *Proxy) LoseRequests(n int) { p.set(func() { p.lose = n }) }

// TearAnswers forwards only half of one answer of n and then resets the connection. Zero
// ends that.
func (p *Proxy) TearAnswers(n int) { p.set(func() { p.tear = n }) }

// DropAnswer forwards the next request and, instead of its answer, resets the connection.
func (p *Proxy) DropAnswer() { p.set(func() { p.mute = true }) }

// HoldRequest holds the next request until [HeldRequest.Release] is called.
func (p *Proxy) HoldRequest() *HeldRequest {
	caught := make(chan struct{})
	h := &HeldRequest{Caught: caught, caught: caught, release: make(chan struct{})}
	p.set(func() { p.held = h })
	return h
}

// RoundTrips returns how many round trips there were since its last call.
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
	asked, mute    bool // guarded by p.mu; a request came after the last answer; its answer is to be lost
	ended          int  // guarded by p.mu; how many directions have ended
}

// carry passes the data that arrives to pass. It hides the end of a frozen connection.
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

// oneIn returns true once in n times, and never if n is 0.
func oneIn(n int) bool { return n > 0 && rand.IntN(n) == 0 } //nolint:gosec // not a secret

func wait(most time.Duration) {
	if most > 0 {
		time.Sleep(rand.N(most)) //nolint:forbidigo,gosec // the connections are real; not a secret
	}
}

// reset ends a connection with a TCP reset.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
