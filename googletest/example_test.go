package googletest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// A test signs in to an application, makes a request that a guard admits, and revokes the
// session. In a test, t is its *testing.T.
func Example() {
	google := googletest.NewGoogle("client-id")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{google.ClientID()},
		HTTPClient: google.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	manager, err := googlesession.New(googlesession.Config{
		Sessions: memstore.New(nil),
		Verifier: verifier,
	})
	if err != nil {
		t.Fatal(err)
	}
	app := http.NewServeMux()
	app.Handle("/api/", http.StripPrefix("/api", manager.Handler()))
	app.Handle("/hello", manager.RequireUser(http.HandlerFunc(hello)))

	ada := google.SignIn(t, app, "/api/login", "ada@example.com")
	printStatus(ada.Get(googletest.Origin + "/hello"))

	n, err := manager.RevokeUser(t.Context(), google.Subject("ada@example.com"))
	fmt.Println("revoked:", n, err)
	printStatus(ada.Get(googletest.Origin + "/hello"))
	// Output:
	// 200 OK
	// revoked: 1 <nil>
	// 401 Unauthorized
}

// Google reports that it has ended the sessions of an account, and the application ends the
// sessions of that user. In a test, t is its *testing.T.
func ExampleGoogle_SecurityEvent() {
	google := googletest.NewGoogle("client-id")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{google.ClientID()},
		HTTPClient: google.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	manager, err := googlesession.New(googlesession.Config{
		Sessions:              memstore.New(nil),
		Verifier:              verifier,
		SecurityEventVerifier: verifier,
	})
	if err != nil {
		t.Fatal(err)
	}
	app := http.NewServeMux()
	app.Handle("/api/", http.StripPrefix("/api", manager.Handler()))
	app.Handle("/hello", manager.RequireUser(http.HandlerFunc(hello)))
	ada := google.SignIn(t, app, "/api/login", "ada@example.com")

	event := google.SecurityEvent(googlesession.ChangeSessionsRevoked, "ada@example.com")
	fromGoogle := google.Browser(app)
	printStatus(fromGoogle.Post(googletest.Origin+"/api/security-events", "application/secevent+jwt", strings.NewReader(event)))
	printStatus(ada.Get(googletest.Origin + "/hello"))
	// Output:
	// 202 Accepted
	// 401 Unauthorized
}

// A deleted user can sign in again only with a token from after the deletion. The time of a
// token is in whole seconds, so a test that does not wait for the next second drafts one.
func ExampleGoogle_Draft() {
	ctx := context.Background()
	google := googletest.NewGoogle("client-id")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{google.ClientID()},
		HTTPClient: google.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	users := memstore.New(nil)
	signIn := func(issued time.Time) error {
		draft := google.Draft("ada@example.com", "")
		draft.Claims["iat"] = issued.Unix()
		id, err := verifier.Verify(ctx, google.Mint(draft), "")
		if err != nil {
			return err
		}
		_, err = users.SignIn(ctx, id)
		return err
	}

	fmt.Println("first:", signIn(time.Now()))
	fmt.Println("deleted:", users.DeleteUser(ctx, google.Subject("ada@example.com")))
	fmt.Println("token from before:", signIn(time.Now().Add(-time.Minute)))
	fmt.Println("token from after:", signIn(time.Now().Add(2*time.Second)))
	// Output:
	// first: <nil>
	// deleted: <nil>
	// token from before: googlesession: token was issued too early for this user
	// token from after: <nil>
}

// hello greets the user of the session.
func hello(w http.ResponseWriter, r *http.Request) {
	user, _ := googlesession.UserFrom(r.Context())
	_, _ = fmt.Fprintf(w, "Hello, %s!", user.Name)
}

// printStatus prints the status of a response.
func printStatus(res *http.Response, err error) {
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	fmt.Println(res.Status)
}

// t takes the place of the *testing.T that an example does not have.
var t testing.TB = exampleT{}

type exampleT struct{ testing.TB }

func (exampleT) Helper()                           {}
func (exampleT) Context() context.Context          { return context.Background() }
func (exampleT) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
