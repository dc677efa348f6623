package main

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/googlesession/googlesession"
)

//go:embed pages
var pageFiles embed.FS

// pages are the HTML pages, one template each.
type pages struct {
	top, customers, login, missing *template.Template
	static                         fs.FS
}

func newPages() (*pages, error) {
	var p pages
	for _, page := range []struct {
		to   **template.Template
		file string
	}{
		{&p.top, "top.html"},
		{&p.customers, "customers.html"},
		{&p.login, "login.html"},
		{&p.missing, "missing.html"},
	} {
		t, err := template.ParseFS(pageFiles, "pages/layout.html", "pages/"+page.file)
		if err != nil {
			return nil, err
		}
		*page.to = t
	}
	var err error
	p.static, err = fs.Sub(pageFiles, "pages/static")
	return &p, err
}

// pageRoutes serves the pages. The library's LoginPage setting sends a browser that
// is not signed in from /customer to /login, and the sign-in sends it back.
func (a *app) pageRoutes(mux *http.ServeMux) {
	mux.Handle("GET /{$}", a.sessions.Load(http.HandlerFunc(a.serveTop)))
	mux.Handle("GET /customer", a.sessions.RequireUser(http.HandlerFunc(a.serveCustomers)))
	mux.Handle("GET /login", a.sessions.Load(http.HandlerFunc(a.serveLogin)))
	mux.Handle("GET /static/{file}", noCache(http.StripPrefix("/static", http.FileServerFS(a.pages.static))))
	missing := a.sessions.Load(http.HandlerFunc(a.serveMissing))
	mux.Handle("/", missing)
	mux.Handle("/api", missing) // ServeMux would add the slash that ignoreTrailingSlash takes away
}

// view is what a template is given.
type view struct {
	Path      string              // of the page, to come back to
	User      *googlesession.User // nil: not signed in
	Demo      bool
	Customers []customer // on its page
	Script    string     // on the login page: shows the button, if it is not Google's
	Redirect  bool       // on the login page: leave it for Google's
	Message   string     // on the login page: why one is here
}

func (a *app) view(r *http.Request) view {
	v := view{Path: r.URL.Path, Demo: a.demo != nil}
	if user, ok := googlesession.UserFrom(r.Context()); ok {
		v.User = &user
	}
	return v
}

func (a *app) serveTop(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, a.pages.top, a.view(r))
}

func (a *app) serveCustomers(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	all, err := a.stores.customers.List(ctx)
	if err != nil {
		a.deny(w, r, err)
		return
	}
	v := a.view(r)
	v.Customers = all
	a.render(w, r, http.StatusOK, a.pages.customers, v)
}

func (a *app) serveLogin(w http.ResponseWriter, r *http.Request) {
	v := a.view(r)
	v.Redirect = a.opts.redirect
	v.Message = loginMessage(r.URL.Query().Get("code"))
	if a.demo != nil {
		v.Script = demoScript
	}
	a.render(w, r, http.StatusOK, a.pages.login, v)
}

// loginMessage says why somebody was sent to the login page. The code comes from
// the address bar, so only what is known is shown.
func loginMessage(code string) string {
	switch code {
	case googlesession.CodeNoSession:
		return "Please sign in to see this page."
	case googlesession.CodeSessionExpired:
		return "Your session has expired. Please sign in again."
	case googlesession.CodeSessionRevoked:
		return "Your session was ended. Please sign in again."
	case googlesession.CodeUserDisabled:
		return "This account is disabled."
	case googlesession.CodeNotAdmitted:
		return "This account may not sign in here."
	case googlesession.CodeTokenRefused, googlesession.CodeNonceMismatch, googlesession.CodeCrossOrigin:
		return "The sign-in was not accepted. Please try again."
	}
	return ""
}

func (a *app) serveMissing(w http.ResponseWriter, r *http.Request) {
	v := a.view(r)
	v.Path = "/" // nothing to come back to
	a.render(w, r, http.StatusNotFound, a.pages.missing, v)
}

// render makes the page before it answers, so that an error is not half a page.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, t *template.Template, v view) {
	var page bytes.Buffer
	if err := t.ExecuteTemplate(&page, "layout.html", v); err != nil {
		a.log.LogAttrs(r.Context(), slog.LevelError, "page", slog.String("path", r.URL.Path), slog.Any("error", err))
		writeProblem(w, http.StatusInternalServerError, "internal", "The page cannot be shown.")
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	if header.Get("Cache-Control") == "" { // the guards have said no-store already
		header.Set("Cache-Control", "no-cache")
	}
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

// noCache: a new version of the program has new files under the same names.
func noCache(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}
