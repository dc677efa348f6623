// Package googletest stands in for Google in tests of applications.
//
// [Google] publishes keys and signs ID tokens and security events for any address,
// without a network, a browser or an account. Give its client to the verifier, and sign
// in with one line:
//
//	google := googletest.NewGoogle("client-id")
//	verifier, err := googletoken.New(googletoken.Config{
//		ClientIDs:  []string{google.ClientID()},
//		HTTPClient: google.Client(),
//	})
//	...
//	ada := google.SignIn(t, app, "/api/login", "ada@example.com")
//	res, err := ada.Get(googletest.Origin + "/api/user")
//
// [Google.Draft] and [Google.BadTokens] make tokens that a verifier must refuse,
// [Google.EventDraft] and [Google.BadEvents] security events of all sorts, and
// [Google.Respond] the failures of a key server. The clock is time.Now, so inside a
// testing/synctest bubble it is the bubble's. [Google.ScriptHandler] and
// [Google.TokenHandler] make a sign-in page that works offline.
//
// The package imports the standard library and this module only. It belongs in tests,
// because a client that can reach a Google's tokens can sign in as any user.
package googletest
