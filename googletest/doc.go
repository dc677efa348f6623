// Package googletest stands in for Google in tests of applications.
//
// [NewGoogle] makes a [Google]. Its [Google.Client] is the HTTPClient of the
// application's verifier, so the application accepts the tokens of this Google.
// [Google.SignIn] signs a user in and returns a client that has the session; the
// example shows both. No network, browser or account is needed.
//
//   - [Google.Draft] and [Google.BadTokens] make ID tokens that a verifier must refuse.
//   - [Google.SecurityEvent], [Google.EventDraft] and [Google.BadEvents] make security
//     events.
//   - [Google.Rotate], [Google.Keys] and [Google.Respond] change the published keys, or
//     make the key server fail.
//   - [Google.SignInByRedirect] signs a user in by redirect, [Google.Authorize] does what
//     Google's page does, and [Google.RespondExchange] makes the token endpoint fail.
//   - [Google.AuthorizationHandler] is Google's page for a sign-in by redirect, and
//     [Google.ScriptHandler] and [Google.TokenHandler] make a sign-in page that works
//     offline.
//   - [Google.BoundBrowser] is a browser for device-bound sessions. [BoundBrowser.Steal] copies
//     its cookies, as a thief does, and [BoundBrowser.Misbehave] tests the server.
//
// The clock is time.Now, so in a testing/synctest bubble it is the clock of the bubble. The
// requests of all clients stay in memory and may be made in a bubble.
//
// The package imports only the standard library and this module. It is for
// tests. A client that gets the tokens of a Google can sign in as any user
// of an application that trusts this Google.
package googletest
