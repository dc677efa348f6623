package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// toGoogle begins a sign-in by redirect and returns the path and query of the stand-in's
// page.
func (s *server) toGoogle(t *testing.T, browser *http.Client, query string) string {
	t.Helper()
	return s.redirect(t, s.get(t, browser, "/api/login/google"+query))
}

// backFromGoogle begins a sign-in by redirect, sends the form of the stand-in's page, and
// returns the path and query to which the browser is sent back.
func (tr *tour) backFromGoogle(browser *http.Client, query, form string) string {
	tr.t.Helper()
	return tr.choose(tr.t, browser, tr.toGoogle(tr.t, browser, query), form)
}

// choose sends the form of the stand-in's page.
func (s *server) choose(t *testing.T, browser *http.Client, page, form string) string {
	t.Helper()
	return s.redirect(t, s.request(t, browser, http.MethodPost, page, form, "Content-Type: application/x-www-form-urlencoded"))
}

// redirect returns the path and query to which an answer leads.
func (s *server) redirect(t *testing.T, res answer) string {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, res.status, res.body)
	to, err := url.Parse(res.header.Get("Location"))
	require.NoError(t, err)
	return to.RequestURI()
}

func (tr *tour) visitRedirect() {
	const asForm, ada = "Content-Type: application/x-www-form-urlencoded", "email=ada%40example.com"
	page := tr.toGoogle(tr.t, tr.visitor, "?next=/customer&remember=true")
	tr.walk(
		step{tr.visitor, "GET /api/login/google?next=//evil.example", "", 303, ""},
		step{tr.visitor, "GET /api/login/google?reauth=true", "", 303, ""},
		step{tr.visitor, "GET /api/login/google?nxt=/", "", 400, ""},
		step{tr.visitor, "GET /api/login/google?remember=yes", "", 303, "Accept: text/html"},

		step{tr.visitor, "GET " + page, "", 200, ""},
		step{tr.visitor, "GET " + page, "", 403, "Sec-Fetch-Site: cross-site"},
		step{tr.visitor, "GET " + demoPage + "?client_id=x", "", 400, ""},
		step{tr.visitor, "POST " + page, "email=ada", 400, asForm},
		step{tr.visitor, "POST " + page, ada, 403, asForm + "\nSec-Fetch-Site: cross-site"},

		step{tr.visitor, "GET /api/login/google/callback", "", 400, ""},
		step{tr.visitor, "GET /api/login/google/callback?code=x&state=y", "", 401, ""},
		step{tr.visitor, "GET /api/login/google/callback?code=x&state=y", "", 303, "Accept: text/html"},
		step{tr.visitor, "GET " + tr.backFromGoogle(tr.visitor, "", "cancel=true"), "", 401, ""},
	)
	browser := tr.browser()
	back := tr.backFromGoogle(browser, "?next=/customer", ada)
	tr.walk(
		step{browser, "GET " + back, "", 200, ""},
		step{browser, "GET " + back, "", 401, ""}, // a replay
	)
	tr.walk(
		step{browser, "GET " + tr.backFromGoogle(browser, "?reauth=true", "email=eve%40example.com"), "", 403, ""},
		step{browser, "GET " + tr.backFromGoogle(browser, "?reauth=true", ada), "", 200, ""},
		step{browser, "GET /api/user", "", 200, ""},
		step{browser, "POST /api/logout", "", 204, ""},
	)
}
