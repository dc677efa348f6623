package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

func TestHandler(t *testing.T) {
	google := googletest.NewGoogle("id.apps.googleusercontent.com")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs: []string{google.ClientID()}, HTTPClient: google.Client(),
	})
	require.NoError(t, err)
	h := handler(verifier)

	visitor := google.Browser(h)
	status, page := navigate(t, visitor, "/", nil) // follows the redirect to the login page
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `<div id="google-signin"></div>`)

	client := google.SignIn(t, h, "/api/login", "ada@example.com")
	const note = "<li>&lt;b&gt;milk&lt;/b&gt;</li>"
	status, page = navigate(t, client, "/", url.Values{"note": {"<b>milk</b>"}}) // follows the redirect to the list
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "Notes of Ada Example")
	require.Contains(t, page, note)
	_, page = navigate(t, google.SignIn(t, h, "/api/login", "bob@example.com"), "/", nil)
	require.NotContains(t, page, note, "notes belong to a user")

	// After signing out, htmx gets the address of the login page, and no note is written.
	status, page = navigate(t, client, "/api/logout", url.Values{})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `<div id="google-signin"></div>`)
	status, header, _ := send(t, client, "/", url.Values{"note": {"bread"}},
		"HX-Request", "true", "HX-Current-URL", googletest.Origin+"/", "Sec-Fetch-Mode", "cors")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "/login?code=no_session&next=%2F", header.Get("HX-Redirect"))
	_, page = navigate(t, google.SignIn(t, h, "/api/login", "ada@example.com"), "/", nil)
	require.NotContains(t, page, "bread")
}

// navigate does what a browser does for a link, or for a form if there is one.
func navigate(t *testing.T, c *http.Client, path string, form url.Values) (status int, body string) {
	t.Helper()
	status, _, body = send(t, c, path, form, "Sec-Fetch-Mode", "navigate")
	return status, body
}

func send(t *testing.T, c *http.Client, path string, form url.Values, fields ...string) (int, http.Header, string) {
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
		fields = append(fields, "Content-Type", "application/x-www-form-urlencoded", "Origin", googletest.Origin)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, googletest.Origin+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	res, err := c.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(data)
}

// The program shows how little code is needed, so it must stay short.
func TestProgramHasAtMostSixtyLines(t *testing.T) {
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 60)
}
