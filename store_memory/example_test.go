package memstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The Store is all that a Manager needs besides a verifier, because it keeps the sessions
// and the users.
func ExampleNew() {
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{"your-client-id"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := googlesession.New(googlesession.Config{
		Sessions: memstore.New(&memstore.Options{MaxSessions: 10_000}),
		Verifier: verifier,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	page := m.RequireUser(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))

	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	fmt.Println(w.Result().Status)
	// Output: 401 Unauthorized
}
