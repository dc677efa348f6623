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
	browser := newBrowser(t)
	for _, path := range []string{"/docs", "/docs/"} {
		res := s.get(t, browser, path)
		require.Equal(t, http.StatusOK, res.status, path)
		require.Equal(t, "text/html; charset=utf-8", res.header.Get("Content-Type"))
		policy := res.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "script-src 'self'; style-src 'self' "+styleHash(t, res.header)+"; ")
		require.NotContains(t, policy, "unsafe")
	}
	// The server has every file that the page loads.
	page := s.get(t, browser, "/docs").body
	links := regexp.MustCompile(`(?:src|<link [^>]*href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	require.Len(t, links, 7)
	for _, link := range links {
		path := link[1]
		require.True(t, strings.HasPrefix(path, "/"), path)
		res := s.get(t, browser, path)
		require.Equal(t, http.StatusOK, res.status, path)
		require.Equal(t, "no-cache", res.header.Get("Cache-Control"), path)
		require.NotEmpty(t, res.body, path)
		res = s.get(t, browser, path, "If-None-Match: "+res.header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, res.status, path)
	}
	require.Contains(t, page, "swagger-ui-bundle.js")
	res := s.get(t, browser, "/docs/swagger-ui-bundle.js.LICENSE.txt")
	require.Equal(t, http.StatusOK, res.status, "the script refers to it")
	for _, path := range []string{"/docs/index.html", "/docs/swagger-ui", "/docs/swagger-ui/", "/docs/swagger-ui/VERSION"} {
		require.Equal(t, http.StatusNotFound, s.get(t, browser, path).status, path)
	}
}

// With a client ID the documentation needs a session and does not show the demo's routes.
func TestDocsNeedSession(t *testing.T) {
	s, a := startApp(t, "-db", "memory")
	ada, visitor := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, ada, "ada@example.com").status)
	require.Contains(t, s.get(t, visitor, "/openapi.json").body, `"/demo/token":`)

	a.demo = nil
	web := httptest.NewServer(a.handler())
	t.Cleanup(web.Close)
	s = &server{url: web.URL}
	require.Equal(t, http.StatusUnauthorized, s.get(t, visitor, "/openapi.json").status)
	require.Equal(t, http.StatusUnauthorized, s.get(t, visitor, "/docs").status)
	require.Equal(t, "/login?code=no_session&next=%2Fdocs", s.get(t, visitor, "/docs", "Accept: text/html").header.Get("Location"))
	require.Equal(t, http.StatusOK, s.get(t, ada, "/docs").status)
	document := s.get(t, ada, "/openapi.json")
	require.Equal(t, http.StatusOK, document.status)
	require.Equal(t, "application/json", document.header.Get("Content-Type"))
	require.NotContains(t, document.body, `"/demo/`)
	newContractCheck(t, []byte(document.body))
}
