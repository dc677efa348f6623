package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
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
	require.Equal(t, "ada@example.com", user.As)

	require.Equal(t, "ada@example.com", jsonString(t, s.get(t, browser, "/api/user/"), "username"))
	list := s.get(t, browser, "/api/customer/")
	require.Equal(t, http.StatusOK, list.status)
	require.Contains(t, list.body, `"results":[`)
	res = s.get(t, browser, "/api/logout/", page, "Sec-Fetch-Site: same-site")
	require.Equal(t, http.StatusNoContent, res.status, res.body)
	require.Equal(t, http.StatusUnauthorized, s.get(t, browser, "/api/user/").status)

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

// A GET signs out if a page on one of -origins has sent it. It ends the session, so that a
// copy of its cookie is refused, too. In every other case it is 405 and ends nothing.
func TestLegacyLogout(t *testing.T) {
	const app, other = "http://localhost:5173", "https://app.example.com"
	both := []string{"-demo", "-origins", app + "," + other}
	tests := []struct {
		name   string
		args   []string
		method string
		origin string // a header, or ""
		want   int
	}{
		{"the first origin", append(both, "-skip-nonce"), http.MethodGet, "Origin: " + app, http.StatusNoContent},
		{"the second origin", append(both, "-skip-nonce"), http.MethodGet, "Origin: " + other, http.StatusNoContent},
		{"an image or a link", append(both, "-skip-nonce"), http.MethodGet, "", http.StatusMethodNotAllowed},
		{"another site", append(both, "-skip-nonce"), http.MethodGet, "Origin: https://evil.example", http.StatusMethodNotAllowed},
		{"another port", append(both, "-skip-nonce"), http.MethodGet, "Origin: http://localhost:5174", http.StatusMethodNotAllowed},
		{"a longer host", append(both, "-skip-nonce"), http.MethodGet, "Origin: https://app.example.com.evil.example", http.StatusMethodNotAllowed},
		{"another scheme", append(both, "-skip-nonce"), http.MethodGet, "Origin: http://app.example.com", http.StatusMethodNotAllowed},
		{"capitals", append(both, "-skip-nonce"), http.MethodGet, "Origin: HTTP://LOCALHOST:5173", http.StatusMethodNotAllowed},
		{"a list", append(both, "-skip-nonce"), http.MethodGet, "Origin: " + app + ", " + other, http.StatusMethodNotAllowed},
		{"a hidden origin", append(both, "-skip-nonce"), http.MethodGet, "Origin: null", http.StatusMethodNotAllowed},
		{"the empty origin", append(both, "-skip-nonce"), http.MethodGet, "Origin: ", http.StatusMethodNotAllowed},
		{"HEAD", append(both, "-skip-nonce"), http.MethodHead, "Origin: " + app, http.StatusMethodNotAllowed},
		{"PUT", append(both, "-skip-nonce"), http.MethodPut, "Origin: " + app, http.StatusMethodNotAllowed},
		{"without -skip-nonce", both, http.MethodGet, "Origin: " + app, http.StatusMethodNotAllowed},
		{"without -origins", []string{"-demo", "-skip-nonce"}, http.MethodGet, "Origin: " + app, http.StatusMethodNotAllowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			demo, a := startApp(t, append(tt.args, "-db", "memory")...)
			ada := newBrowser(t)
			require.Equal(t, http.StatusOK, demo.signIn(t, ada, "ada@example.com").status)
			a.demo = nil // a demo refuses foreign origins everywhere
			web := httptest.NewServer(a.handler())
			t.Cleanup(web.Close)
			s := &server{url: web.URL}
			browser, thief := newBrowserWithCookies(t, ada, demo, s), newBrowserWithCookies(t, ada, demo, s)
			res := s.request(t, browser, tt.method, "/api/logout/", "", optionalHeader(tt.origin)...)
			require.Equal(t, tt.want, res.status, res.body)
			after := s.get(t, thief, "/api/user/").status
			if tt.want == http.StatusNoContent {
				require.Equal(t, http.StatusUnauthorized, after)
				require.Contains(t, res.header.Get("Set-Cookie"), "Max-Age=0")
				require.Equal(t, strings.TrimPrefix(tt.origin, "Origin: "), res.header.Get("Access-Control-Allow-Origin"))
			} else {
				require.Equal(t, "POST", res.header.Get("Allow"))
				require.Equal(t, http.StatusOK, after)
			}
		})
	}
}

// Without -skip-nonce the body is read as its Content-Type says.
func TestLegacyClientNeedsSkipNonce(t *testing.T) {
	s := start(t, "-db", "memory")
	res := s.request(t, newBrowser(t), http.MethodPost, "/api/login/", `{"credential":"x"}`, "Content-Type: application/x-www-form-urlencoded")
	require.Equal(t, http.StatusSeeOther, res.status)
	require.Equal(t, "/login?code=bad_request&next=%2F", res.header.Get("Location"))
}
