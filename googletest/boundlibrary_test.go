package googletest_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// newBoundApp returns an application with device-bound sessions, and its manager.
func newBoundApp(t testing.TB, google *googletest.Google) (http.Handler, *googlesession.Manager) {
	t.Helper()
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{google.ClientID()},
		HTTPClient: google.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	manager, err := googlesession.New(googlesession.Config{
		Sessions:      memstore.New(nil),
		Verifier:      verifier,
		BaseURL:       googletest.Origin + "/api",
		DeviceBinding: googlesession.BindOffer,
	})
	if err != nil {
		t.Fatal(err)
	}
	app := http.NewServeMux()
	app.Handle("/api/", http.StripPrefix("/api", manager.Handler()))
	app.Handle("/hello", manager.RequireUser(http.HandlerFunc(hello)))
	return app, manager
}

// A browser binds its session to a key. A thief has a copy of the cookies but not the key. In
// a test, t is its *testing.T, and a testing/synctest bubble lets the time pass after which
// the thief is refused.
func ExampleGoogle_BoundBrowser() {
	google := googletest.NewGoogle("client-id")
	app, _ := newBoundApp(t, google) // sets Config.DeviceBinding

	browser := google.BoundBrowser(app)
	ada := browser.SignIn(t, "/api/login", "ada@example.com")
	printStatus(ada.Get(googletest.Origin + "/hello"))
	fmt.Println("bound:", len(browser.Sessions()) == 1)

	thief := browser.Steal() // is refused when its copy of the bound cookie has ended
	printStatus(thief.Get(googletest.Origin + "/hello"))
	// Output:
	// 200 OK
	// bound: true
	// 200 OK
}

// The library binds the session of this browser, refuses a thief later, and tells the browser
// when it has ended the session.
func TestBoundBrowserWithLibrary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		google := googletest.NewGoogle(client)
		app, manager := newBoundApp(t, google)
		b := google.BoundBrowser(app)
		ada := signIn(t, b)
		first := b.Steal()
		require.Equal(t, "200", page(t, first)[:3])
		require.Equal(t, "200", page(t, ada)[:3])
		second := b.Steal()
		after(90 * time.Second)
		require.Equal(t, "401", page(t, first)[:3], "the cookie of the registration")
		require.Equal(t, "200", page(t, second)[:3])
		for range 4 {
			after(3 * time.Minute)
			require.Equal(t, "200", page(t, ada)[:3], "%v", b.History())
		}
		require.Equal(t, "401", page(t, second)[:3])
		require.Len(t, b.Sessions(), 1)

		n, err := manager.RevokeUser(t.Context(), google.Subject("ada@example.com"))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, "401", page(t, ada)[:3])
		after(10 * time.Minute)
		require.Equal(t, "401", page(t, ada)[:3])
		require.Empty(t, b.Sessions(), "%v", b.History())
		signIn(t, b)
		require.Equal(t, "200", page(t, ada)[:3])
	})
}

// The library refuses the faults of a browser, and a session that is not bound stays usable.
func TestBoundBrowserMisbehavesWithLibrary(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults googletest.BoundFaults
		want   string // eleven minutes later
	}{
		{"none", googletest.BoundFaults{}, "200"},
		{"never refreshes", googletest.BoundFaults{NoRefresh: true}, "200"},
		{"signs with another key", googletest.BoundFaults{OtherKey: true}, "200"},
		{"sends two proofs", googletest.BoundFaults{TwoProofs: true}, "200"},
		{"sends an old proof", googletest.BoundFaults{OldProof: true}, "401"},
		{"drops the session", googletest.BoundFaults{DropSession: true}, "200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				google := googletest.NewGoogle(client)
				app, _ := newBoundApp(t, google)
				b := google.BoundBrowser(app)
				b.Misbehave(tt.faults)
				ada := signIn(t, b)
				require.Equal(t, "200", page(t, ada)[:3])
				after(12 * time.Minute)
				require.Equal(t, tt.want, page(t, ada)[:3], "%v", b.History())
			})
		})
	}
}
