package googlesession

import (
	"html"
	"io"
	"net/http"
	"strings"
)

// pagePolicy is the Content-Security-Policy of a page about a refusal. The page loads
// nothing but the site's icon, and may be shown in a frame of the site.
const pagePolicy = "default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// page is the HTML of a refusal. It needs no other file, so it can be shown during every
// outage.
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>TITLE</title>
</head>
<body>
<main>
<h1>TITLE</h1>
<p>DETAIL</p>
<p><a href="LINK">TEXT</a></p>
<p><small>CODE</small></p>
</main>
</body>
</html>
`

// writePage answers a refusal with a page for a person. The page depends on the Denial's
// Status, Code and Detail only, so Err cannot reach the browser. For a 503 or 408, which
// may pass, the page links to retry, which must be a path of this site. If retry is "", and
// for every other status, it links to "/".
func writePage(w http.ResponseWriter, r *http.Request, d Denial, retry string) {
	link, text := "/", "Go to the start page"
	if retry != "" && (d.Status == http.StatusServiceUnavailable || d.Status == http.StatusRequestTimeout) {
		link, text = retry, "Try again"
	}
	setPageHeaders(w.Header())
	w.WriteHeader(d.Status)
	if r.Method == http.MethodHead {
		return
	}
	// One Replacer puts in all values, so that a value cannot contain a place for another.
	values := strings.NewReplacer(
		"TITLE", html.EscapeString(statusText(d.Status)),
		"DETAIL", html.EscapeString(d.Detail),
		"LINK", html.EscapeString(link),
		"TEXT", text,
		"CODE", html.EscapeString(string(d.Code)),
	)
	_, _ = io.WriteString(w, values.Replace(page)) // an error means that the browser has gone
}

// step is the HTML of a page that leads on by itself. A redirect would not do, because a browser
// takes the page that began a navigation for the origin of its redirects.
const step = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=LINK">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Signed in</title>
</head>
<body>
<main>
<p><a href="LINK">Continue</a></p>
</main>
</body>
</html>
`

// writeStep answers with a page that leads to the path at once. A browser that does not follow
// shows the link.
func writeStep(w http.ResponseWriter, path string) {
	setPageHeaders(w.Header())
	_, _ = io.WriteString(w, strings.ReplaceAll(step, "LINK", html.EscapeString(path))) // an error means that the browser has gone
}

// setPageHeaders sets the headers that every page of the library has.
func setPageHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
}

// statusText returns the text of a status, or a text that fits every refusal.
func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Request Refused"
}
