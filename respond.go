package googlesession

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// deny reports a refusal to the operator and answers it.
func (m *Manager) deny(w http.ResponseWriter, r *http.Request, d Denial) {
	m.reportDenial(r, d)
	m.answerDenial(w, r, d)
}

// retryAfter is the Retry-After header of a 503, in seconds.
const retryAfter = "5"

// answerDenial answers a refusal: by Config.Deny, by a redirect to the login page, or with
// problem+json.
func (m *Manager) answerDenial(w http.ResponseWriter, r *http.Request, d Denial) {
	r = m.limitBodyTime(w, r) // net/http reads the rest of the body before it answers
	h := w.Header()
	setPrivate(h)
	if d.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	}
	switch {
	case m.cfg.Deny != nil:
		m.cfg.Deny(w, r, d)
	case m.leadsToLoginPage(r, d):
		m.redirectToLogin(w, r, d, requestedPath(r))
	default:
		writeProblem(w, d)
	}
}

// answerFormDenial answers a refused form that Google's page has posted. The browser
// shows the answer in its window, where problem+json does not help a person, so
// answerFormDenial redirects to the login page if there is one. An outage keeps its
// status.
func (m *Manager) answerFormDenial(w http.ResponseWriter, r *http.Request, d Denial, next string) {
	if m.cfg.LoginPage == "" || m.cfg.Deny != nil || d.Code == CodeUnavailable {
		m.answerDenial(w, r, d)
		return
	}
	setPrivate(w.Header())
	m.redirectToLogin(w, r, d, next)
}

// A problem is the body of a refusal (RFC 9457). Its type is about:blank, which is the
// default, so its title is the text of the status (section 4.2.1).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   Code   `json:"code"`
}

// writeProblem answers with problem+json. The answer depends on the Denial's Status, Code
// and Detail only, so Err cannot reach the browser.
func writeProblem(w http.ResponseWriter, d Denial) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(d.Status)
	// Encode fails only if the browser has gone, so the error needs no answer.
	_ = json.NewEncoder(w).Encode(problem{
		Title:  http.StatusText(d.Status),
		Status: d.Status,
		Detail: d.Detail,
		Code:   d.Code,
	})
}

// writeJSON answers 200 with a body that no cache keeps, because it is about one user.
func writeJSON(w http.ResponseWriter, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	setPrivate(h)
	_ = json.NewEncoder(w).Encode(v) // Encode fails only if the browser has gone
}

// setPrivate says that the answer is for this browser alone and must not be cached.
func setPrivate(h http.Header) {
	h.Set("Cache-Control", "no-store")
	varyCookie(h)
}

// varyCookie tells caches that the answer depends on the cookie.
func varyCookie(h http.Header) {
	if !slices.Contains(h["Vary"], "Cookie") {
		h.Add("Vary", "Cookie")
	}
}

// timestamp returns t in UTC as RFC 3339 with milliseconds.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
