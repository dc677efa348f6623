package recipes_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// A proxyServer is a server with the library, and with what proxies are known to break.
type proxyServer struct {
	m      *googlesession.Manager
	google *googletest.Google
	store  *shakyStore
	url    string        // such as http://127.0.0.1:40000
	more   chan struct{} // makes GET /events send one more event
	close  func()        // stops the server
}

// newProxyServer starts a server that a proxy on this machine calls.
func newProxyServer(t *testing.T, change func(*googlesession.Config)) *proxyServer {
	t.Helper()
	s := &proxyServer{store: &shakyStore{recipeStore: newRecipeStore()}, more: make(chan struct{})}
	s.m, s.google = newManager(t, func(c *googlesession.Config) {
		c.Sessions, c.Logger = s.store, slog.New(slog.DiscardHandler)
		c.ClientIP = googlesession.ClientIPBehind(netip.MustParsePrefix("127.0.0.1/32"))
		if change != nil {
			change(c)
		}
	})
	m := s.m
	stream := m.EndWithSession(time.Second)
	mux := api(m)
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the login page") })
	mux.Handle("/page", m.RequireUser(http.HandlerFunc(servePage)))
	mux.Handle("/upload", m.RequireUser(http.HandlerFunc(serveLength)))
	mux.Handle("/events", m.RequireUser(stream(http.HandlerFunc(s.serveEvents))))
	mux.Handle("/socket", m.RequireUser(stream(http.HandlerFunc(serveEcho))))
	mux.Handle("/forward-auth", originalRequest(m.RequireUser(http.HandlerFunc(admit))))
	mux.Handle("/forward-auth/refused", originalRequest(m.RequireUser(http.HandlerFunc(tryAgain))))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url, s.close = server.URL, server.Close
	return s
}

func (s *proxyServer) addr() string { return strings.TrimPrefix(s.url, "http://") }

// revoke ends all sessions of ada.
func (s *proxyServer) revoke(t *testing.T) {
	t.Helper()
	n, err := s.m.RevokeUser(t.Context(), s.google.Subject(ada))
	require.NoError(t, err)
	require.Positive(t, n)
}

func servePage(w http.ResponseWriter, r *http.Request) {
	user, _ := googlesession.UserFrom(r.Context())
	_, _ = io.WriteString(w, user.Email)
}

func serveLength(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	_, _ = fmt.Fprint(w, n, err)
}

// serveEvents sends an event at once, and one for each value of s.more. It ends with the
// session. With ?header it sends the header that turns the buffer of nginx off.
func (s *proxyServer) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.URL.Query().Has("header") {
		w.Header().Set("X-Accel-Buffering", "no")
	}
	for {
		_, _ = io.WriteString(w, "data: hello\n\n")
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.more:
		}
	}
}

// A shakyStore fails the next check if failOnce is set.
type shakyStore struct {
	*recipeStore

	failOnce atomic.Bool
}

func (s *shakyStore) CheckSession(ctx context.Context, ref googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	if s.failOnce.CompareAndSwap(true, false) {
		return googlesession.Session{}, googlesession.ErrUnavailable
	}
	return s.recipeStore.CheckSession(ctx, ref, touchAfter)
}
