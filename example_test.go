package googlesession_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// Sign in with Google, a page for signed-in users, one for administrators.
func Example() {
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{os.Getenv("GOOGLE_CLIENT_ID")}})
	if err != nil {
		log.Print(err)
		return
	}
	m, err := googlesession.New(googlesession.Config{
		Sessions: memstore.New(nil),
		Verifier: verifier,
		Admins:   []string{"boss@example.com"},
	})
	if err != nil {
		log.Print(err)
		return
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		fmt.Fprintf(w, "Hello %s", user.Name)
	})
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/hello", m.RequireUser(hello))
	mux.Handle("/admin", m.RequireAdmin(hello))
}

// The application's own roles decide who may edit. The condition does not call the session
// store. If it asks a database and returns the database's error, the answer is 503.
func ExampleManager_Require() {
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil)})
	if err != nil {
		log.Print(err)
		return
	}
	editors := map[string]bool{"110169484474386276334": true} // by user ID, because an address may change hands
	requireEditor := m.Require(func(_ context.Context, s googlesession.Session) error {
		if !editors[s.User.ID] {
			return googlesession.ErrForbidden
		}
		return nil
	})
	http.Handle("/edit", requireEditor(http.NotFoundHandler()))
}

// Load serves every visitor, and knows the user of a visitor who is signed in.
func ExampleManager_Load() {
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil)})
	if err != nil {
		log.Print(err)
		return
	}
	http.Handle("/", m.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, ok := googlesession.UserFrom(r.Context()); ok {
			fmt.Fprintf(w, "Hello %s", user.Name)
			return
		}
		fmt.Fprint(w, "Hello stranger")
	})))
}

// Disabling a user ends all their sessions at once and beats a sign-in that is
// under way; the actor and the reason go to Config.Events.
func ExampleManager_SetAccess() {
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil)})
	if err != nil {
		log.Print(err)
		return
	}
	disabled := true
	ctx := googlesession.WithActor(context.Background(), "operator", "stolen laptop")
	_, err = m.SetAccess(ctx, "110169484474386276334", googlesession.AccessChange{Disabled: &disabled})
	fmt.Println(err)
	// Output: googlesession: no such user
}

// Admit decides who may sign in, by the identifier that never changes hands, or by
// an address where Google vouches for it.
func ExampleConfig_admit() {
	invited := map[string]bool{"alice@gmail.com": true}
	_ = googlesession.Config{
		Admit: func(_ context.Context, id googlesession.Identity) error {
			if id.EmailAuthoritative() && invited[id.Email] {
				return nil
			}
			return fmt.Errorf("%s is not invited", id.Subject)
		},
	}
}

// The e-mail address alone is not an identity: anybody may have had it verified
// long ago, and it may be somebody else's today.
func ExampleConfig_admit_incorrect() {
	_ = googlesession.Config{
		Admit: func(_ context.Context, id googlesession.Identity) error {
			if id.Email == "alice@example.com" { // do not: ask id.EmailAuthoritative() too
				return nil
			}
			return fmt.Errorf("%s is not invited", id.Subject)
		},
	}
}
