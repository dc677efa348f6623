// Package faults has a proxy for tests, which stands between a store and its server. The
// proxy delays data, loses data and cuts connections, as networks do.
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
// that the Proxy has cut stays cut. A Proxy is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	changed *sync.Cond // signals that a setting has changed; its lock is mu
	conns   map[net.Conn]struct{}
	frozen  bool
	refuse  bool
	held    *HeldRequest
	mute    bool // the next request gets no answer, and its connection is reset
	turns   int  // number of round trips; a round trip is a request and the beginning of its answer
	delay   time.Duration
	lose    int    // the connection is reset after one in this many requests; 0 means none
	tear    int    // one in this many answers is cut in half and its connection reset; 0 means none
	stuck   []byte // a request that contains this text is held until Thaw is called; nil means none
}

// A HeldRequest is a request that the client has sent and that the proxy keeps from the
// server until Release is called.
type HeldRequest struct {
	Caught  <-chan struct{} // closed when the proxy has received the request
	caught  chan struct{}
	release chan struct{}
}

// Release delivers the request, even if its client has given up. The caller must not call
// it twice.
func (h *HeldRequest) Release() { close(h.release) }

// NewProxy returns a proxy that listens on a free port of 127.0.0.1 and connects to the
// target, a host and port. The caller must close the proxy.
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

// Up lets the proxy accept connections again after Down.
func (p *Proxy) Up() { p.set(func() { p.refuse = false }) }

// Lead sets the target, a host and port, of new connections. Existing connections keep
// their target.
func (p *Proxy) Lead(target string) { p.set(func() { p.target = target }) }

// Stick holds each request that contains this text, in upper or lower case, until Thaw is
// called.
func (p *Proxy) Stick(text string) { p.set(func() { p.stuck = []byte(strings.ToUpper(text)) }) }

// Freeze makes the proxy deliver nothing, not even the end of a connection, until Thaw is
// called.
func (p *Proxy) Freeze() { p.set(func() { p.frozen = true }) }

// Thaw ends Freeze and Stick, and delivers the data and the requests that they have held.
func (p *Proxy) Thaw() { p.set(func() { p.frozen, p.stuck = false, nil }) }

// Delay delays all data by a random time of up to most. A most of 0 ends the delays.
func (p *Proxy) Delay(most time.Duration) { p.set(func() { p.delay = most }) }

// LoseRequests resets the connection of one in n requests, right after it has forwarded the
// request. An n of 0 ends this.
func (p *Proxy) LoseRequests(n int) { p.set(func() { p.lose = n }) }

// TearAnswers forwards only half of one in n answers and then resets the connection. An n
// of 0 ends this.
func (p *Proxy) TearAnswers(n int) { p.set(func() { p.tear = n }) }

// DropAnswer forwards the next request, and resets the connection when the answer arrives.
func (p *Proxy) DropAnswer() { p.set(func() { p.mute = true }) }

// HoldRequest holds the next request until [HeldRequest.Release] is called.
func (p *Proxy) HoldRequest() *HeldRequest {
	caught := make(chan struct{})
	h := &HeldRequest{Caught: caught, caught: caught, release: make(chan struct{})}
	p.set(func() { p.held = h })
	return h
}

// RoundTrips returns how many round trips there were since RoundTrips was last called.
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
	asked, mute    bool // guarded by p.mu; asked says that a request has no answer yet, and mute that its answer is to be lost
	ended          int  // guarded by p.mu; how many of the two directions have ended
}

// carry calls pass with all data that arrives from from. When from has ended, carry closes
// to for writing, or resets to if from failed. On a frozen proxy, carry does so after Thaw.
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
	c.mute = c.mute || lost // a fast server may answer before the reset below
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

// end notes that one direction has ended, and closes both connections when both directions
// have ended.
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

// oneIn returns true in one of n cases at random, and false if n is 0.
func oneIn(n int) bool { return n > 0 && rand.IntN(n) == 0 } //nolint:gosec // the random choice of a fault is not a secret

func wait(most time.Duration) {
	if most > 0 {
		time.Sleep(rand.N(most)) //nolint:forbidigo,gosec // real connections need a real delay, and the random delay is not a secret
	}
}

// reset ends a connection with a TCP reset.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
