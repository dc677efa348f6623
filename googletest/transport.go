package googletest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
)

// serverBuffer is how much of an answer net/http keeps back until it knows more.
const serverBuffer = 2048

// A roundTripper is an http.RoundTripper made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// serveInMemory is a round trip without a network: h answers what a client asks.
// It does for a client what net/http's transport and server do together,
// streaming and transparent gzip included; trailers, upgrades and 1xx answers are
// left out. The goroutine that it starts ends with the handler.
func serveInMemory(h http.Handler, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	a := &answer{
		stream: newStream(cancel),
		head:   r.Method == http.MethodHead,
		header: make(http.Header),
		length: -1,
		sent:   make(chan struct{}),
	}
	in, gzipped := serverRequest(ctx, r)
	go func() {
		// A handler that does not look at its context learns from its next Write
		// that the client has gone away.
		stop := context.AfterFunc(ctx, func() { a.stream.end(context.Cause(ctx), false) })
		defer func() { // in a defer: the handler may call runtime.Goexit
			stop()
			cancel()
			_ = in.Body.Close()
		}()
		a.run(h, in)
	}()

	select {
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	case <-a.sent:
	}
	if a.err != nil {
		return nil, a.err
	}
	a.response.Request = r
	if gzipped && a.response.Header.Get("Content-Encoding") == "gzip" && !a.head {
		a.response.Header.Del("Content-Encoding")
		a.response.Header.Del("Content-Length")
		a.response.ContentLength = -1
		a.response.Uncompressed = true
		a.response.Body = &gunzipper{compressed: a.response.Body}
	}
	return a.response, nil
}

// serverRequest is what a server makes of a client's request. It reports whether
// the transport, not the caller, asks for gzip.
func serverRequest(ctx context.Context, r *http.Request) (in *http.Request, gzipped bool) {
	in = (&http.Request{
		Method:        r.Method,
		URL:           &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.Header.Clone(),
		Body:          r.Body,
		ContentLength: r.ContentLength,
		Host:          r.Host,
		RemoteAddr:    "192.0.2.1:1234", // TEST-NET-1 (RFC 5737)
		RequestURI:    r.URL.RequestURI(),
	}).WithContext(ctx)
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	if in.URL.Path == "" {
		in.URL.Path = "/"
	}
	if in.Header == nil {
		in.Header = make(http.Header)
	}
	switch {
	case in.Body == nil:
		in.Body, in.ContentLength = http.NoBody, 0
	case in.ContentLength == 0 && in.Body != http.NoBody: // "unknown", in a client
		in.ContentLength = -1
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: r.URL.Hostname()}
	}
	if in.Header.Get("User-Agent") == "" {
		in.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	if gzipped = in.Header.Get("Accept-Encoding") == "" && in.Header.Get("Range") == "" && in.Method != http.MethodHead; gzipped {
		in.Header.Set("Accept-Encoding", "gzip")
	}
	return in, gzipped
}

// An answer is the handler's http.ResponseWriter. Its fields are the handler's
// until sent is closed; then response and err are the client's.
type answer struct {
	stream  *stream
	head    bool
	header  http.Header // the handler's
	fixed   http.Header // what header was when WriteHeader was called
	status  int         // 0: it was not called
	length  int64       // declared; -1: not
	written int64

	declared bool // a length, if only a wrong one

	sent     chan struct{}
	response *http.Response
	err      error
}

// run lets the handler answer, and turns whatever stops it half way into the
// error that the client gets.
func (a *answer) run(h http.Handler, in *http.Request) {
	returned := false
	defer func() {
		var err error
		switch v := recover(); {
		case returned:
			a.finish()
			return
		case v == nil:
			err = errors.New("googletest: the handler ended its goroutine; t.FailNow is for the test's own")
		default:
			if cause, ok := v.(error); ok {
				err = fmt.Errorf("googletest: the handler panicked: %w\n%s", cause, debug.Stack())
			} else {
				err = fmt.Errorf("googletest: the handler panicked: %v\n%s", v, debug.Stack())
			}
		}
		aborted := errors.Is(err, http.ErrAbortHandler) && a.response != nil
		if aborted && a.head {
			err = io.EOF
		} else if aborted {
			err = io.ErrUnexpectedEOF
		}
		a.stream.end(err, aborted)
		if a.response == nil {
			a.err = err
			close(a.sent)
		}
	}()
	h.ServeHTTP(a, in)
	returned = true
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 { // net/http panics as well
		panic("googletest: invalid WriteHeader code " + strconv.Itoa(status))
	}
	if a.status != 0 || status < 200 {
		return
	}
	a.status = status
	a.fixed = a.header.Clone()
	a.declared = a.fixed["Content-Length"] != nil
	if n, err := strconv.ParseInt(a.fixed.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		a.length = n
	} else {
		a.fixed.Del("Content-Length")
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.hasBody() {
		return 0, http.ErrBodyNotAllowed
	}
	if a.length >= 0 && a.written+int64(len(p)) > a.length {
		return 0, http.ErrContentLength
	}
	if _, set := a.fixed["Content-Type"]; !set && a.response == nil && a.written == 0 && len(p) > 0 && a.fixed["Content-Encoding"] == nil {
		a.fixed.Set("Content-Type", http.DetectContentType(p))
	}
	a.written += int64(len(p))
	if a.head {
		return len(p), nil
	}
	if a.response == nil && a.written > streamLimit {
		a.Flush()
	}
	return a.stream.Write(p)
}

// Flush hands the response to the client; its body may grow from then on.
func (a *answer) Flush() {
	if a.response != nil {
		return
	}
	a.WriteHeader(http.StatusOK)
	maps.DeleteFunc(a.fixed, func(_ string, values []string) bool { return len(values) == 0 })
	a.response = &http.Response{
		Status:        strconv.Itoa(a.status) + " " + cmp.Or(http.StatusText(a.status), "status code "+strconv.Itoa(a.status)),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.fixed,
		Body:          a.stream,
		ContentLength: a.length,
	}
	close(a.sent)
}

// finish is called when the handler has returned.
func (a *answer) finish() {
	a.WriteHeader(http.StatusOK)
	// Of an answer that it has whole, net/http says how long it is.
	if a.response == nil && !a.declared && a.written <= serverBuffer && a.hasBody() && (!a.head || a.written > 0) {
		a.length = a.written
		a.fixed.Set("Content-Length", strconv.FormatInt(a.length, 10))
	}
	if !a.hasBody() && a.length < 0 && !a.head {
		a.length = 0
	}
	a.Flush()
	if a.written < a.length && a.hasBody() && !a.head {
		a.stream.end(io.ErrUnexpectedEOF, true)
		return
	}
	a.stream.end(io.EOF, true)
}

// hasBody reports whether the status allows one (RFC 9110, sections 15.3.5 and 15.4.5).
func (a *answer) hasBody() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}
