package recipes_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

//recipe:frameworks
func socketApp(m *googlesession.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("GET /socket", m.RequireUser(m.EndWithSession(time.Minute)(http.HandlerFunc(echoMessages))))
	return mux
}

//recipe:frameworks
func echoMessages(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil) // the guard has compared the Origin already
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	// The connection is closed by hand, because a read whose context ends drops it without a code.
	ctx := context.WithoutCancel(r.Context())
	defer context.AfterFunc(r.Context(), func() { //nolint:contextcheck // Close takes no context
		if err := context.Cause(r.Context()); errors.Is(err, googlesession.ErrNoSession) || errors.Is(err, googlesession.ErrUserDisabled) {
			_ = conn.Close(4401, "signed out") // the page asks GET /api/user and does not connect again
		}
	})()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil || r.Context().Err() != nil { // a message that arrives after the session's end is dropped
			return
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return
		}
	}
}

// dial opens GET /socket from a page of this origin, and returns the status of the answer.
func dial(t *testing.T, c *http.Client, origin string) (*websocket.Conn, int, error) {
	t.Helper()
	conn, res, err := websocket.Dial(t.Context(), googletest.Origin+"/socket", &websocket.DialOptions{ //nolint:bodyclose // the connection has taken the body over
		HTTPClient: c,
		HTTPHeader: http.Header{"Origin": {origin}},
	})
	require.NotNil(t, res, "%v", err)
	return conn, res.StatusCode, err
}

func TestWebSocket(t *testing.T) {
	m, google := newManager(t, nil)
	app := socketApp(m)
	user := google.SignIn(t, app, "/api/login", ada)

	_, status, err := dial(t, google.Browser(app), googletest.Origin)
	require.Error(t, err, "a handshake without a session")
	require.Equal(t, http.StatusUnauthorized, status)
	_, status, err = dial(t, user, "https://evil.app.test")
	require.Error(t, err, "a handshake of a sibling host's page, to which the browser adds the cookie")
	require.Equal(t, http.StatusForbidden, status)

	conn, _, err := dial(t, user, googletest.Origin)
	require.NoError(t, err)
	defer func() { _ = conn.CloseNow() }()
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("hello")))
	_, echo, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "hello", string(echo))

	_, err = m.RevokeUser(t.Context(), google.Subject(ada))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, err = conn.Read(ctx)
	require.Equal(t, websocket.StatusCode(4401), websocket.CloseStatus(err), "%v", err)

	_, status, err = dial(t, user, googletest.Origin)
	require.Error(t, err, "the page connects again after the session's end")
	require.Equal(t, http.StatusUnauthorized, status)
}

// If a read has the context of the request, the browser gets no close code (1006) and cannot
// tell the session's end from a lost connection, so it connects again and again.
func TestWebSocketReadsWithTheRequestsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, google := newManager(t, nil)
		mux := http.NewServeMux()
		mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
		mux.Handle("GET /socket", m.RequireUser(m.EndWithSession(time.Minute)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			_, _, _ = conn.Read(r.Context())
			_ = conn.Close(4401, "signed out")
		}))))
		conn, _, err := dial(t, google.SignIn(t, mux, "/api/login", ada), googletest.Origin)
		require.NoError(t, err)
		defer func() { _ = conn.CloseNow() }()
		synctest.Wait() // until the handler reads
		_, err = m.RevokeUser(t.Context(), google.Subject(ada))
		require.NoError(t, err)
		_, _, err = conn.Read(t.Context())
		require.Error(t, err)
		require.Equal(t, websocket.StatusCode(-1), websocket.CloseStatus(err), "%v", err)
	})
}

// A page of another origin of the same site has to be trusted twice, by the library and by
// the WebSocket package.
func TestWebSocketTrustedOrigin(t *testing.T) {
	const page = "https://www.app.test"
	for _, tt := range []struct {
		name    string
		options *websocket.AcceptOptions
		status  int
	}{
		{"the library alone", nil, http.StatusForbidden},
		{"both", &websocket.AcceptOptions{OriginPatterns: []string{page}}, http.StatusSwitchingProtocols},
	} {
		m, google := newManager(t, func(c *googlesession.Config) { c.TrustedOrigins = []string{page} })
		mux := http.NewServeMux()
		mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
		mux.Handle("GET /socket", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if conn, err := websocket.Accept(w, r, tt.options); err == nil {
				_ = conn.CloseNow()
			}
		})))
		conn, status, err := dial(t, google.SignIn(t, mux, "/api/login", ada), page)
		require.Equal(t, tt.status, status, "%s: %v", tt.name, err)
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
}
