package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A demo signs in by redirect without Google's script. Google sends the browser back to the
// port on which the program listens, even if the system has chosen it.
func TestRedirectSignIn(t *testing.T) {
	s := start(t, "-db", "memory")
	browser := newBrowser(t)
	res := s.get(t, browser, "/api/login/google?next=/customer")
	require.True(t, strings.HasPrefix(res.header.Get("Location"), s.url+"/demo/authorize?"), res.header.Get("Location"))
	page := s.redirect(t, res)
	chooser := s.get(t, browser, page)
	require.Equal(t, http.StatusOK, chooser.status, chooser.body)
	require.NotContains(t, chooser.body, "<script")

	chosen := s.request(t, browser, http.MethodPost, page, "email=ada%40example.com", "Content-Type: application/x-www-form-urlencoded")
	require.True(t, strings.HasPrefix(chosen.header.Get("Location"), s.url+"/api/login/google/callback?"), chosen.header.Get("Location"))
	require.Equal(t, "/customer", s.redirect(t, s.get(t, browser, s.redirect(t, chosen))))
	require.Equal(t, "ada@example.com", jsonString(t, s.get(t, browser, "/api/user"), "email"))

	cancelled := s.choose(t, browser, s.toGoogle(t, browser, "?next=/customer"), "cancel=true")
	require.Equal(t, "/login?code=sign_in_cancelled&next=%2Fcustomer", s.redirect(t, s.get(t, browser, cancelled, "Accept: text/html")))
}

// The page of the stand-in signs in any account, so it needs the demo's key.
func TestDemoPageNeedsTheKey(t *testing.T) {
	s := start(t, "-db", "memory")
	page := s.toGoogle(t, newBrowser(t), "")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+page, http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMisdirectedRequest, res.StatusCode)
}

// With -client-secret, the redirect leads to Google's page and back to -base-url. Without
// it the routes answer 404.
func TestRedirectToGoogle(t *testing.T) {
	s := start(t, "-db", "memory", "-client-id", "id", "-client-secret", "very-secret", "-base-url", "https://app.example.com")
	to := s.get(t, newBrowser(t), "/api/login/google").header.Get("Location")
	require.True(t, strings.HasPrefix(to, "https://accounts.google.com/o/oauth2/v2/auth?client_id=id&"), to)
	require.Contains(t, to, "redirect_uri=https%3A%2F%2Fapp.example.com%2Fapi%2Flogin%2Fgoogle%2Fcallback")
	require.NotContains(t, to, "very-secret")
	require.Zero(t, s.stop())
	require.NotContains(t, s.log.String(), "very-secret")

	s = start(t, "-db", "memory", "-client-id", "id")
	require.Equal(t, http.StatusNotFound, s.get(t, newBrowser(t), "/api/login/google").status)
	require.Equal(t, http.StatusNotFound, s.get(t, newBrowser(t), demoPage).status)
}
