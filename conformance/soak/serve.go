package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
)

// An appConfig is the configuration of a process that serves.
type appConfig struct {
	Backend      string
	DSN          string        // the data source name of the session store
	Users        string        // the data source name of the SQLite file of users, if the session store is not a UserStore
	Keys         string        // the URL of the stand-in for Google, from which the process gets Google's keys
	Addr         string        // the address to listen on
	StoreTimeout time.Duration // the StoreTimeout of the Manager
	Break        string
	Seed         uint64
}

// appVariable is the environment variable that holds the appConfig as JSON.
const appVariable = "GOOGLESESSION_SOAK_APP"

// IsApp reports whether [Run] has started this process to serve. If so, the program must
// call [ServeApp] and nothing else.
func IsApp() bool { return os.Getenv(appVariable) != "" }

// ServeApp serves the application until the standard input ends. That happens when the
// process that called [Run] ends.
func ServeApp() error {
	signal.Ignore(os.Interrupt) // a terminal sends an interrupt to child processes too, and only the parent must react
	var c appConfig
	if err := json.Unmarshal([]byte(os.Getenv(appVariable)), &c); err != nil {
		return err
	}
	s, err := openStores(c, nil)
	if err != nil {
		return err
	}
	l, handler, err := listen(context.Background(), c, s)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() { _ = serve(l, handler) }()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func serve(l net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	return server.Serve(l)
}

// listen returns the handler of the application and its listener.
func listen(ctx context.Context, c appConfig, s stores) (net.Listener, http.Handler, error) {
	s = breakStores(c.Break, c.Seed, s)
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: keyClient(c.Keys)}) //nolint:contextcheck // googletoken.New does not fetch keys, so it needs no context
	if err != nil {
		return nil, nil, err
	}
	m, err := googlesession.New(googlesession.Config{
		Sessions: s.sessions, Users: s.users,
		Verifier: verifier, SecurityEventVerifier: verifier,
		StoreTimeout: c.StoreTimeout, TouchEvery: 100 * time.Millisecond,
		MaxSessions: maxSessions, Admins: []string{adminEmail},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	return l, timed(http.StripPrefix("/api", m.Handler())), err
}

// keyClient returns a client that sends every request to the stand-in for Google.
func keyClient(standIn string) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		u, err := url.Parse(standIn)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = u.Scheme, u.Host
		return http.DefaultTransport.RoundTrip(r)
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// tookHeader is the response header that says how many nanoseconds the handler took to
// answer.
const tookHeader = "Soak-Took"

// timed sets tookHeader in the responses of next. The time is measured in the process that
// serves, so that waiting for a CPU on the way to the client does not count. The time for
// which this process did not run does not count either.
func timed(next http.Handler) http.Handler {
	pulse := startPulse()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		late, began := pulse.late(), time.Now()
		next.ServeHTTP(&timedWriter{ResponseWriter: w, took: func() time.Duration {
			return time.Since(began) - (pulse.late() - late)
		}}, r)
	})
}

type timedWriter struct {
	http.ResponseWriter

	took func() time.Duration
	sent bool
}

func (w *timedWriter) WriteHeader(status int) {
	if !w.sent {
		w.sent = true
		w.Header().Set(tookHeader, strconv.FormatInt(int64(w.took()), 10))
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *timedWriter) Write(body []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(body)
}

func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
