package googlesession

import (
	"context"
	"errors"
	"os"
)

// An operatorError is the cause of a refusal that the user cannot change, because the
// configuration, a proxy, the front end or a clock is wrong. The Manager logs such a
// refusal as a warning, with the hint. Every other refusal is an ordinary event.
//
// A stranger can cause some of these errors on purpose, so a hint says "if".
type operatorError struct {
	text string
	hint string // what the operator can do; a constant
}

func (e *operatorError) Error() string { return e.text }

// tokenHints says what an operator can do about a refused token that Google has issued. A
// token that is refused for another reason was not issued by Google, so there is no hint.
var tokenHints = map[TokenReason]string{
	ReasonAudience: "The page's sign-in button and this server must use the same client ID. List every client ID of yours in googletoken.Config.ClientIDs.",
	ReasonParty: "If an app of yours requests tokens for this server, list the app's client ID in googletoken.Config.AuthorizedParties, together with that of the page. " +
		"Service accounts cannot sign in.",
	ReasonTime: "If Google has just issued the token, this server's clock is wrong, so synchronize it (NTP). If its time has passed, a page may have posted an old token.",
	ReasonNonce: "If this happens at every sign-in, the page does not pass the nonce of GET /login to Google's script unchanged, or a cache answers GET /login. " +
		"If not, the page was older than the browser's nonce cookie, and signing in again works.",
}

// unknownKeyHint is the hint of ErrUnknownKey.
const unknownKeyHint = "Do nothing unless it lasts for hours. A good token is accepted within a minute. A stranger can invent key IDs."

// errAtGoogle is the cause of an outage that only the browser reports.
var errAtGoogle error = &operatorError{
	"googlesession: browser comes back from Google with the message that Google cannot answer",
	"Nothing, unless it lasts for hours. A new sign-in works when Google's page does. Every visitor can invent the message.",
}

// operatorHint returns what the operator can do about a refusal, or "" if the refusal is an
// ordinary one. verified says that the token of a refused sign-in has passed the verifier.
// Such a token can only be too old for the user or the session, and the user's next token
// passes.
func operatorHint(err error, verified bool) string {
	if e, ok := errors.AsType[*operatorError](err); ok {
		return e.hint
	}
	if errors.Is(err, ErrUnknownKey) {
		return unknownKeyHint
	}
	if t, ok := errors.AsType[*TokenError](err); ok && !verified {
		return tokenHints[t.Reason]
	}
	return ""
}

// An outageError wraps [ErrUnavailable] and says which action has failed.
type outageError struct {
	doing string // a constant
	err   error
}

func (e *outageError) Error() string {
	if errors.Is(e.err, ErrUnavailable) {
		return "googlesession: " + e.doing + ": " + e.err.Error()
	}
	return ErrUnavailable.Error() + ": " + e.doing + ": " + e.err.Error()
}

func (e *outageError) Unwrap() []error { return []error{ErrUnavailable, e.err} }

// failedCall returns the action that has failed, and says whether it has failed by a
// timeout. notify counts outages of different actions apart. The error's text is not used,
// because it may be different each time.
func failedCall(err error) string {
	doing := "checking a session"
	if e, ok := errors.AsType[*outageError](err); ok {
		doing = e.doing
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		doing += " (timeout)"
	}
	return doing
}
