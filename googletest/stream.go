package googletest

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// streamLimit is how many bytes of a body wait for a reader.
const streamLimit = 64 << 10

// A stream takes a body from a handler to a client. Unlike io.Pipe it holds some
// data, as sockets do: a handler that flushes an event does not wait until the
// client looks at it.
type stream struct {
	cancel context.CancelFunc // of the handler's context

	mu   sync.Mutex
	wake *sync.Cond // on mu: a field below has changed
	data []byte
	last error // what comes after data; nil: more data
}

func newStream(cancel context.CancelFunc) *stream {
	s := &stream{cancel: cancel}
	s.wake = sync.NewCond(&s.mu)
	return s
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.last == nil && len(s.data) >= streamLimit {
		s.wake.Wait()
	}
	if s.last != nil {
		return 0, fmt.Errorf("googletest: nobody reads the answer: %w", s.last)
	}
	s.data = append(s.data, p...)
	s.wake.Broadcast()
	return len(p), nil
}

func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.last == nil && len(s.data) == 0 {
		s.wake.Wait()
	}
	if len(s.data) == 0 {
		return 0, s.last
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	s.wake.Broadcast()
	return n, nil
}

// end says what comes after the data, the first time that it is called. Data that
// nobody has read is kept or lost.
func (s *stream) end(last error, keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = last
	}
	if !keep {
		s.data = nil
	}
	s.wake.Broadcast()
}

// Close is the client's: it has seen enough.
func (s *stream) Close() error {
	s.end(http.ErrBodyReadAfterClose, false)
	s.cancel()
	return nil
}

// A gunzipper decompresses a body, as net/http's transport does if it was the
// transport that asked for gzip.
type gunzipper struct {
	compressed io.ReadCloser
	plain      *gzip.Reader
	err        error
}

func (g *gunzipper) Read(p []byte) (int, error) {
	if g.plain == nil && g.err == nil { // not earlier: the header may not be there yet
		g.plain, g.err = gzip.NewReader(g.compressed)
	}
	if g.err != nil {
		return 0, g.err
	}
	return g.plain.Read(p)
}

func (g *gunzipper) Close() error { return g.compressed.Close() }
