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
	mux.Handle("GET /openapi.json", guard(newFileHandler("openapi.json", "application/json", contract)))
	mux.Handle("GET /docs", guard(newDocsHandler("index.html", "text/html; charset=utf-8")))
	mux.Handle("GET /docs/docs.css", newDocsHandler("docs.css", mediaTypes[".css"]))
	mux.Handle("GET /docs/docs.js", newDocsHandler("docs.js", mediaTypes[".js"]))
	mux.Handle("GET /docs/swagger-ui.css", newDocsHandler("swagger-ui/swagger-ui.css", mediaTypes[".css"]))
	mux.Handle("GET /docs/swagger-ui-bundle.js", newDocsHandler("swagger-ui/swagger-ui-bundle.js", mediaTypes[".js"]))
	mux.Handle("GET /docs/swagger-ui-bundle.js.LICENSE.txt", // swagger-ui-bundle.js refers to this file
		newDocsHandler("swagger-ui/swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"))
}

// newDocsHandler serves a file of the folder docs. It panics if the file is missing,
// because the files are part of the program.
func newDocsHandler(name, media string) http.Handler {
	content, err := docsFiles.ReadFile("docs/" + name)
	if err != nil {
		panic(err)
	}
	return newFileHandler(name, media, content)
}
