// Package googletoken verifies Google ID tokens, which Sign in with Google gives to a page,
// and returns the identity in them. It also verifies security event tokens, with which
// Google reports that an account was hijacked, disabled or signed out (Cross-Account
// Protection).
//
// The signature of an ID token is checked by google.golang.org/api/idtoken, because
// Google's guide recommends Google's own libraries. That package checks signature, audience
// and expiry. It does not check the other claims, it accepts several spellings of one
// token, and every concurrent caller that finds no keys fetches them anew. This package
// passes on only tokens in the one canonical spelling that are signed with RS256, keeps the
// keys itself, and checks all other claims. The signature of a security event token is
// checked under the same keys with crypto/rsa, because idtoken refuses tokens that do not
// expire.
//
// During an outage of Google's key server, a [Verifier] goes on for a day with the keys
// that it has. It follows a change of keys at once. Tokens with unknown keys make it
// fetch keys at most once a minute. It refuses a token because of its key ID only if
// Google was asked after the token arrived and has no such key. Until then the error
// wraps [googlesession.ErrUnavailable].
package googletoken
