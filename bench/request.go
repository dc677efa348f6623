package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// A Site is a handler that answers with the ID of the user who asks, and Cookie
// headers of requests that are signed in.
type Site struct {
	Name    string
	Handler http.Handler
	Cookies []string
}

// limit is the least that a guard does: it reads the cookie through net/http, finds out
// whose it is, and hands the user on to the handler in the request's context, as net/http
// wants it. It sets no time limit, and no header.
func limit(name string, cookies []string, find func(r *http.Request, token string) (user string, err error)) Site {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := r.Context().Value(userKey{}).(string)
		_, _ = io.WriteString(w, user) //nolint:gosec // the benchmark is the browser
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

// Subject sends the handler requests, one session after the other, without a network:
// for what a request costs more than the handler alone.
func (s Site) Subject() Subject { return s.subject(false) }

// Asking does the same with a context for each request, as net/http makes it: for
// handlers that ask somebody else and derive contexts from it, which costs more with a
// new one. Making it is part of the figure, for all the same.
func (s Site) Asking() Subject { return s.subject(true) }

func (s Site) subject(renew bool) Subject {
	var workers atomic.Int64
	return Subject{s.Name, func() func() {
		// A context that can end, as under a server: drivers and pools treat that
		// differently. It never does.
		ctx, cancel := context.WithCancel(context.Background())
		lines := []string{""}
		fresh := (&http.Request{Method: http.MethodGet, Header: http.Header{"Cookie": lines}}).WithContext(ctx)
		r := new(http.Request)
		w := &sink{header: make(http.Header)}
		next := int(workers.Add(1)-1) * 7919 % len(s.Cookies) // each begins somewhere else
		return func() {
			w.reset()
			lines[0] = s.Cookies[next]
			if renew {
				cancel()
				ctx, cancel = context.WithCancel(context.Background()) //nolint:fatcontext // one request is used again and again, as the subjects want it
				fresh = fresh.WithContext(ctx)
			}
			*r = *fresh // gorilla/sessions keeps what it has found in the request
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

// A sink is a ResponseWriter that reads what it is given and keeps the last of it.
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
