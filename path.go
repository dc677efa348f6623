package googlesession

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

const maxNext = 2048 // bytes of a path to return to

// safePath returns s if it leads a browser to a page of this site, or "/" if it does not.
// It accepts a path with an optional query and fragment. It refuses more than it has to,
// because browsers turn backslashes into slashes, drop tabs and line ends, and resolve dot
// segments. Each of these has made an open redirect out of a check that looked complete.
func safePath(s string) string {
	if len(s) > maxNext || !strings.HasPrefix(s, "/") || hasUnsafe(s) {
		return "/"
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// A proxy or a router further on may decode the path before it uses it.
	if hasUnsafe(u.Path) || strings.Contains(u.Path, "//") {
		return "/"
	}
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return "/"
	}
	// Browsers read the header HX-Redirect as Latin-1. String escapes the path and the
	// fragment only.
	u.RawQuery = escapeNonASCII(u.RawQuery)
	if s = u.String(); len(s) > maxNext { // the escapes make s longer
		return "/"
	}
	return s
}

// escapeNonASCII returns s with an escape for each byte that is not ASCII.
func escapeNonASCII(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// hasUnsafe reports whether s has a character that browsers change: a control character or
// a backslash.
func hasUnsafe(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' })
}

// requestedURL returns the address that the browser asked for. It prefers RequestURI, which
// [http.StripPrefix] leaves as it is. RequestURI has no path for CONNECT and "OPTIONS *",
// and for a request that a program has made, so requestedURL then returns r.URL.
func requestedURL(r *http.Request) *url.URL {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		return r.URL
	}
	return u
}

// callbackPath is the path, below Handler, to which Google sends a browser back.
const callbackPath = "/login/google/callback"

// requestedPath returns the path and query that the browser asked for, or "/" if safePath
// refuses them. It returns "/" for a callback of Google's too, because its query holds a
// code. A guard gets such a request if Config.BaseURL leads to the wrong place.
func requestedPath(r *http.Request) string {
	u := requestedURL(r)
	if isCallback(u) {
		return "/"
	}
	return safePath(u.RequestURI())
}

// isCallback reports whether an address has the path to which Google sends a browser back,
// below any prefix.
func isCallback(address *url.URL) bool {
	return strings.HasSuffix(strings.TrimSuffix(address.Path, "/"), callbackPath)
}

// asRequested returns a copy of the request, with ctx and with the path and query that the
// browser asked for. The copy of a callback of Google's has no query, because that holds a
// code.
func asRequested(ctx context.Context, r *http.Request) *http.Request {
	if isCallback(requestedURL(r)) {
		r = withoutQuery(r)
	}
	from, u := requestedURL(r), *r.URL
	u.Path, u.RawPath, u.RawQuery, u.ForceQuery = from.Path, from.RawPath, from.RawQuery, from.ForceQuery
	asked := r.WithContext(ctx)
	asked.URL = &u
	return asked
}

// pagePath returns the path and query of a page's absolute address, or "/" if the address is
// malformed or safePath refuses it. It drops the fragment, which browsers keep from servers.
func pagePath(address *url.URL) string {
	if address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
		return "/"
	}
	return safePath(address.RequestURI())
}

// withoutQuery returns a copy of the request without its query.
func withoutQuery(r *http.Request) *http.Request {
	u := *r.URL
	u.RawQuery, u.ForceQuery = "", false
	bare := *r
	bare.URL = &u
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil {
		bare.RequestURI = asked.EscapedPath()
	}
	bare.Form, bare.PostForm = nil, nil
	return &bare
}
