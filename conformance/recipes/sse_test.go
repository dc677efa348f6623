package recipes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

//recipe:frameworks
func eventsApp(m *googlesession.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("GET /events", m.RequireUser(m.EndWithSession(time.Minute)(http.HandlerFunc(events))))
	return mux
}

//recipe:frameworks
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx passes events on at once
	connection := http.NewResponseController(w)
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for message := "retry: 3000\nevent: hello\ndata:\n\n"; ; message = ": still here\n\n" {
		// An error means that the browser has gone. A server without deadlines notices that only by writing.
		if _, err := fmt.Fprint(w, message); err != nil {
			return
		}
		if err := connection.Flush(); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			if err := context.Cause(r.Context()); errors.Is(err, googlesession.ErrNoSession) || errors.Is(err, googlesession.ErrUserDisabled) {
				fmt.Fprint(w, "event: signed-out\ndata:\n\n") // tells the page that the session has ended
			}
			return
		}
	}
}

func TestServerSentEvents(t *testing.T) {
	m, google := newManager(t, nil)
	app := eventsApp(m)
	testEvents(t, m, google, google.SignIn(t, app, "/api/login", ada))
}

// testEvents opens GET /events, ends the session, and checks what the browser's EventSource
// gets. The stream ends at once with an event, and a connection that is made again is
// refused.
func testEvents(t *testing.T, m *googlesession.Manager, google *googletest.Google, user *http.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, googletest.Origin+"/events", nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/event-stream")
	res, err := user.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))

	stream := bufio.NewReader(res.Body)
	require.Equal(t, "retry: 3000\nevent: hello\ndata:\n\n", event(t, stream))

	_, err = m.RevokeUser(t.Context(), google.Subject(ada))
	require.NoError(t, err)
	require.Equal(t, "event: signed-out\ndata:\n\n", event(t, stream))
	_, err = stream.ReadByte()
	require.Error(t, err, "the stream goes on after the session's end")

	// An EventSource connects again by itself. A 401 closes it for ever (WHATWG HTML,
	// section 9.2.3), so the page has to ask who is signed in.
	again := do(t, user, "GET", "/events", "Accept", "text/event-stream", "Sec-Fetch-Mode", "cors")
	require.Equal(t, http.StatusUnauthorized, again.status)
	require.True(t, slices.Contains([]googlesession.Code{googlesession.CodeNoSession, googlesession.CodeSessionRevoked}, code(t, again.text)), again.text)
}

// event reads a stream up to the next empty line.
func event(t *testing.T, stream *bufio.Reader) string {
	t.Helper()
	lines := ""
	for {
		line, err := stream.ReadString('\n')
		require.NoError(t, err, lines)
		lines += line
		if line == "\n" {
			return lines
		}
	}
}

// A stream that is refused closes the browser's EventSource for ever, during an outage too,
// because neither answer has the status 200 (WHATWG HTML, section 9.2.3).
func TestServerSentEventsRefused(t *testing.T) {
	store := newRecipeStore()
	m, google := newManager(t, func(c *googlesession.Config) { c.Sessions = store })
	app := eventsApp(m)
	user := google.SignIn(t, app, "/api/login", ada)
	res := do(t, google.Browser(app), "GET", "/events", "Accept", "text/event-stream")
	require.Equal(t, http.StatusUnauthorized, res.status)
	store.down.Store(true)
	res = do(t, user, "GET", "/events", "Accept", "text/event-stream")
	require.Equal(t, http.StatusServiceUnavailable, res.status)
	require.NotEmpty(t, res.header.Get("Retry-After"))
}

// The page of the recipe goes to the login page only if the session has ended. It listens
// again after an outage, and leaves a lost connection to the browser.
func TestServerSentEventsPage(t *testing.T) {
	node := installed(t, "node")
	const connecting, closed = "0", "2"
	for _, tt := range []struct {
		name, readyState, status, message string
		want                              []string
	}{
		{"a lost connection", connecting, "", "", nil},
		{"the session has ended", closed, "401", "", []string{"ask /api/user", "close", "go to /login?next=%2Fpage"}},
		{"an outage", closed, "503", "", []string{"ask /api/user", "listen in 5000 ms"}},
		{"no network", closed, "0", "", []string{"ask /api/user", "listen in 5000 ms"}},
		{"refused for another reason", closed, "200", "", []string{"ask /api/user", "listen in 5000 ms"}},
		{"the last event of an ended session", "", "", "signed-out", []string{"close", "go to /login?next=%2Fpage"}},
	} {
		out, err := exec.CommandContext(t.Context(), node, "testdata/run_events.js", "testdata/events.js", tt.readyState, tt.status, tt.message).CombinedOutput()
		require.NoError(t, err, "%s: %s", tt.name, out)
		want, err := json.Marshal(append([]string{"open /events"}, tt.want...))
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(out), tt.name)
	}
}
