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

	maxBody      = 64 << 10 // bytes of a JSON or form body
	maxBodyDepth = 16       // levels of nested objects and arrays in a JSON body

	// defaultBodyTimeout is how long a browser may take to send the body of a request that
	// the library reads or refuses.
	defaultBodyTimeout = 10 * time.Second
)

var (
	errMediaType = errors.New("googlesession: body is neither JSON nor a form")
	errBody      = errors.New("googlesession: malformed body")
)

// mediaType returns the media type in the Content-Type header, without parameters. It
// returns "" if the header is absent or malformed.
func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// The library reads the whole body of a request before it parses it, so the functions
// below bound the body's size and the time in which it must arrive. The library never
// calls r.ParseForm, which would mix in the parameters of the URL.

// readBody reads the request's body, which may have at most limit bytes. The error is a
// Denial.
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

// limitBodyTime returns the request with a body that must arrive within m.bodyTimeout. A
// body that no handler reads needs the limit too, because net/http reads the rest of a
// body before it answers. The deadline is removed at the end of the body, so that it
// cancels neither the request's context nor the connection's next request.
//
// It returns r itself if the ResponseWriter does not support deadlines, such as a test's
// recorder, or if the server's ReadTimeout is not longer than m.bodyTimeout.
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

// Read reads from the body, and removes the connection's read deadline at the end of the
// body.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.conn.SetReadDeadline(time.Time{}) // SetReadDeadline fails only if the connection is gone
	}
	return n, err
}
