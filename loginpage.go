package googlesession

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// IsNavigation reports whether the browser will show the answer in its window, because a
// person has followed a link or has posted a form. It reports false for the request of a
// script, whose answer only the script sees. [Config.Deny] may ask it, to answer a person
// with a page and a script with JSON.
//
// Over https, browsers say so in the header Sec-Fetch-Mode (Fetch Metadata Request Headers,
// section 2.2). Over plain HTTP they do not send it. Then IsNavigation returns true for a
// client that accepts HTML before anything else, unless it is htmx or says by
// X-Requested-With that it is a script. A client chooses these headers itself, so the result
// may decide about the form of an answer and not about what the client may do.
func IsNavigation(r *http.Request) bool {
	h := r.Header
	if mode := h.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.HasPrefix(h.Get("Accept"), "text/html") &&
		h.Get("Hx-Request") == "" && h.Get("X-Requested-With") != "XMLHttpRequest"
}

// isHTMX reports whether htmx has sent the request. htmx follows the header HX-Redirect of
// an answer of any status but a redirect. It follows a redirect as every script does, which
// would put the login page into a part of the page.
func isHTMX(r *http.Request) bool {
	return r.Header.Get("Hx-Request") == "true" && !IsNavigation(r)
}

// isFormOfPage reports whether a form may have come from a window. It returns false if Fetch
// Metadata says that a script has sent it.
func isFormOfPage(r *http.Request) bool {
	return IsNavigation(r) || r.Header.Get("Sec-Fetch-Mode") == "" && mediaType(r) == mediaForm
}

// A wayOut is where a refusal leads a person who sees it.
type wayOut struct {
	next   string // the page to come back to after signing in
	retry  string // the page that may answer another time; "" if a link cannot repeat the request
	signIn bool   // the refused request was a sign-in, so the login page explains every refusal but an outage
}

// wayOut returns where a refusal leads a person, unless the caller knows better.
func (m *Manager) wayOut(r *http.Request) wayOut {
	way := wayOut{next: m.nextPage(r)}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		way.retry = requestedPath(r)
	}
	return way
}

// leadsToLoginPage reports whether the refusal is answered by a redirect to
// [Config.LoginPage]. It returns true for a browser's page and form if signing in would
// help. Every other refusal keeps its status, because a redirect would hide it.
func (m *Manager) leadsToLoginPage(r *http.Request, d Denial, way wayOut) bool {
	switch {
	case m.cfg.LoginPage == "":
		return false
	case way.signIn: // the login page explains every refused sign-in, unless a new one would fail too
		return d.Status != http.StatusServiceUnavailable && isFormOfPage(r)
	default:
		return d.Status == http.StatusUnauthorized && IsNavigation(r) && !m.isLoginPage(requestedURL(r))
	}
}

// loginPageForHTMX returns the address to which htmx has to lead the browser, or "" if the
// refusal has none. A page that is itself the login page is not led to itself, because it
// would send its request again and so be loaded for ever.
func (m *Manager) loginPageForHTMX(r *http.Request, d Denial, way wayOut) string {
	if m.cfg.LoginPage == "" || d.Status != http.StatusUnauthorized || !isHTMX(r) || m.isLoginPage(requestedURL(r)) {
		return ""
	}
	if u, err := url.Parse(r.Header.Get("Hx-Current-Url")); err == nil && m.isLoginPage(u) {
		return ""
	}
	return m.loginAddress(d, way.next)
}

// isLoginPage reports whether an address, as the browser knows it, is that of the login
// page. A guard in front of the login page must not redirect that page to itself. The paths
// are compared without regard to a slash at the end, dot segments and case, because a router
// or a file server may redirect these spellings to each other.
//
// A proxy may have removed a prefix that only the browser knows. Then the login page is
// recognised by the query that loginAddress made. The code may be an application's.
func (m *Manager) isLoginPage(address *url.URL) bool {
	if m.isLoginPath(address) {
		return true
	}
	query := address.Query()
	code := Code(query.Get("code"))
	return query.Has("next") && (denials[code].status == http.StatusUnauthorized || code != "" && len(query) == 2)
}

// isLoginPath reports whether the path of an address is that of the login page.
func (m *Manager) isLoginPath(address *url.URL) bool {
	page, _ := url.PathUnescape(m.cfg.LoginPage)
	return strings.EqualFold(path.Clean(address.Path), path.Clean(page))
}

// loginAddress returns the address of the login page, with the path to return to in ?next=
// and the reason of the refusal in ?code=.
func (m *Manager) loginAddress(d Denial, next string) string {
	return m.cfg.LoginPage + "?" + url.Values{"next": {next}, "code": {string(d.Code)}}.Encode()
}

// nextPage returns the page to which a person should come back after signing in. For a page
// that is the page itself. For a posted form it is the page with the form, and not the path
// of the form, because that may answer POST only. For htmx it is the page in the window, and
// not the part of it that htmx has asked for.
func (m *Manager) nextPage(r *http.Request) string {
	isGet := r.Method == http.MethodGet || r.Method == http.MethodHead
	var address string
	switch {
	case isHTMX(r) && (!isGet || r.Header.Get("Hx-Boosted") != "true"):
		// htmx resolves HX-Redirect against the page that it names here, so the path is one
		// of that page's site, whichever site it is.
		address = r.Header.Get("Hx-Current-Url")
	case isGet: // also of a link that htmx has boosted, which is a page too
		return requestedPath(r)
	default:
		address = r.Header.Get("Referer")
		if !isOwnReferer(r) {
			return "/"
		}
	}
	u, err := url.Parse(address)
	if err != nil || m.cfg.LoginPage != "" && m.isLoginPage(u) { // after signing in, the login page has done its work
		return "/"
	}
	return pagePath(u)
}

// isOwnReferer reports whether the page in the Referer header has the origin of the request.
// Sec-Fetch-Site says so as the browser sees it, and so also behind a proxy that changes
// Host. Without it, the hosts are compared. A page of a trusted origin is not of this
// origin, and its path would lead to another page.
func isOwnReferer(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	u, err := url.Parse(r.Header.Get("Referer"))
	return err == nil && u.Host != "" && u.Host == r.Host
}
