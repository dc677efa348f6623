// Command minimal is a server with Sign in with Google: GOOGLE_CLIENT_ID=… go run ./examples/minimal
package main

import (
	"fmt"
	"html"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const loginPage = `<!doctype html><title>Login</title><div id="google-signin"></div><script src="/api/login.js"></script>`

func handler(v googlesession.TokenVerifier) http.Handler {
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: v, LoginPage: "/login"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, loginPage) })
	mux.Handle("/", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		fmt.Fprintf(w, `<!doctype html>Hello, %s. <form method="post" action="/api/logout"><button>Sign out</button></form>`, html.EscapeString(user.Name))
	})))
	return mux
}

func main() {
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{os.Getenv("GOOGLE_CLIENT_ID")}})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal((&http.Server{Addr: "localhost:8080", Handler: handler(v), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}).ListenAndServe())
}
