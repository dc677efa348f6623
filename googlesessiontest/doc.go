// Package googlesessiontest has two things for tests.
//
// [Google] stands in for Google, for authors of applications: it publishes keys
// and signs ID tokens and security events for anybody, without a network, a
// browser or an account. Give its client to the verifier, and sign in with one
// line:
//
//	google := googlesessiontest.NewGoogle("client-id")
//	verifier, err := googletoken.New(googletoken.Config{
//		ClientIDs:  []string{google.ClientID()},
//		HTTPClient: google.Client(),
//	})
//	...
//	ada := google.SignIn(t, app, "/api/login", "ada@example.com")
//	res, err := ada.Get(googlesessiontest.Origin + "/api/user")
//
// [Google.Draft] and [Google.BadTokens] make tokens that must be refused,
// [Google.EventDraft] and [Google.BadEvents] security events of all sorts, and
// [Google.Respond] the failures of a key server. The clock is time.Now, so inside
// a testing/synctest bubble it is the bubble's. [Google.ScriptHandler] and
// [Google.TokenHandler] make a sign-in page that works offline.
//
// [TestSessions] and [TestUsers] are for authors of stores: what every
// implementation of [googlesession.SessionStore] and [googlesession.UserStore]
// must do, as tests. A store that passes them needs no further ones for the
// contract. A failure names the rule, and says what the store answered and what it
// should have answered. "Could not measure" is the one failure that says nothing about
// the store: the machine was too slow.
//
// The package imports the standard library and this module only, and belongs in
// tests: whoever can reach a Google's tokens can be anybody.
package googlesessiontest
