package main

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

// visitBinding sends what a browser sends that binds its session, and what a client sends that
// has no key.
func (tr *tour) visitBinding() {
	const asBrowser = "Sec-Fetch-Site: same-origin\nSec-Fetch-Mode: no-cors"
	browser := tr.browser()
	credential := tr.demo.google.Token("ada@example.com", tr.beginSignIn(tr.t, browser))
	res := tr.request(tr.t, browser, "POST", "/api/login", `{"credential":"`+credential+`"}`)
	require.Equal(tr.t, http.StatusOK, res.status, res.body)
	_, offer, found := strings.Cut(res.header.Get("Secure-Session-Registration"), `challenge="`)
	require.True(tr.t, found)
	key := newProofKey(tr.t)
	proof := key.sign(tr.t, strings.TrimSuffix(offer, `"`), true)
	name := "Sec-Secure-Session-Id: " + tr.refOf(browser)
	tr.walk(
		step{browser, "POST /api/dbsc/register", "", 400, asBrowser},
		step{browser, "POST /api/dbsc/register", "", 200, asBrowser + "\nSecure-Session-Response: " + proof},
		step{browser, "POST /api/dbsc/register", "", 400, asBrowser + "\nSecure-Session-Response: " + proof},
		step{tr.visitor, "POST /api/dbsc/register", "", 400, asBrowser},
		step{browser, "POST /api/dbsc/refresh", "", 400, asBrowser},
		step{tr.visitor, "POST /api/dbsc/refresh", "", 200, "Sec-Secure-Session-Id: " + strings.Repeat("A", 59)},
		step{browser, "GET /api/dbsc/offer?next=/customer", "", 303, ""},
	)
	res = tr.request(tr.t, browser, "POST", "/api/dbsc/refresh", "", name)
	require.Equal(tr.t, http.StatusForbidden, res.status, res.body)
	challenge, _, found := strings.Cut(strings.TrimPrefix(res.header.Get("Secure-Session-Challenge"), `"`), `"`)
	require.True(tr.t, found)
	tr.walk(
		step{browser, "POST /api/dbsc/refresh", "", 200, name + "\nSecure-Session-Response: " + key.sign(tr.t, challenge, false)},
		step{browser, "POST /api/dbsc/refresh", "", 400, name + "\nSecure-Session-Response: x"},
		step{browser, "POST /api/logout", "", 204, ""},
	)
}

// refOf returns the reference of the browser's session, which the list of sessions has.
func (tr *tour) refOf(browser *http.Client) string {
	tr.t.Helper()
	res := tr.get(tr.t, browser, "/api/sessions")
	require.Equal(tr.t, http.StatusOK, res.status, res.body)
	var list struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	require.NoError(tr.t, json.Unmarshal([]byte(res.body), &list))
	for _, s := range list.Sessions {
		if s.Current {
			return s.ID
		}
	}
	require.Fail(tr.t, "the list has no current session")
	return ""
}
