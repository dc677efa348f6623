package main

import (
	"embed"
	"net/http"
)

//go:embed docs
var docsFiles embed.FS

// docsRoutes serves the OpenAPI contract and a page where the API can be tried out. The
// page is on the API's own origin, so that the browser sends the session cookie with its
// requests. The contract and the page need a session, but not in demo mode, where every
// visitor can sign in anyway. Swagger UI, which the page uses, needs neither inline scripts
// nor inline styles, so the page has the Content-Security-Policy of the other pages.
func (a *app) docsRoutes(mux *http.ServeMux) {
	contract, guard := newContract("/demo/"), a.sessions.RequireUser
	if a.demo != nil {
		contract, guard = newContract(), func(h http.Handler) http.Handler { return h }
	}
	mux.Handle("GET /openapi.json", guard(newFile("application/json", "no-cache", contract)))
	mux.Handle("GET /docs", guard(newDocsFile("index.html")))
	mux.Handle("GET /docs/docs.css", newDocsFile("docs.css"))
	mux.Handle("GET /docs/docs.js", newDocsFile("docs.js"))
	mux.Handle("GET /docs/theme.js", newDocsFile("theme.js"))
	mux.Handle("GET /docs/swagger-ui.css", newDocsFile("swagger-ui/swagger-ui.css"))
	mux.Handle("GET /docs/swagger-ui-bundle.js", newDocsFile("swagger-ui/swagger-ui-bundle.js"))
	mux.Handle("GET /docs/swagger-ui-bundle.js.LICENSE.txt", // swagger-ui-bundle.js refers to this file
		newDocsFile("swagger-ui/swagger-ui-bundle.js.LICENSE.txt"))
}

// newDocsFile returns a file of the folder docs. It panics if the file is missing, because
// the files are part of the program.
func newDocsFile(name string) *file {
	f, err := readFile(docsFiles, "docs/"+name, "no-cache")
	if err != nil {
		panic(err)
	}
	return f
}
