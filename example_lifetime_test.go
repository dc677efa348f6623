package googlesession_test

import (
	"context"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// Users who ask to be remembered stay signed in for 30 days, and other users until they
// close the browser. Administrators have to sign in again after an hour, even if they ask
// to be remembered. The page posts {"credential": "…", "remember": true} to POST login.
func ExampleConfig_lifetime() {
	month := 30 * 24 * time.Hour
	lifetime := func(_ context.Context, s googlesession.SignIn) googlesession.Lifetime {
		switch {
		case s.User.Admin:
			return googlesession.Lifetime{Max: time.Hour}
		case s.Remember:
			return googlesession.Lifetime{Idle: month, Max: month} // without Idle, the session would expire after half an hour without a request
		default:
			return googlesession.Lifetime{BrowserOnly: true}
		}
	}
	_ = googlesession.Config{Lifetime: lifetime}

	admin := googlesession.User{Admin: true}
	fmt.Println(lifetime(context.Background(), googlesession.SignIn{User: admin, Remember: true}).Max)
	fmt.Println(lifetime(context.Background(), googlesession.SignIn{Remember: true}).Max)
	fmt.Println(lifetime(context.Background(), googlesession.SignIn{}).BrowserOnly)
	// Output:
	// 1h0m0s
	// 720h0m0s
	// true
}
