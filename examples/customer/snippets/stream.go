package snippets

import (
	"fmt"
	"net/http"
	"time"

	"github.com/googlesession/googlesession"
)

// Stream returns a handler whose answers end with the session of the browser.
func Stream(m *googlesession.Manager) http.Handler {
	stream := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: hello\ndata: {}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // the session has ended, or the browser has gone
		fmt.Fprint(w, "event: ended\ndata: {}\n\n")
	}
	return m.RequireUser(m.EndWithSession(5 * time.Second)(http.HandlerFunc(stream)))
}
