package snippets

import (
	"errors"
	"net/http"

	"github.com/googlesession/googlesession"
)

// ServeDevices shows how to tell an outage from a session that has ended. The library's own
// routes and guards answer in the same way.
func ServeDevices(m *googlesession.Manager, w http.ResponseWriter, r *http.Request) {
	user, _ := googlesession.UserFrom(r.Context())
	list, err := m.Sessions(r.Context(), user.ID)
	if errors.Is(err, googlesession.ErrUnavailable) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		return
	}
	showDevices(w, list)
}
