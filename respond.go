package googlesession

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// retryAfter is the Retry-After header of a 503, in seconds.
const retryAfter = "5"

type wayOutKey struct{}

// WriteDenial answers a refusal as the library does if [Config.Deny] is nil. It is for a Deny
// that answers only some refusals itself, and for the application's own handlers.
//
// If the visitor has to sign in (401) and [Config.LoginPage] is set, a page or a posted
// form ([IsNavigation]) is redirected to LoginPage, and htmx gets 401 with the address in
// the header HX-Redirect. Every other refusal keeps its status. A page or a posted form
// then gets a plain HTML page without scripts, styles and other files, and every other
// request gets problem+json with the members title, status, detail and code (RFC 9457). A
// 503 has Retry-After.
//
// WriteDenial fills in the fields of d that d's Code implies, as [Denial] says. d.Err is not
// shown. WriteDenial reports nothing to [Config.Logger] and [Config.Events]. It must be
// called before the answer's header is written.
func (m *Manager) WriteDenial(w http.ResponseWriter, r *http.Request, d Denial) {
	way, ok := r.Context().Value(wayOutKey{}).(wayOut)
	if !ok {
		way = m.wayOut(r)
	}
	r = m.limitBodyTime(w, r)
	d = complete(d)
	m.prepareDenial(w.Header(), r, d)
	m.writeDenial(w, r, d, way)
}

// denyGuarded reports a refusal to the operator and answers it. It is for a guard in front of
// the application's own handlers. Config.Deny is asked for pages and for scripts, because the
// application knows what its scripts expect.
func (m *Manager) denyGuarded(w http.ResponseWriter, r *http.Request, d Denial) {
	m.reportDenial(r, d)
	m.answer(w, r, d, m.wayOut(r), true)
}

// deny reports a refusal by a route of the library to the operator, and answers it.
func (m *Manager) deny(w http.ResponseWriter, r *http.Request, d Denial) {
	m.reportDenial(r, d)
	m.answerDenial(w, r, d)
}

// answerDenial answers a refusal by a route of the library. Config.Deny is asked only if the
// browser shows the answer in its window, because scripts such as login.js depend on
// problem+json.
func (m *Manager) answerDenial(w http.ResponseWriter, r *http.Request, d Denial) {
	m.answer(w, r, d, m.wayOut(r), IsNavigation(r))
}

// answerSignInDenial is answerDenial for a sign-in whose answer the browser shows in its
// window, such as a form that Google's page has posted. A refusal leads to the login page
// if there is one, because JSON does not help a person. An outage keeps its status. next is
// the page to come back to after signing in. retry is the page that begins the sign-in
// again. The page is not taken from the request, because the address of Google's answer
// holds a secret code.
func (m *Manager) answerSignInDenial(w http.ResponseWriter, r *http.Request, d Denial, next, retry string) {
	m.answer(w, r, d, wayOut{next: next, retry: retry, signIn: true}, isFormOfPage(r))
}

// answer answers a refusal, by Config.Deny if the application is asked. It is not asked for a
// refusal that leads to the login page, so a page of the application for refusals does not
// switch off signing in.
func (m *Manager) answer(w http.ResponseWriter, r *http.Request, d Denial, way wayOut, ask bool) {
	ctx := r.Context()
	limited := m.limitBodyTime(w, r) // net/http reads the rest of the body before it answers
	m.prepareDenial(w.Header(), r, d)
	if ask && m.cfg.Deny != nil && !m.leadsToLoginPage(r, d, way) && m.loginPageForHTMX(r, d, way) == "" {
		// If Deny calls WriteDenial, that finds way in the request's context.
		m.cfg.Deny(w, asRequested(context.WithValue(ctx, wayOutKey{}, way), limited), d)
		return
	}
	m.writeDenial(w, limited, d, way)
}

// prepareDenial sets the headers that every answer to a refusal has. The form of the answer
// depends on Sec-Fetch-Mode, Accept and HX-Request too, but Vary does not name them, because
// no cache may store the answer.
//
// A Content-Length that a handler has set before it refuses is that of another body.
func (m *Manager) prepareDenial(h http.Header, r *http.Request, d Denial) {
	h.Del("Content-Length")
	setPrivate(h)
	if d.Status == http.StatusUnauthorized && m.presentsToken(r) {
		h.Set("WWW-Authenticate", challenge(d)) //nolint:canonicalheader // as RFC 9110 spells it
	}
	if d.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	}
}

// challenge returns the challenge of a refused bearer token (RFC 6750, section 3.1). A token
// that is good but not fresh has a reason of its own (RFC 9470, section 3).
func challenge(d Denial) string {
	if d.Code == CodeReauthNeeded {
		return `Bearer error="insufficient_user_authentication"`
	}
	return `Bearer error="invalid_token"`
}

// writeDenial answers a refusal by a redirect to the login page, with an HTML page, or with
// problem+json.
func (m *Manager) writeDenial(w http.ResponseWriter, r *http.Request, d Denial, way wayOut) {
	switch {
	case m.leadsToLoginPage(r, d, way):
		http.Redirect(w, r, m.loginAddress(d, way.next), http.StatusSeeOther)
	case IsNavigation(r) && !m.presentsToken(r):
		writePage(w, r, d, way.retry)
	default:
		if to := m.loginPageForHTMX(r, d, way); to != "" {
			w.Header().Set("HX-Redirect", to) //nolint:canonicalheader // as htmx spells it
		}
		writeProblem(w, d)
	}
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
		Title:  statusText(d.Status),
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
