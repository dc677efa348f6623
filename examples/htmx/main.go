// Command htmx is a list of notes behind Sign in with Google, made with html/template and
// htmx. Run it with GOOGLE_CLIENT_ID=… go run ./examples/htmx
package main

import (
	"cmp"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

var pages = template.Must(template.New("").Parse(`
{{define "login"}}<!doctype html><html lang="en"><title>Sign in</title><h1>Notes</h1><div id="google-signin"></div><script src="/api/login.js"></script>{{end}}
{{define "notes"}}<!doctype html><html lang="en"><title>Notes</title><h1>Notes of {{.User.Name}}</h1>
<script src="https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/dist/htmx.min.js" integrity="sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn" crossorigin="anonymous"></script>
<form method="post" action="/" hx-post="/" hx-target="#notes" hx-select="#notes" hx-swap="outerHTML"><label>Note <input name="note" required></label> <button>Add</button></form>
<ul id="notes">{{range .Notes}}<li>{{.}}</li>{{end}}</ul>
<form method="post" action="/api/logout"><button>Sign out</button></form>{{end}}`))

func handler(v googlesession.TokenVerifier) http.Handler {
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: v, LoginPage: "/login"})
	if err != nil {
		log.Fatal(err)
	}
	var mu sync.Mutex
	notes := make(map[string][]string) // by user ID
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { _ = pages.ExecuteTemplate(w, "login", nil) })
	mux.Handle("/{$}", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		mu.Lock()
		defer mu.Unlock()
		if note := r.PostFormValue("note"); note != "" {
			notes[user.ID] = append(notes[user.ID], note)
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		_ = pages.ExecuteTemplate(w, "notes", map[string]any{"User": user, "Notes": notes[user.ID]})
	})))
	return mux
}

func main() {
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{os.Getenv("GOOGLE_CLIENT_ID")}})
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "localhost:" + cmp.Or(os.Getenv("PORT"), "8080"), Handler: handler(v), ReadHeaderTimeout: 5 * time.Second}
	fmt.Println("http://" + server.Addr)
	log.Fatal(server.ListenAndServe())
}
