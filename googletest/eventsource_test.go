package googletest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// A page's EventSource reads events until the session is revoked.
func TestEventSourceEndsWithSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		google := googletest.NewGoogle(client)
		verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{client}, HTTPClient: google.Client()})
		require.NoError(t, err)
		m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier})
		require.NoError(t, err)
		app := http.NewServeMux()
		app.Handle("/api/", http.StripPrefix("/api", m.Handler()))
		app.Handle("/events", m.RequireUser(m.EndWithSession(time.Hour)(http.HandlerFunc(serveTicks))))

		browser := google.SignIn(t, app, "/api/login", "ada@example.com")
		res, err := browser.Get(googletest.Origin + "/events")
		require.NoError(t, err)
		require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
		lines := bufio.NewReader(res.Body)
		start := time.Now()
		for range 3 {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "data: tick\n", line)
		}
		require.Equal(t, 3*time.Minute, time.Since(start))

		_, err = m.RevokeUser(t.Context(), google.Subject("ada@example.com"))
		require.NoError(t, err)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "data: revoked\n", line)
		_, err = lines.ReadString('\n')
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 3*time.Minute, time.Since(start), "the stream ends at once")

		res, _ = get(t, browser, googletest.Origin+"/events")
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	})
}

// serveTicks sends an event a minute, and says why it ends.
func serveTicks(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	connection := http.NewResponseController(w)
	send := func(data string) {
		_, _ = fmt.Fprintf(w, "data: %s\n", data)
		_ = connection.Flush()
	}
	_ = connection.Flush()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			if errors.Is(context.Cause(r.Context()), googlesession.ErrNoSession) {
				send("revoked")
			}
			return
		case <-tick.C:
			send("tick")
		}
	}
}
