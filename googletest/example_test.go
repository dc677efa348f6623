package googletest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// A user who was deleted comes back with a token from after the deletion only. A token has
// whole seconds, so a test that does not want to wait for the next one drafts it.
func ExampleGoogle_Draft() {
	ctx := context.Background()
	google := googletest.NewGoogle("client-id")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{google.ClientID()},
		HTTPClient: google.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
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
