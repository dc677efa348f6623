package googlesession

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

const maxNext = 2048

// safePath returns s if a browser on this site can be sent there without leaving
// it, else "/". It accepts a path with an optional query and fragment, and is
// narrower than it needs to be: browsers turn backslashes into slashes, drop tabs
// and line ends, and resolve dot segments, each of which has made an open
// redirect out of a check that looked complete.
func safePath(s string) string {
	if len(s) > maxNext || !strings.HasPrefix(s, "/") || hasUnsafe(s) {
		return "/"
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// The path as a careless server further on would decode it.
	if hasUnsafe(u.Path) || strings.Contains(u.Path, "//") {
		return "/"
	}
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return "/"
	}
	if s = u.String(); len(s) > maxNext { // what String escapes is longer
		return "/"
	}
	return s
}

// hasUnsafe finds what browsers do not leave as it is: controls and backslashes.
func hasUnsafe(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' })
}

// requested is the path and query that the browser asked for, as safePath takes
// it; http.StripPrefix leaves it in RequestURI.
func requested(r *http.Request) string {
	if r.RequestURI != "" {
		return safePath(r.RequestURI)
	}
	return safePath(r.URL.RequestURI())
}
