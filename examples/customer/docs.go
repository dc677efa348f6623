package main

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
)

//go:embed docs
var docsFiles embed.FS

// docsPolicy is the policy of /docs. It differs from the other pages' by data: images,
// which Swagger UI's style sheet has, and by what Google's button needs.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsRoutes serves the contract, and a page that shows it and tries it out, on this
// origin: the session cookie goes nowhere else. They are for whoever is signed in. In
// demo mode that is anybody who asks, so there they come before the sign-in.
func (a *app) docsRoutes(mux *http.ServeMux) {
	document, guard := newContract("/demo/"), a.sessions.RequireUser
	if a.demo != nil {
		document, guard = newContract(), func(h http.Handler) http.Handler { return h }
	}
	mux.Handle("GET /openapi.json", guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	})))
	mux.Handle("GET /docs", guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		http.ServeFileFS(w, r, docsFiles, "docs/index.html")
	})))
	// What follows is the same for everybody.
	files := withTag(docsTag(), http.FileServerFS(docsFiles))
	mux.Handle("GET /docs/docs.css", files)
	mux.Handle("GET /docs/docs.js", files)
	mux.Handle("GET /docs/swagger-ui/{file}", files)
}

// withTag makes browsers ask whether what they have is still good.
func withTag(tag string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		h.ServeHTTP(w, r)
	})
}

// docsTag is one for all files: they are replaced together.
func docsTag() string {
	sum := sha256.New()
	err := fs.WalkDir(docsFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := docsFiles.ReadFile(name)
		_, _ = sum.Write(text)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12]) + `"`
}
