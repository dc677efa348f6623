package main

import (
	"embed"
	"net/http"
)

//go:embed docs
var docsFiles embed.FS

// docsRoutes serves the contract, and a page that shows it and tries it out, on this
// origin: the session cookie goes nowhere else. They are for whoever is signed in. In
// demo mode that is anybody who asks, so there they come before the sign-in. Swagger UI
// gets along with the policy of the other pages: no inline script, no inline style.
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
	mux.Handle("GET /docs/swagger-ui-bundle.js.LICENSE.txt", // to which the script refers
		newDocsHandler("swagger-ui/swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"))
}

func newDocsHandler(name, media string) http.Handler {
	content, err := docsFiles.ReadFile("docs/" + name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return newFileHandler(name, media, content)
}
