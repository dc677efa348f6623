package main

import (
	"io"
	"net/http"
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

	page := get(t, google.Browser(h), "/") // follows the redirect to the login page
	require.Contains(t, page, `<div id="google-signin"></div>`)
	client := google.SignIn(t, h, "/api/login", "ada@example.com")
	require.Contains(t, get(t, client, "/"), "Hello, Ada Example.")
}

func get(t *testing.T, c *http.Client, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, googletest.Origin+path, nil)
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	res, err := c.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusOK, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body)
}

// The README shows the whole program, so it must stay short.
func TestProgramHasAtMostFortyLines(t *testing.T) {
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 40)
}
