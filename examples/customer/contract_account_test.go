package main

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

// visitAccount exports and deletes an account.
func (tr *tour) visitAccount() {
	leaver := tr.browser()
	require.Equal(tr.t, http.StatusOK, tr.signInWith(leaver, "grace@example.com").status)
	tr.walk(
		step{leaver, "GET /api/user/export", "", 200, ""},
		step{tr.admin, "DELETE /api/user", "", 409, ""},
		step{leaver, "DELETE /api/user", "", 204, ""},
	)
}

// visitTokens signs a program in, and makes, lists and ends a personal token. The program's
// requests do not pass the demo's check of its key, which would set a cookie.
func (tr *tour) visitTokens() {
	library := tr.onServer(http.StripPrefix("/api", tr.sessions.Handler()))
	demoKeys.Delete(strings.TrimPrefix(library.url, "http://")) // a program has no cookie, and this server needs no key
	program := &http.Client{Transport: tr.visitor.Transport}
	var begun struct{ Nonce, Secret string }
	res := library.request(tr.t, program, "GET", "/api/login?deliver=token", "")
	require.NoError(tr.t, json.Unmarshal([]byte(res.body), &begun))
	post := `{"deliver":"token","label":"tour","secret":"` + begun.Secret + `","credential":"` + tr.demo.google.Token("ada@example.com", begun.Nonce) + `"}`
	library.walk(
		step{program, "GET /api/login?deliver=token", "", 403, "Sec-Fetch-Site: none"},
		step{program, "GET /api/login?deliver=x", "", 400, ""},
		step{program, "POST /api/login", post, 200, ""},
		step{program, "POST /api/login", `{"deliver":"x","credential":"x"}`, 400, ""},
		step{program, "GET /api/user", "", 401, "Authorization: Bearer gs_x"},
	)
	tr.walk(
		step{tr.user, "POST /api/tokens", `{"label":"tour","expires_in":60}`, 201, ""},
		step{tr.user, "POST /api/tokens", `{"label":""}`, 400, ""},
		step{tr.user, "POST /api/tokens", strings.Repeat(" ", 65<<10), 413, ""},
		step{tr.user, "POST /api/tokens", `{}`, 415, "Content-Type: text/plain"},
		step{tr.user, "DELETE /api/tokens/x", "", 404, ""},
	)
	var list struct {
		Tokens []struct {
			ID string `json:"public_id"`
		}
	}
	res = tr.get(tr.t, tr.user, "/api/tokens")
	require.NoError(tr.t, json.Unmarshal([]byte(res.body), &list))
	require.Len(tr.t, list.Tokens, 1)
	tr.walk(step{tr.user, "DELETE /api/tokens/" + list.Tokens[0].ID, "", 204, ""})
}
