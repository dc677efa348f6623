package main

import (
	"net/http"
	"time"

	"github.com/googlesession/googlesession"
)

// sessionRoutes serves when the session of the request ends, so that a page can warn before.
// The request does not count as a use of the session, because the page sends it by itself.
func (a *app) sessionRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/session", a.sessions.WithoutUse(a.sessions.RequireUser(http.HandlerFunc(serveSessionEnd))))
	mux.HandleFunc("/api/session", methodNotAllowed("GET, HEAD"))
}

// serveSessionEnd answers with the end of the session as a time and in seconds from now. A
// page uses the seconds, because the browser's clock may be wrong.
func serveSessionEnd(w http.ResponseWriter, r *http.Request) {
	session, _ := googlesession.SessionFrom(r.Context())
	writeJSON(w, http.StatusOK, map[string]any{
		"expires_at":   timestamp(session.ExpiresAt),
		"seconds_left": max(0, int(time.Until(session.ExpiresAt).Seconds())),
	})
}
