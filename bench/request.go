package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// A Site is a handler that answers with the ID of the signed-in user, and the Cookie
// headers of the requests to send to the handler.
type Site struct {
	Name    string
	Handler http.Handler
	Cookies []string
}

// limit returns a site that does the least that a guard has to do. It reads the cookie with
// net/http, finds the user, and passes the user to the handler in the request's context. It
// sets no time limit and no header.
func limit(name string, cookies []string, find func(r *http.Request, token string) (user string, err error)) Site {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := r.Context().Value(userKey{}).(string)
		_, _ = io.WriteString(w, user) //nolint:gosec // only the benchmark reads the response, not a browser
	})
	return Site{name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(cookieName)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		user, err := find(r, cookie.Value)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	}), cookies}
}

type userKey struct{}

var errNoSession = errors.New("no session")

// Subject returns a subject that sends requests to the handler without a network. It takes
// the sessions of the Cookie headers one after the other.
func (s Site) Subject() Subject { return s.subject(false) }

// Asking returns a subject like that of Subject, but with a new context for each request,
// as in net/http. Asking is for handlers that ask a server and derive contexts, which costs
// more if the request's context is new. Creating the context is part of the figure, equally
// for all subjects.
func (s Site) Asking() Subject { return s.subject(true) }

func (s Site) subject(renew bool) Subject {
	var workers atomic.Int64
	return Subject{s.Name, func() func() {
		// This context can be cancelled, as in a server, because drivers and pools treat
		// such a context differently. If renew is false, nothing cancels it.
		ctx, cancel := context.WithCancel(context.Background())
		lines := []string{""}
		fresh := (&http.Request{Method: http.MethodGet, Header: http.Header{"Cookie": lines}}).WithContext(ctx)
		r := new(http.Request)
		w := &sink{header: make(http.Header)}
		next := int(workers.Add(1)-1) * 7919 % len(s.Cookies) // each worker begins with another session
		return func() {
			w.reset()
			lines[0] = s.Cookies[next]
			if renew {
				cancel()
				ctx, cancel = context.WithCancel(context.Background()) //nolint:fatcontext // the new context replaces the cancelled one and is not derived from it
				fresh = fresh.WithContext(ctx)
			}
			*r = *fresh // copies the request anew, because gorilla/sessions stores the session in it
			s.Handler.ServeHTTP(w, r)
			if w.status != http.StatusOK || w.length == 0 {
				panic(fmt.Sprintf("bench: %s answers %d: %s", s.Name, w.status, w.body[:w.length]))
			}
			if next++; next == len(s.Cookies) {
				next = 0
			}
		}
	}}
}

// A sink is a ResponseWriter that keeps only the last chunk that was written, or its first
// 256 bytes.
type sink struct {
	header http.Header
	status int
	body   [256]byte
	length int
}

func (w *sink) reset() {
	clear(w.header)
	w.status, w.length = http.StatusOK, 0
}

// Header implements [http.ResponseWriter].
func (w *sink) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *sink) WriteHeader(status int) { w.status = status }

// Write implements [http.ResponseWriter].
func (w *sink) Write(b []byte) (int, error) {
	w.length = copy(w.body[:], b)
	return len(b), nil
}

// WriteString implements [io.StringWriter].
func (w *sink) WriteString(s string) (int, error) {
	w.length = copy(w.body[:], s)
	return len(s), nil
}
