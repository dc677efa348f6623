package googlesession

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// toLoginPage reports whether the refusal goes to a person, and is for want of a sign-in.
// Any other refusal keeps its status, because a redirect would hide it.
func (m *Manager) toLoginPage(r *http.Request, d Denial) bool {
	return m.cfg.LoginPage != "" &&
		d.Status == http.StatusUnauthorized &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		isNavigation(r) &&
		!m.isLoginPage(r)
}

// isNavigation reports whether the answer is shown in the browser's window. Browsers say
// so (Fetch Metadata, section 2.2). Over plain HTTP they do not, and a client that asks
// for HTML first is taken for one.
func isNavigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.HasPrefix(r.Header.Get("Accept"), "text/html")
}

// isLoginPage reports whether the browser has asked for the login page, which a guard in
// front of it must not send to itself. The path counts as the browser knows it, without
// regard to the spellings that a router or a file server may redirect to each other: a
// slash at the end, dots, and case.
//
// A proxy may have removed a prefix that only the browser knows. Then the login page is
// recognised by the query that redirectToLogin gave it.
func (m *Manager) isLoginPage(r *http.Request) bool {
	asked := r.URL
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil { // http.StripPrefix leaves it as it is
		asked = u
	}
	page, _ := url.PathUnescape(m.cfg.LoginPage)
	if strings.EqualFold(path.Clean(asked.Path), path.Clean(page)) {
		return true
	}
	query := asked.Query()
	return query.Has("next") && details[Code(query.Get("code"))].status == http.StatusUnauthorized
}

// redirectToLogin leads the browser to the login page, and says where it wanted to go and
// why it may not.
func (m *Manager) redirectToLogin(w http.ResponseWriter, r *http.Request, d Denial, next string) {
	query := url.Values{"next": {next}, "code": {string(d.Code)}}
	http.Redirect(w, r, m.cfg.LoginPage+"?"+query.Encode(), http.StatusSeeOther)
}

// answerForm answers a refused form that Google's page has posted. The browser shows the
// answer in its window, where problem+json helps nobody, so it leads to the login page if
// there is one. An outage keeps its status.
func (m *Manager) answerForm(w http.ResponseWriter, r *http.Request, d Denial, next string) {
	if m.cfg.LoginPage == "" || m.cfg.Deny != nil || d.Code == CodeUnavailable {
		m.answer(w, r, d)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	varyCookie(h)
	m.redirectToLogin(w, r, d, next)
}
