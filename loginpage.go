package googlesession

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// leadsToLoginPage reports whether the refusal is answered by a redirect to
// [Config.LoginPage]. It returns true if the browser asked for a page and signing in
// would help. Every other refusal keeps its status, because a redirect would hide it.
func (m *Manager) leadsToLoginPage(r *http.Request, d Denial) bool {
	return m.cfg.LoginPage != "" &&
		d.Status == http.StatusUnauthorized &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		isNavigation(r) &&
		!m.isLoginPage(r)
}

// isNavigation reports whether the browser will show the answer in its window. Over
// https, browsers say so in Sec-Fetch-Mode (Fetch Metadata, section 2.2). Over plain HTTP
// they do not send that header, so isNavigation returns true for a client that accepts
// HTML before anything else.
func isNavigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.HasPrefix(r.Header.Get("Accept"), "text/html")
}

// isLoginPage reports whether the browser asked for the login page itself. A guard in
// front of the login page must not redirect that page to itself. The paths are compared
// as the browser knows them, without regard to a slash at the end, dot segments and case,
// because a router or a file server may redirect these spellings to each other.
//
// A proxy may have removed a prefix that only the browser knows. Then the login page is
// recognised by the query that redirectToLogin added.
func (m *Manager) isLoginPage(r *http.Request) bool {
	asked := r.URL
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil { // http.StripPrefix does not change RequestURI
		asked = u
	}
	page, _ := url.PathUnescape(m.cfg.LoginPage)
	if strings.EqualFold(path.Clean(asked.Path), path.Clean(page)) {
		return true
	}
	query := asked.Query()
	return query.Has("next") && denials[Code(query.Get("code"))].status == http.StatusUnauthorized
}

// redirectToLogin sends the browser to the login page, with the path to return to in
// ?next= and the reason of the refusal in ?code=.
func (m *Manager) redirectToLogin(w http.ResponseWriter, r *http.Request, d Denial, next string) {
	query := url.Values{"next": {next}, "code": {string(d.Code)}}
	http.Redirect(w, r, m.cfg.LoginPage+"?"+query.Encode(), http.StatusSeeOther)
}
