package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The client of the original, request for request.
func TestOriginalClient(t *testing.T) {
	s := start(t, "-db", "memory", "-skip-nonce", "-demo", "-origins", "http://localhost:5173")
	const form = "Content-Type: application/x-www-form-urlencoded"
	const page = "Origin: http://localhost:5173"
	c := newBrowser(t)
	token := s.do(t, c, http.MethodPost, demoToken, `{"email":"ada@example.com"}`)
	response := `{"credential":"` + member(t, token, "credential") + `","clientId":"x","select_by":"btn"}`

	a := s.do(t, c, http.MethodPost, "/api/login/", response, form, "Origin: http://evil.example", "Sec-Fetch-Site: cross-site")
	require.NotEqual(t, http.StatusOK, a.status, "the label opens no way for other sites")

	a = s.do(t, c, http.MethodPost, "/api/login/", response, form, page, "Sec-Fetch-Site: same-site")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	var user struct {
		As       string `json:"Authenticated_as"`
		Name, ID string
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &user))
	require.NotEmpty(t, user.ID)
	require.NotEmpty(t, user.As)
	require.Equal(t, user.Name, user.As)

	require.Equal(t, "ada@example.com", member(t, s.get(t, c, "/api/user/"), "username"))
	list := s.get(t, c, "/api/customer/")
	require.Equal(t, http.StatusOK, list.status)
	require.Contains(t, list.body, `"results":[`)
	require.Equal(t, http.StatusMethodNotAllowed, s.get(t, c, "/api/logout/").status)
	require.Equal(t, http.StatusOK, s.get(t, c, "/api/user/").status, "so it has not signed out")
	require.Equal(t, http.StatusNoContent, s.do(t, c, http.MethodPost, "/api/logout/", "").status)

	// What the library refuses, and its form, are as they are.
	for body, want := range map[string]int{
		`{"credential":"x"}`:                  http.StatusUnauthorized,
		`{"credential":"x","credential":"y"}`: http.StatusBadRequest,
		`{`:                                   http.StatusBadRequest,
	} {
		a := s.do(t, newBrowser(t), http.MethodPost, "/api/login", body, form)
		require.Equal(t, want, a.status, "%q: %s", body, a.body)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	}
	for body, code := range map[string]string{`credential=x&g_csrf_token=y`: "cross_origin", ``: "bad_request"} {
		a := s.do(t, newBrowser(t), http.MethodPost, "/api/login", body, form)
		require.Equal(t, http.StatusSeeOther, a.status, "%q: %s", body, a.body)
		require.Equal(t, "/login?code="+code+"&next=%2F", a.header.Get("Location"))
	}
}

// Without -skip-nonce the label is what counts.
func TestOriginalClientIsNotServedByDefault(t *testing.T) {
	s := start(t, "-db", "memory")
	a := s.do(t, newBrowser(t), http.MethodPost, "/api/login/", `{"credential":"x"}`, "Content-Type: application/x-www-form-urlencoded")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/login?code=bad_request&next=%2F", a.header.Get("Location"))
}
