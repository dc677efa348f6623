package googletoken_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// A token is verified against a stand-in for Google.
func Example() {
	google := googletest.NewGoogle("client.apps.googleusercontent.com")
	v, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{"client.apps.googleusercontent.com"},
		HTTPClient: google.Client(), // leave it out to reach the real Google
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token := google.Token("ada@example.com", "nonce")

	id, err := v.Verify(context.Background(), token, "nonce")
	fmt.Println(id.Email, id.EmailAuthoritative(), err)

	_, err = v.Verify(context.Background(), token, "another")
	refused, ok := errors.AsType[*googlesession.TokenError](err)
	fmt.Println(ok, refused.Reason)
	// Output:
	// ada@example.com true <nil>
	// true nonce
}

// A security event token is verified against a stand-in for Google.
func ExampleVerifier_VerifyEvent() {
	google := googletest.NewGoogle("client.apps.googleusercontent.com")
	v, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{"client.apps.googleusercontent.com"},
		HTTPClient: google.Client(), // leave it out to reach the real Google
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token := google.SecurityEvent(googlesession.ChangeSessionsRevoked, "ada@example.com") // the body of Google's request

	event, err := v.VerifyEvent(context.Background(), token)
	fmt.Println(event.Changes[0].Kind, event.Changes[0].Subject == google.Subject("ada@example.com"), err)

	// VerifyEvent refuses an ID token, although Google signed it for the same client.
	_, err = v.VerifyEvent(context.Background(), google.Token("ada@example.com", "nonce"))
	refused, ok := errors.AsType[*googlesession.TokenError](err)
	fmt.Println(ok, refused.Reason)
	// Output:
	// sessions-revoked true <nil>
	// true malformed
}
