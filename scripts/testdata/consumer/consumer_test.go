package consumer

import (
	"net/http"
	"testing"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	"github.com/googlesession/googlesession/store_memory"
)

// What a user of the library writes, and its first promise: ended is ended.
func TestEndedIsEnded(t *testing.T) {
	google := googletest.NewGoogle("client")
	verifier, err1 := googletoken.New(googletoken.Config{ClientIDs: []string{"client"}, HTTPClient: google.Client()})
	m, err2 := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/end", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := googlesession.SessionFrom(r.Context())
		if err := m.Revoke(r.Context(), s.Ref); err != nil || s.User.Email != "ada@example.com" {
			t.Error(s.User, err)
		}
	})))
	browser := google.SignIn(t, mux, "/api/login", "ada@example.com")
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		res, err := browser.Get(googletest.Origin + "/end")
		if err != nil || res.StatusCode != want {
			t.Fatal(res, err)
		}
		_ = res.Body.Close()
	}
}
