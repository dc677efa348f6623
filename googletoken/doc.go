// Package googletoken verifies Google ID tokens, the ones that Sign in with
// Google gives to a page, and says who they are about. It does the same for
// security event tokens, by which Google tells a server that an account was
// hijacked, disabled or signed out (Cross-Account Protection).
//
// The signature of ID tokens is checked by google.golang.org/api/idtoken. By
// itself idtoken checks signature, audience and expiry, takes one token in many
// spellings, and fetches Google's keys once for every caller that finds none. This
// package stands around it: it hands on only what is spelled in the one canonical
// way and signed with RS256, keeps the keys itself, and checks all the other
// claims. Security event tokens take the same way under the same keys, past idtoken,
// which refuses them: they do not expire.
//
// A [Verifier] keeps working through an outage of Google's key server for a day and
// follows a change of keys at once. The tokens that it is shown make it ask for keys
// once a minute at most. It refuses a token for its key ID only if Google was asked
// after the token came and has no such key. Until then the token is not refused, but
// answered with an error that wraps [googlesession.ErrUnavailable].
package googletoken
