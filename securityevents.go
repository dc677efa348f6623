package googlesession

import (
	"context"
	"time"
)

// An EventVerifier turns one of Google's security event tokens (RISC,
// Cross-Account Protection) into a [SecurityEvent]. *googletoken.Verifier is one.
// It must be safe for concurrent use.
type EventVerifier interface {
	// VerifyEvent checks the token completely. A *[TokenError] says that the token
	// is not acceptable (400); anything else wraps [ErrUnavailable] (503), so that
	// Google sends it again.
	VerifyEvent(ctx context.Context, token string) (SecurityEvent, error)
}

// A SecurityEvent is a verified security event token (RFC 8417): what Google says
// has happened to one or more accounts.
type SecurityEvent struct {
	ID       string    // jti: the same for each delivery of one token
	IssuedAt time.Time // whole seconds, UTC
	Changes  []AccountChange
}

// An AccountChange is one member of a token's events.
type AccountChange struct {
	Kind    AccountChangeKind
	Subject string // the account's sub claim; "" if the event names none, or not in this way
	Reason  string // of an account that was disabled: "hijacking", "bulk-account", "other", or "" for none
}

// An AccountChangeKind is the type of a security event, by the last part of its
// URI.
type AccountChangeKind string

// The kinds that Google documents ("Cross-Account Protection", supported event
// types).
const (
	SessionsRevoked          AccountChangeKind = "sessions-revoked"
	TokensRevoked            AccountChangeKind = "tokens-revoked" // all of the account's
	TokenRevoked             AccountChangeKind = "token-revoked"  // one
	AccountDisabled          AccountChangeKind = "account-disabled"
	AccountEnabled           AccountChangeKind = "account-enabled"
	CredentialChangeRequired AccountChangeKind = "account-credential-change-required"
	StreamVerification       AccountChangeKind = "verification" // asked for by the owner of the stream
	UnknownChange            AccountChangeKind = "unknown"      // any other; to be ignored
)
