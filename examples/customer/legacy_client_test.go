package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The client of the older system works request by request.
func TestLegacyClient(t *testing.T) {
	s := start(t, "-db", "memory", "-skip-nonce", "-demo", "-origins", "http://localhost:5173")
	const form = "Content-Type: application/x-www-form-urlencoded"
	const page = "Origin: http://localhost:5173"
	browser := newBrowser(t)
	token := s.request(t, browser, http.MethodPost, demoToken, `{"email":"ada@example.com"}`)
	response := `{"credential":"` + jsonString(t, token, "credential") + `","clientId":"x","select_by":"btn"}`

	res := s.request(t, browser, http.MethodPost, "/api/login/", response, form, "Origin: http://evil.example", "Sec-Fetch-Site: cross-site")
	require.NotEqual(t, http.StatusOK, res.status, "the Content-Type does not admit other sites")

	res = s.request(t, browser, http.MethodPost, "/api/login/", response, form, page, "Sec-Fetch-Site: same-site")
	require.Equal(t, http.StatusOK, res.status, res.body)
	require.Equal(t, "application/json", res.header.Get("Content-Type"))
	var user struct {
		As       string `json:"Authenticated_as"`
		Name, ID string
	}
	require.NoError(t, json.Unmarshal([]byte(res.body), &user))
	require.NotEmpty(t, user.ID)
	require.NotEmpty(t, user.As)
	require.Equal(t, user.Name, user.As)

	require.Equal(t, "ada@example.com", jsonString(t, s.get(t, browser, "/api/user/"), "username"))
	list := s.get(t, browser, "/api/customer/")
	require.Equal(t, http.StatusOK, list.status)
	require.Contains(t, list.body, `"results":[`)
	require.Equal(t, http.StatusMethodNotAllowed, s.get(t, browser, "/api/logout/").status)
	require.Equal(t, http.StatusOK, s.get(t, browser, "/api/user/").status, "the GET did not sign out")
	require.Equal(t, http.StatusNoContent, s.request(t, browser, http.MethodPost, "/api/logout/", "").status)

	// Refusals and forms are passed on to the library unchanged.
	for body, want := range map[string]int{
		`{"credential":"x"}`:                  http.StatusUnauthorized,
		`{"credential":"x","credential":"y"}`: http.StatusBadRequest,
		`{`:                                   http.StatusBadRequest,
	} {
		res := s.request(t, newBrowser(t), http.MethodPost, "/api/login", body, form)
		require.Equal(t, want, res.status, "%q: %s", body, res.body)
		require.Equal(t, "application/problem+json", res.header.Get("Content-Type"))
	}
	for body, code := range map[string]string{`credential=x&g_csrf_token=y`: "cross_origin", ``: "bad_request"} {
		res := s.request(t, newBrowser(t), http.MethodPost, "/api/login", body, form)
		require.Equal(t, http.StatusSeeOther, res.status, "%q: %s", body, res.body)
		require.Equal(t, "/login?code="+code+"&next=%2F", res.header.Get("Location"))
	}
}

// Without -skip-nonce the body is read as its Content-Type says.
func TestLegacyClientNeedsSkipNonce(t *testing.T) {
	s := start(t, "-db", "memory")
	res := s.request(t, newBrowser(t), http.MethodPost, "/api/login/", `{"credential":"x"}`, "Content-Type: application/x-www-form-urlencoded")
	require.Equal(t, http.StatusSeeOther, res.status)
	require.Equal(t, "/login?code=bad_request&next=%2F", res.header.Get("Location"))
}
