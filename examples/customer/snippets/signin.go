package snippets

import (
	"fmt"
	"net/http"

	"github.com/googlesession/googlesession"
)

// Serve adds the sign-in and a page for signed-in users.
func Serve(mux *http.ServeMux, m *googlesession.Manager) {
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	page := func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		fmt.Fprintln(w, "Hello,", user.Email)
	}
	mux.Handle("GET /hello", m.RequireUser(http.HandlerFunc(page)))
}
