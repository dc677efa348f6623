package googlesession

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// defaultBodyTimeout is how long a client may take to send the body of a request that
// the library reads or refuses.
const defaultBodyTimeout = 10 * time.Second

// limitBody returns the request with a body that must arrive in time. net/http reads what
// a handler has left of a body too, before it answers, so this holds for a body that is
// not read as well. Once all of the body is there the deadline is gone, so that it ends
// neither the request's context nor what follows on the connection.
//
// A ResponseWriter that cannot set a deadline, such as a test's recorder, sets none. A
// server's own ReadTimeout is kept if it is shorter.
func (m *Manager) limitBody(w http.ResponseWriter, r *http.Request) *http.Request {
	if _, limited := r.Body.(*limitedBody); limited || r.Body == nil || r.Body == http.NoBody {
		return r
	}
	if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && 0 < s.ReadTimeout && s.ReadTimeout <= m.bodyTimeout {
		return r
	}
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(m.bodyTimeout)); err != nil {
		return r
	}
	limited := *r
	limited.Body = &limitedBody{ReadCloser: r.Body, conn: conn}
	return &limited
}

// limitedBody is a request's body until a deadline.
type limitedBody struct {
	io.ReadCloser

	conn *http.ResponseController
}

// Read takes the deadline away at the end of the body.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.conn.SetReadDeadline(time.Time{}) // it worked before, or the connection is gone
	}
	return n, err
}
