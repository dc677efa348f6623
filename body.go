package googlesession

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"time"
)

const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"

	maxBody      = 64 << 10 // bytes
	maxBodyDepth = 16       // of objects and arrays inside each other

	// defaultBodyTimeout is how long a browser may take to send the body of a request that
	// the library reads or refuses.
	defaultBodyTimeout = 10 * time.Second
)

var (
	errMediaType = errors.New("googlesession: body is neither JSON nor a form")
	errBody      = errors.New("googlesession: malformed body")
)

// mediaType returns the request's media type without parameters, or "" if the request has
// none or a malformed one.
func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// The library reads a body as a whole before it looks at it, so its size and its time are
// bounded here. It never uses r.ParseForm, which would mix in the parameters of the URL.

// readBody reads a body of at most limit bytes. The error is a Denial.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return data, nil
	case tooLarge:
		return nil, denial(CodeBodyTooLarge, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, denial(CodeTooSlow, err)
	default:
		return nil, denial(CodeBadRequest, errors.Join(errBody, err))
	}
}

// limitBodyTime returns the request with a body that must arrive in time. A body that no
// handler reads needs the limit too, because net/http reads the rest of a body before it
// answers. The deadline is removed at the end of the body, so that it cancels neither the
// request's context nor the connection's next request.
//
// A ResponseWriter that has no deadlines, such as a test's recorder, leaves the body
// without one. A server's ReadTimeout is kept if it is shorter.
func (m *Manager) limitBodyTime(w http.ResponseWriter, r *http.Request) *http.Request {
	if _, limited := r.Body.(*timedBody); limited || r.Body == nil || r.Body == http.NoBody {
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
	limited.Body = &timedBody{ReadCloser: r.Body, conn: conn}
	return &limited
}

// A timedBody is a request's body whose connection has a read deadline.
type timedBody struct {
	io.ReadCloser

	conn *http.ResponseController
}

// Read removes the deadline at the end of the body.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.conn.SetReadDeadline(time.Time{}) // it fails only if the connection is gone
	}
	return n, err
}
