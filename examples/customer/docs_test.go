package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDocs(t *testing.T) {
	s := start(t, "-db", "memory")
	c := newBrowser(t)
	for _, path := range []string{"/docs", "/docs/"} {
		a := s.get(t, c, path)
		require.Equal(t, http.StatusOK, a.status, path)
		require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
		policy := a.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "script-src 'self'; style-src 'self'; ")
		require.NotContains(t, policy, "unsafe")
	}
	// Whatever the page loads is here.
	page := s.get(t, c, "/docs").body
	links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	require.Len(t, links, 5)
	for _, link := range links {
		path := link[1]
		require.True(t, strings.HasPrefix(path, "/"), path)
		a := s.get(t, c, path)
		require.Equal(t, http.StatusOK, a.status, path)
		require.Equal(t, "no-cache", a.header.Get("Cache-Control"), path)
		require.NotEmpty(t, a.body, path)
		a = s.get(t, c, path, "If-None-Match: "+a.header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, a.status, path)
	}
	require.Contains(t, page, "swagger-ui-bundle.js")
	a := s.get(t, c, "/docs/swagger-ui-bundle.js.LICENSE.txt")
	require.Equal(t, http.StatusOK, a.status, "the script refers to it")
	for _, path := range []string{"/docs/index.html", "/docs/swagger-ui", "/docs/swagger-ui/", "/docs/swagger-ui/VERSION"} {
		require.Equal(t, http.StatusNotFound, s.get(t, c, path).status, path)
	}
}

// With Google the documentation is for whoever is signed in, and has nothing of the demo.
func TestDocsAreForUsers(t *testing.T) {
	s, a := startApp(t, "-db", "memory")
	ada, nobody := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, ada, "ada@example.com").status)
	require.Contains(t, s.get(t, nobody, "/openapi.json").body, `"/demo/token":`)

	a.demo = nil
	web := httptest.NewServer(a.handler())
	t.Cleanup(web.Close)
	s = &server{url: web.URL}
	require.Equal(t, http.StatusUnauthorized, s.get(t, nobody, "/openapi.json").status)
	require.Equal(t, http.StatusUnauthorized, s.get(t, nobody, "/docs").status)
	require.Equal(t, "/login?code=no_session&next=%2Fdocs", s.get(t, nobody, "/docs", "Accept: text/html").header.Get("Location"))
	require.Equal(t, http.StatusOK, s.get(t, ada, "/docs").status)
	document := s.get(t, ada, "/openapi.json")
	require.Equal(t, http.StatusOK, document.status)
	require.Equal(t, "application/json", document.header.Get("Content-Type"))
	require.NotContains(t, document.body, `"/demo/`)
	newContractCheck(t, []byte(document.body))
}
