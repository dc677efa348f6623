package googlesession

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

//go:embed login.js
var loginScript []byte

// Handler serves the library's routes, relative to where it is mounted:
//
//	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
//
// A trailing slash is ignored. Errors are RFC 9457 problem+json with a code.
//
//	GET    /login           {"client_id","nonce"} and the nonce cookie
//	GET    /login.js        script for pages without a framework
//	POST   /login           {"credential"} or Google's form; the user, and the session cookie
//	POST   /logout          204; both cookies expired
//	GET    /user            {"id","username","email","name","picture","admin"}
//	GET    /sessions        {"sessions":[{"id","current",…}]}, one's own
//	DELETE /sessions/{ref}  204
//	DELETE /sessions        {"ended":n}, all of one's own but this one
//
// Without a [Config.Verifier] the login routes do not exist.
func (m *Manager) Handler() http.Handler {
	routes := map[string]map[string]http.Handler{
		"/logout": {http.MethodPost: http.HandlerFunc(m.serveLogout)},
		"/user":   {http.MethodGet: m.RequireUser(http.HandlerFunc(m.serveUser))},
		"/sessions": {
			http.MethodGet:    m.RequireUser(http.HandlerFunc(m.serveSessions)),
			http.MethodDelete: m.RequireUser(http.HandlerFunc(m.serveEndOthers)),
		},
		"/sessions/{ref}": {http.MethodDelete: m.RequireUser(http.HandlerFunc(m.serveEndOne))},
	}
	if m.cfg.Verifier != nil {
		routes["/login"] = map[string]http.Handler{
			http.MethodGet:  http.HandlerFunc(m.serveBeginLogin),
			http.MethodPost: http.HandlerFunc(m.serveLogin),
		}
		routes["/login.js"] = map[string]http.Handler{http.MethodGet: serveScript()}
	}
	mux := http.NewServeMux()
	for path, methods := range routes {
		for method, h := range methods {
			mux.Handle(method+" "+path, h)
		}
		mux.Handle(path, m.methodNotAllowed(methods))
	}
	return m.router(mux)
}

// router ignores a trailing slash and answers 404 where there is no route. It
// keeps unclean paths from ServeMux, which would redirect them, and under a
// StripPrefix to the wrong place.
func (m *Manager) router(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(p, "/") {
			u := *r.URL
			u.Path, u.RawPath = strings.TrimSuffix(p, "/"), strings.TrimSuffix(u.RawPath, "/")
			trimmed := *r
			trimmed.URL = &u
			r = &trimmed
		}
		clean := !strings.Contains(r.URL.Path, "//") && !strings.Contains(r.URL.Path, "/.")
		if _, pattern := mux.Handler(r); !clean || pattern == "" {
			m.answer(w, r, denial(CodeNotFound, nil))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (m *Manager) methodNotAllowed(methods map[string]http.Handler) http.Handler {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
		if methods[method] != nil || method == http.MethodHead && methods[http.MethodGet] != nil {
			allow = append(allow, method)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		m.answer(w, r, denial(CodeMethodNotAllowed, nil))
	})
}

func (m *Manager) serveBeginLogin(w http.ResponseWriter, r *http.Request) {
	nonce, err := m.BeginSignIn(w, r)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	writeJSON(w, map[string]string{"client_id": m.cfg.Verifier.ClientID(), "nonce": nonce})
}

func (m *Manager) serveLogin(w http.ResponseWriter, r *http.Request) {
	// Before the body is read; SignIn asks again for those who call it directly.
	if err := m.checkSource(r, m.loginOrigins(r)); err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	body, err := readLogin(w, r)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	s, err := m.SignIn(w, r, body.credential)
	switch d := classify(err); {
	case err == nil && body.form:
		http.Redirect(w, r, body.next, http.StatusSeeOther)
	case err == nil:
		writeJSON(w, userBody(s.User))
	case body.form && m.cfg.LoginPage != "" && m.cfg.Deny == nil && d.Code != CodeUnavailable:
		// The browser shows what a form answers, and problem+json helps nobody there.
		m.redirectToLogin(w, r, d, body.next)
	default:
		m.answer(w, r, d)
	}
}

func (m *Manager) serveLogout(w http.ResponseWriter, r *http.Request) {
	if err := m.SignOut(w, r); err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// userJSON is a user as the browser sees its own.
type userJSON struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Picture  string `json:"picture"`
	Admin    bool   `json:"admin"`
}

func userBody(u User) userJSON {
	return userJSON{ID: u.ID, Username: u.Email, Email: u.Email, Name: u.Name, Picture: u.Picture, Admin: u.Admin}
}

func (m *Manager) serveUser(w http.ResponseWriter, r *http.Request) {
	user, _ := UserFrom(r.Context())
	writeJSON(w, userBody(user))
}

// sessionJSON is one of the user's sessions. The id ends it and cannot be made
// into a cookie.
type sessionJSON struct {
	ID        string `json:"id"`
	Current   bool   `json:"current"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"seen_at"`
	ExpiresAt string `json:"expires_at"`
	IP        string `json:"ip"`
	UserAgent string `json:"user_agent"`
}

func (m *Manager) serveSessions(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	list, err := m.Sessions(r.Context(), own.User.ID)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	out := make([]sessionJSON, 0, len(list))
	for _, s := range list {
		out = append(out, sessionJSON{
			ID:        s.Ref.String(),
			Current:   s.Ref == own.Ref,
			CreatedAt: timestamp(s.CreatedAt),
			SeenAt:    timestamp(s.SeenAt),
			ExpiresAt: timestamp(s.ExpiresAt),
			IP:        s.Device.IP,
			UserAgent: s.Device.UserAgent,
		})
	}
	writeJSON(w, map[string]any{"sessions": out})
}

// serveEndOne ends a session of one's own. Whatever is not in one's own list is
// not found, whoever's it is: the answer does not tell that it exists.
func (m *Manager) serveEndOne(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	ref, err := ParseRef(r.PathValue("ref"))
	if err != nil {
		m.answer(w, r, denial(CodeNotFound, err))
		return
	}
	list, err := m.Sessions(r.Context(), own.User.ID)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	mine := false
	for _, s := range list {
		mine = mine || s.Ref == ref
	}
	if !mine {
		m.answer(w, r, denial(CodeNotFound, nil))
		return
	}
	ctx := WithActor(r.Context(), own.User.ID, "own session")
	ended, err := m.revoke(ctx, ref)
	switch {
	case err != nil:
		m.refuse(w, r, denial(CodeUnavailable, unavailable("ending a session", err)))
	case !ended: // somebody else did, since the list was read
		m.answer(w, r, denial(CodeNotFound, nil))
	default:
		m.emit(ctx, Event{Kind: EventRevoked, UserID: own.User.ID, Ref: ref})
		w.WriteHeader(http.StatusNoContent)
	}
}

func (m *Manager) serveEndOthers(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	n, err := m.RevokeOthers(WithActor(r.Context(), own.User.ID, "own other sessions"), own)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	writeJSON(w, map[string]int{"ended": n})
}

// serveScript serves login.js. It is the same for everybody; the ETag lets a new
// version of the library replace it at once.
func serveScript() http.Handler {
	sum := sha256.Sum256(loginScript)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(loginScript))
	})
}

// timestamp is RFC 3339 with milliseconds, UTC.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
