package googlecode_test

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The visitors of this server sign in by a link, without a script of Google's. The client's
// authorized redirect URI is https://app.example.com/api/login/google/callback.
func Example() {
	clientID := os.Getenv("GOOGLE_CLIENT_ID")
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}})
	if err != nil {
		log.Fatal(err)
	}
	exchanger, err := googlecode.New(googlecode.Config{
		ClientID:     clientID,
		ClientSecret: os.Getenv("GOOGLE_CLIENT_SECRET"),
	})
	if err != nil {
		log.Fatal(err)
	}
	m, err := googlesession.New(googlesession.Config{
		Sessions:      memstore.New(nil),
		Verifier:      verifier,
		CodeExchanger: exchanger,
		BaseURL:       "https://app.example.com/api",
		LoginPage:     "/login",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<a href="/api/login/google?next=/customers">Sign in with Google</a>`)
	})
	server := http.Server{Addr: "localhost:8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
