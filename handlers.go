package googlesession

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"time"
)

//go:embed login.js
var loginScript []byte

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the contract of [Manager.Handler], an OpenAPI 3.1 document in YAML.
// The slice is the caller's.
func OpenAPI() []byte { return bytes.Clone(openAPI) }

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
// For administrators, who may add ?reason= to what they change, for the audit:
//
//	GET    /admin/users?after=&limit=         {"users":[…],"next"}
//	GET    /admin/users/{id}                  the user, with disabled, created_at, seen_at
//	PATCH  /admin/users/{id}                  {"admin"?,"disabled"?}; the user
//	DELETE /admin/users/{id}                  204
//	GET    /admin/users/{id}/sessions         {"sessions":[…]}
//	DELETE /admin/users/{id}/sessions         {"ended":n}
//	DELETE /admin/users/{id}/sessions/{ref}   204
//	POST   /admin/sessions/revoke-all         {"ended":n}; asks RequireFresh
//
// For Google:
//
//	POST   /security-events   202
//
// Without a [Config.Verifier] the login routes do not exist, without a [UserStore] the
// administrators', and without [Config.SecurityEventVerifier] that one.
func (m *Manager) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, methods := range m.routes() {
		for method, h := range methods {
			mux.Handle(method+" "+path, h)
		}
		mux.Handle(path, m.methodNotAllowed(methods))
	}
	return m.router(mux)
}

// routes are those that the configuration allows.
func (m *Manager) routes() map[string]methods {
	routes := map[string]methods{
		"/logout": {http.MethodPost: m.serveLogout},
		"/user":   m.guarded(m.RequireUser, methods{http.MethodGet: m.serveUser}),
		"/sessions": m.guarded(m.RequireUser, methods{
			http.MethodGet:    m.serveSessions,
			http.MethodDelete: m.serveEndOthers,
		}),
		"/sessions/{ref}": m.guarded(m.RequireUser, methods{http.MethodDelete: m.serveEndOne}),
	}
	if m.cfg.Verifier != nil {
		routes["/login"] = methods{http.MethodGet: m.serveBeginLogin, http.MethodPost: m.serveLogin}
		routes["/login.js"] = methods{http.MethodGet: serveScript()}
	}
	if m.users != nil {
		maps.Copy(routes, m.adminRoutes())
	}
	if m.cfg.SecurityEventVerifier != nil {
		routes["/security-events"] = methods{http.MethodPost: m.serveSecurityEvents}
	}
	return routes
}

// methods are what a path answers to.
type methods map[string]http.HandlerFunc

// guarded puts a guard in front of each.
func (m *Manager) guarded(guard func(http.Handler) http.Handler, unguarded methods) methods {
	out := make(methods, len(unguarded))
	for method, h := range unguarded {
		out[method] = guard(h).ServeHTTP
	}
	return out
}

// router ignores a trailing slash and answers 404 where there is no route. It
// keeps unclean paths from ServeMux, which would redirect them, and under a
// StripPrefix to the wrong place.
func (m *Manager) router(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = m.limitBody(w, r)
		if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(r.URL.EscapedPath(), "/") {
			u := *r.URL
			u.Path, u.RawPath = strings.TrimSuffix(p, "/"), strings.TrimSuffix(u.RawPath, "/")
			trimmed := *r
			trimmed.URL = &u
			r = &trimmed
		}
		// As it was sent: a user's ID may be anything, once decoded.
		path := r.URL.EscapedPath()
		clean := !strings.Contains(path, "//") && !strings.Contains(path, "/.")
		if _, pattern := mux.Handler(r); !clean || pattern == "" {
			m.answer(w, r, denial(CodeNotFound, nil))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (m *Manager) methodNotAllowed(methods methods) http.Handler {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete} {
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
	answer := m.answer
	if mediaType(r) == mediaForm {
		answer = func(w http.ResponseWriter, r *http.Request, d Denial) { m.answerForm(w, r, d, "/") }
	}
	// Before the body is read; SignIn asks again for those who call it directly.
	if err := m.checkSource(r, m.loginOrigins(r)); err != nil {
		answer(w, r, m.refuseSignIn(r, "", err))
		return
	}
	body, err := readLogin(w, r)
	if err != nil {
		answer(w, r, m.refuseSignIn(r, "", err))
		return
	}
	signIn := m.SignIn
	if body.reauth {
		signIn = m.Reauthenticate
	}
	s, err := signIn(w, r, body.credential)
	switch {
	case err == nil && body.form:
		http.Redirect(w, r, body.next, http.StatusSeeOther)
	case err == nil:
		writeJSON(w, userBody(s.User))
	case body.form:
		m.answerForm(w, r, classify(err), body.next)
	default:
		m.answer(w, r, classify(err))
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

// serveScript serves login.js. It is the same for everybody; the ETag lets a new
// version of the library replace it at once.
func serveScript() http.HandlerFunc {
	sum := sha256.Sum256(loginScript)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(loginScript))
	}
}

// timestamp is RFC 3339 with milliseconds, UTC.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
