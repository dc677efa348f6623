package faults_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/faults"
)

const soon, enough = 50 * time.Millisecond, 10 * time.Second

// A network is a proxy before a server that answers "ok" to everything.
type network struct {
	*faults.Proxy

	t   *testing.T
	got chan string // the requests that the server has received
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	n := &network{t: t, got: make(chan string, 100)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go n.answer(conn)
		}
	}()
	n.Proxy, err = faults.NewProxy(l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n
}

func (n *network) answer(conn net.Conn) {
	buffer := make([]byte, 100)
	for {
		read, err := conn.Read(buffer)
		if err != nil {
			return
		}
		n.got <- string(buffer[:read])
		_, _ = conn.Write([]byte("ok"))
	}
}

func (n *network) dial() net.Conn {
	n.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(n.t.Context(), "tcp", n.Addr())
	require.NoError(n.t, err)
	n.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a request. It returns how many bytes of the answer have arrived, and an error
// if these are not all.
func (n *network) ask(conn net.Conn, text string, wait time.Duration) (int, error) {
	n.t.Helper()
	_, err := conn.Write([]byte(text))
	require.NoError(n.t, err)
	require.NoError(n.t, conn.SetReadDeadline(time.Now().Add(wait)))
	return io.ReadFull(conn, make([]byte, 2))
}

func TestProxyPassesOn(t *testing.T) {
	n := newNetwork(t)
	conn := n.dial()
	for range 3 {
		_, err := n.ask(conn, "a", enough)
		require.NoError(t, err)
		require.Equal(t, "a", <-n.got)
	}
	require.Equal(t, 3, n.RoundTrips())
}

func TestProxyFreezes(t *testing.T) {
	n := newNetwork(t)
	conn := n.dial()
	n.Freeze()
	_, err := n.ask(conn, "b", soon)
	require.Error(t, err)
	require.Empty(t, n.got, "requests that arrive")
	require.NoError(t, conn.Close())
	n.Thaw()
	require.Equal(t, "b", <-n.got, "the request arrives after its client has closed the connection")
}

func TestProxyDropsAnswer(t *testing.T) {
	n := newNetwork(t)
	n.DropAnswer()
	_, err := n.ask(n.dial(), "c", enough)
	require.Error(t, err)
	require.Equal(t, "c", <-n.got, "the request has arrived")
}

func TestProxyHoldsRequest(t *testing.T) {
	n := newNetwork(t)
	conn := n.dial()
	held := n.HoldRequest()
	_, err := n.ask(conn, "d", soon)
	require.Error(t, err)
	<-held.Caught
	require.Empty(t, n.got)
	require.NoError(t, conn.Close())
	held.Release()
	require.Equal(t, "d", <-n.got)
}

func TestProxyDown(t *testing.T) {
	n := newNetwork(t)
	conn := n.dial()
	_, err := n.ask(conn, "e", enough)
	require.NoError(t, err)
	n.Down()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	// The reset may arrive before Dial returns.
	conn, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", n.Addr())
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	require.Error(t, err, "refused")
	n.Up()
	_, err = n.ask(n.dial(), "f", enough)
	require.NoError(t, err)
}

func TestProxyLosesRequest(t *testing.T) {
	n := newNetwork(t)
	n.LoseRequests(1)
	read, err := n.ask(n.dial(), "g", enough)
	require.Error(t, err)
	require.Zero(t, read)
	n.LoseRequests(0)
	_, err = n.ask(n.dial(), "h", enough)
	require.NoError(t, err)
}

func TestProxyTearsAnswer(t *testing.T) {
	n := newNetwork(t)
	n.TearAnswers(1)
	// A reset may overtake the half that was sent.
	read, err := n.ask(n.dial(), "i", enough)
	require.Error(t, err)
	require.LessOrEqual(t, read, 1)
	require.Equal(t, "i", <-n.got)
	n.TearAnswers(0)
	_, err = n.ask(n.dial(), "j", enough)
	require.NoError(t, err)
}

func TestProxyDelays(t *testing.T) {
	n := newNetwork(t)
	n.Delay(10 * time.Millisecond)
	conn := n.dial()
	began := time.Now()
	for range 10 {
		_, err := n.ask(conn, "k", enough)
		require.NoError(t, err)
	}
	require.Greater(t, time.Since(began), 20*time.Millisecond, "twenty delays of 5 ms on average")
}

func TestProxySticks(t *testing.T) {
	n := newNetwork(t)
	n.Stick("commit")
	_, err := n.ask(n.dial(), "select", enough)
	require.NoError(t, err)
	require.Equal(t, "select", <-n.got)
	_, err = n.ask(n.dial(), "; Commit", soon)
	require.Error(t, err)
	require.Empty(t, n.got)
	n.Thaw()
	require.Equal(t, "; Commit", <-n.got)
}

func TestProxyLeads(t *testing.T) {
	n, other := newNetwork(t), newNetwork(t)
	conn := n.dial()
	_, err := n.ask(conn, "l", enough)
	require.NoError(t, err)
	require.Equal(t, "l", <-n.got)
	n.Lead(other.Addr())
	_, err = n.ask(n.dial(), "m", enough)
	require.NoError(t, err)
	require.Equal(t, "m", <-other.got)
	_, err = n.ask(conn, "n", enough)
	require.NoError(t, err)
	require.Equal(t, "n", <-n.got, "an open connection keeps its target")
}
