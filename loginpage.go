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
// an answer of every status except 3xx. It must not get a redirect to the login page,
// because it would put that page into a part of the page in the window.
func isHTMX(r *http.Request) bool {
	return r.Header.Get("Hx-Request") == "true" && !IsNavigation(r)
}

// isFormOfPage reports whether the browser may show the answer to a form in its window. It
// returns false if Fetch Metadata says that a script has sent the form.
func isFormOfPage(r *http.Request) bool {
	return IsNavigation(r) || r.Header.Get("Sec-Fetch-Mode") == "" && mediaType(r) == mediaForm
}

// A wayOut is where a refusal leads a person who sees it.
type wayOut struct {
	next   string // the page to come back to after signing in
	retry  string // the page that may answer another time; "" if a link cannot repeat the request
	signIn bool   // the refused request was a sign-in, so the login page explains every refusal but an outage
}

// wayOut returns where a refusal leads a person. answerSignInDenial knows a better way for
// a sign-in and does not call it.
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
	case m.cfg.LoginPage == "" || m.presentsToken(r): // a program does not read the login page
		return false
	case way.signIn: // the login page explains every refused sign-in, unless a new one would fail too
		return d.Status != http.StatusServiceUnavailable && isFormOfPage(r)
	default:
		return d.Status == http.StatusUnauthorized && IsNavigation(r) && !m.isLoginPage(requestedURL(r))
	}
}

// loginPageForHTMX returns the address to which htmx has to lead the browser, or "" if the
// refusal has none. A login page that uses htmx is not led to itself, because it would send
// its request again and so be loaded for ever.
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
// recognised by the query that loginAddress has made. If that has a code of the application's
// own, one path has to be the end of the other, because another page may have parameters of
// these names, such as the code of an invitation.
func (m *Manager) isLoginPage(address *url.URL) bool {
	page, asked := m.loginPath(), strings.ToLower(path.Clean(address.Path))
	if asked == page {
		return true
	}
	query := address.Query()
	code := Code(query.Get("code"))
	return query.Has("next") && (denials[code].status == http.StatusUnauthorized ||
		code != "" && len(query) == 2 && (strings.HasSuffix(page, asked) || strings.HasSuffix(asked, page)))
}

// isLoginPath reports whether the path of an address is that of the login page.
func (m *Manager) isLoginPath(address *url.URL) bool {
	return strings.ToLower(path.Clean(address.Path)) == m.loginPath()
}

// loginPath returns the path of the login page in the form in which paths are compared.
func (m *Manager) loginPath() string {
	page, _ := url.PathUnescape(m.cfg.LoginPage)
	return strings.ToLower(path.Clean(page))
}

// loginAddress returns the address of the login page, with the path to return to in ?next=
// and the reason of the refusal in ?code=.
func (m *Manager) loginAddress(d Denial, next string) string {
	return m.cfg.LoginPage + "?" + url.Values{"next": {next}, "code": {string(d.Code)}}.Encode()
}

// nextPage returns the page to which a person should come back after signing in. It is the
// requested page. For a posted form it is the page with the form and not the path to which
// the form was posted, because that path may answer POST only. For htmx it is the page in
// the window and not the part of it that htmx has asked for.
func (m *Manager) nextPage(r *http.Request) string {
	isGet := r.Method == http.MethodGet || r.Method == http.MethodHead
	var address string
	switch {
	case isHTMX(r) && (!isGet || r.Header.Get("Hx-Boosted") != "true"):
		// htmx resolves HX-Redirect against the page that HX-Current-URL names, so the path
		// belongs to the site of that page.
		address = r.Header.Get("Hx-Current-Url")
	case isGet: // also for a link with hx-boost, which asks for a whole page
		return requestedPath(r)
	default:
		address = r.Header.Get("Referer")
		if !isOwnReferer(r) {
			return "/"
		}
	}
	u, err := url.Parse(address)
	if err != nil || m.cfg.LoginPage != "" && m.isLoginPage(u) { // a person who has signed in does not need the login page
		return "/"
	}
	return pagePath(u)
}

// isOwnReferer reports whether the page in the Referer header has the origin of the
// request. The browser says so in Sec-Fetch-Site, which is right even behind a proxy that
// changes Host. Without that header, the hosts are compared. A page of a trusted origin has
// another origin, so its path would lead to another page of this site.
func isOwnReferer(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	u, err := url.Parse(r.Header.Get("Referer"))
	return err == nil && u.Host != "" && u.Host == r.Host
}
