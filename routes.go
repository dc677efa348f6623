package googlesession

import (
	"bytes"
	_ "embed"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the contract of [Manager.Handler], an OpenAPI 3.1 document in YAML. The
// slice belongs to the caller.
func OpenAPI() []byte { return bytes.Clone(openAPI) }

// Handler returns a handler of the library's routes, relative to where it is mounted:
//
//	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
//
// It ignores a slash at the end of the path. A refusal is problem+json with a code (RFC
// 9457). A page or a posted form ([IsNavigation]) is refused with a redirect to
// [Config.LoginPage] or with an HTML page, as [Manager.WriteDenial] describes.
//
//	GET    /login           {"client_id","nonce","redirect"} and the nonce cookie
//	GET    /login.js        a script for pages without a framework
//	POST   /login           {"credential"} or Google's form; the user, and the session cookie
//	POST   /logout          204, for a form 303 to next; expires the session and nonce cookies
//	GET    /user            {"id","username","email","name","picture","admin"}
//	DELETE /user            204; with Config.SelfDeletion, and a sign-in of the last ten minutes
//	GET    /user/export     everything that the stores have about the user, as in UserExport
//	GET    /sessions        {"sessions":[{"id","public_id","current",…}]} of the user who asks
//	DELETE /sessions/{ref}  204; ref is the id or the public_id of a session
//	DELETE /sessions        {"ended":n}; all sessions of that user except the current one
//
// With [Config.CodeExchanger], a person can sign in without a script of Google's:
//
//	GET    /login/google?next=&remember=true&reauth=true   303 to Google
//	GET    /login/google/callback                          303 to next, and the session cookie
//
// With [Config.Bearer], programs sign in, and users make personal tokens:
//
//	GET    /login?deliver=token   {"client_id","nonce","secret"}; no cookie
//	POST   /login                 {"credential","secret","deliver":"token","label"?}; {"token","session","user"}
//	GET    /tokens                {"tokens":[…]}, sessions as above
//	POST   /tokens                {"label","expires_in"?}; 201 {"token","session"}; needs a sign-in of the last ten minutes
//	DELETE /tokens/{ref}          204
//
// With [Config.DeviceBinding], browsers call by themselves:
//
//	POST   /dbsc/register   the browser's key; instructions as JSON, and the bound cookie
//	POST   /dbsc/refresh    the browser's proof; 200 and the bound cookie, or 403 and a challenge
//	GET    /dbsc/offer      303 to next; with Config.CodeExchanger, after a sign-in by redirect
//
// Administrators may add ?reason= to what they change, for the audit:
//
//	GET    /admin/users?after=&limit=         {"users":[…],"next"}; also email=, name=, admin=, disabled=
//	GET    /admin/sessions?after=&limit=      {"sessions":[…],"next"}, of all users
//	GET    /admin/users/{id}                  the user, with disabled, created_at, seen_at
//	PATCH  /admin/users/{id}                  {"admin"?,"disabled"?}; the user
//	DELETE /admin/users/{id}                  204
//	GET    /admin/users/{id}/sessions         {"sessions":[…]}
//	DELETE /admin/users/{id}/sessions         {"ended":n}
//	DELETE /admin/users/{id}/sessions/{ref}   204
//	POST   /admin/sessions/revoke-all         {"ended":n}; needs a sign-in of the last ten minutes
//
// Google's servers call:
//
//	POST   /security-events   202
//
// The login routes need [Config.Verifier], the admin routes a [UserStore], and
// /security-events needs [Config.SecurityEventVerifier]. A route without what it needs
// answers 404.
func (m *Manager) Handler() http.Handler {
	mux := http.NewServeMux()
	allowed := make(map[string][]string) // methods by path, in the order of the routes
	for _, route := range m.routes() {
		mux.Handle(route.method+" "+route.path, route.handler)
		methods := append(allowed[route.path], route.method)
		if route.method == http.MethodGet {
			methods = append(methods, http.MethodHead) // ServeMux passes HEAD to the handler of GET
		}
		allowed[route.path] = methods
	}
	for path, methods := range allowed {
		mux.Handle(path, m.methodNotAllowed(methods))
	}
	return m.cleanPaths(mux)
}

type route struct {
	method, path string
	handler      http.Handler
}

// stepUpAge is how recently a user must have signed in for what a thief must not do with a
// borrowed browser, such as ending the sessions of all users.
const stepUpAge = 10 * time.Minute

// routes returns the routes that the configuration allows.
func (m *Manager) routes() []route {
	// These guards refuse with m.deny, which asks Config.Deny for pages and forms only.
	user := func(h http.HandlerFunc) http.Handler { return m.require(h, allowUser, m.deny) }
	admin := func(h http.HandlerFunc) http.Handler { return m.require(h, m.allowAdmin, m.deny) }
	fresh := func(h http.HandlerFunc) http.Handler { return m.require(h, allowFresh(stepUpAge), m.deny) }
	freshAdmin := func(h http.HandlerFunc) http.Handler { return m.require(fresh(h), m.allowAdmin, m.deny) }

	routes := []route{
		{"POST", "/logout", http.HandlerFunc(m.serveSignOut)},
		{"GET", "/user", user(m.serveUser)},
		{"GET", "/sessions", user(m.serveSessions)},
		{"DELETE", "/sessions", user(m.serveRevokeOthers)},
		{"DELETE", "/sessions/{ref}", user(m.serveRevokeSession)},
	}
	if m.cfg.Verifier != nil {
		routes = append(routes,
			route{"GET", "/login", http.HandlerFunc(m.serveBeginSignIn)},
			route{"POST", "/login", http.HandlerFunc(m.serveSignIn)},
			route{"GET", "/login.js", serveScript()})
	}
	if m.cfg.DeviceBinding != BindNobody {
		routes = append(routes,
			route{"POST", registerPath, http.HandlerFunc(m.serveRegister)},
			route{"POST", refreshPath, http.HandlerFunc(m.serveRefresh)})
		if m.cfg.CodeExchanger != nil {
			routes = append(routes, route{"GET", offerPath, http.HandlerFunc(m.serveOffer)})
		}
	}
	if m.cfg.Bearer {
		routes = append(routes,
			route{"GET", "/tokens", user(m.serveTokens)},
			route{"DELETE", "/tokens/{ref}", user(m.serveRevokeToken)})
		if m.users != nil {
			routes = append(routes, route{"POST", "/tokens", fresh(m.serveIssue)})
		}
	}
	if m.cfg.CodeExchanger != nil {
		routes = append(routes,
			route{"GET", beginPath, http.HandlerFunc(m.serveBeginRedirect)},
			route{"GET", callbackPath, http.HandlerFunc(m.serveRedirectCallback)})
	}
	if m.users != nil {
		routes = append(routes,
			route{"GET", "/user/export", user(m.serveExport)},
			route{"GET", "/admin/users", admin(m.serveUsers)},
			route{"GET", "/admin/users/{id}", admin(m.serveGetUser)},
			route{"PATCH", "/admin/users/{id}", admin(m.serveSetAccess)},
			route{"DELETE", "/admin/users/{id}", admin(m.serveDeleteUser)},
			route{"GET", "/admin/users/{id}/sessions", admin(m.serveUserSessions)},
			route{"DELETE", "/admin/users/{id}/sessions", admin(m.serveRevokeUserSessions)},
			route{"DELETE", "/admin/users/{id}/sessions/{ref}", admin(m.serveRevokeUserSession)},
			route{"GET", "/admin/sessions", admin(m.serveAllSessions)},
			route{"POST", "/admin/sessions/revoke-all", freshAdmin(m.serveRevokeAll)})
	}
	if m.users != nil && m.cfg.SelfDeletion {
		routes = append(routes, route{"DELETE", "/user", fresh(m.serveDeleteSelf)})
	}
	if m.cfg.SecurityEventVerifier != nil {
		routes = append(routes, route{"POST", "/security-events", http.HandlerFunc(m.serveSecurityEvents)})
	}
	return routes
}

// cleanPaths returns a handler that calls mux without a slash at the end of the path, and
// answers 404 where there is no route. It does not pass unclean paths to ServeMux, which
// would redirect them, and to a wrong address if http.StripPrefix has removed a prefix.
func (m *Manager) cleanPaths(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = m.limitBodyTime(w, r)
		if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(r.URL.EscapedPath(), "/") {
			u := *r.URL
			u.Path, u.RawPath = strings.TrimSuffix(p, "/"), strings.TrimSuffix(u.RawPath, "/")
			trimmed := *r
			trimmed.URL = &u
			r = &trimmed
		}
		// The check is of the escaped path, because a user ID may contain any character
		// once it is decoded.
		path := r.URL.EscapedPath()
		clean := !strings.Contains(path, "//") && !strings.Contains(path, "/.")
		if _, pattern := mux.Handler(r); !clean || pattern == "" {
			m.reportMissingRoute(r, func(path string) bool { return hasRoute(mux, r.Method, path) })
			m.answerDenial(w, r, denial(CodeNotFound, nil))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// hasRoute reports whether mux has a route for the path.
func hasRoute(mux *http.ServeMux, method, path string) bool {
	_, pattern := mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: path}})
	return pattern != ""
}

// methodNotAllowed returns a handler that answers 405 with the methods that the path has
// (RFC 9110, section 15.5.6). ServeMux would answer text in place of problem+json.
func (m *Manager) methodNotAllowed(methods []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		m.answerDenial(w, r, denial(CodeMethodNotAllowed, nil))
	})
}
