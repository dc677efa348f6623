package googlesession

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// An SecurityEventVerifier turns one of Google's security event tokens (RISC,
// Cross-Account Protection) into a [SecurityEvent]. *googletoken.Verifier is one.
// It must be safe for concurrent use.
type SecurityEventVerifier interface {
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
	ChangeSessionsRevoked    AccountChangeKind = "sessions-revoked"
	ChangeTokensRevoked      AccountChangeKind = "tokens-revoked" // all of the account's
	ChangeTokenRevoked       AccountChangeKind = "token-revoked"  // one
	ChangeAccountDisabled    AccountChangeKind = "account-disabled"
	ChangeAccountEnabled     AccountChangeKind = "account-enabled"
	ChangeCredentialRequired AccountChangeKind = "account-credential-change-required"
	ChangeVerification       AccountChangeKind = "verification" // asked for by the owner of the stream
	ChangeUnknown            AccountChangeKind = "unknown"      // any other; to be ignored
)

const (
	maxEventBody = 16 << 10

	// eventSlack is how much later than the event the token of a session may have been
	// issued for the event to end that session: Google writes the event after what it
	// reports, and its clocks may differ.
	eventSlack = time.Minute
)

// serveSecurityEvents receives what Google pushes (RFC 8935). 202 says that it is done
// with: Google does not send the token again. What cannot be done now is 503, and
// repeating an event ends the same sessions or none. There is no cookie here, and no
// browser.
func (m *Manager) serveSecurityEvents(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	body, err := readBody(w, r, maxEventBody)
	switch d := classify(err); {
	case err == nil:
	case d.Code == CodeTooSlow: // not a 400, after which Google does not send it again
		m.record(r, d)
		writeProblem(w, d)
		return
	default:
		m.refuseEvent(w, r, &TokenError{Reason: ReasonMalformed, Err: err})
		return
	}
	event, err := m.cfg.SecurityEventVerifier.VerifyEvent(r.Context(), string(body))
	if refused, ok := errors.AsType[*TokenError](err); ok {
		m.refuseEvent(w, r, refused)
		return
	}
	for _, change := range event.Changes {
		if err != nil {
			break
		}
		err = m.apply(r.Context(), event, change)
	}
	if err != nil {
		d := denial(CodeUnavailable, unavailable("security event", err))
		m.record(r, d)
		h.Set("Retry-After", retryAfter)
		writeProblem(w, d)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// apply ends the sessions whose token Google had issued when it wrote the event, or soon
// after, and refuses tokens from before the event from now on, if the event is one that
// requires so. Disabling the user is the application's decision.
func (m *Manager) apply(ctx context.Context, event SecurityEvent, change AccountChange) error {
	ctx = WithActor(context.WithoutCancel(ctx), "google", "")
	e := Event{Kind: EventSecurityReport, Reason: string(change.Kind), IssuedAt: event.IssuedAt}
	if change.Reason != "" {
		e.Reason += ":" + change.Reason
	}
	if validSubject(change.Subject) {
		e.UserID = change.Subject
		if change.endsSessions() {
			var err error
			if e.Count, err = m.refuseTokens(ctx, change.Subject, event.IssuedAt); err != nil {
				return err
			}
		}
	}
	m.emit(ctx, e)
	return nil
}

// endsSessions: what Google requires a receiver to act upon ("Cross-Account
// Protection", supported event types).
func (c AccountChange) endsSessions() bool {
	switch c.Kind {
	case ChangeSessionsRevoked, ChangeTokensRevoked:
		return true
	case ChangeAccountDisabled:
		return c.Reason == "hijacking"
	default:
		return false
	}
}

// refuseTokens ends the user's sessions of tokens that Google issued at t or before, or
// soon after, and returns how many it ended. From then on a token of t or before makes
// no session. A late or repeated event spares a newer sign-in.
//
// The sessions end first, so that a crash between the steps leaves fewer of them.
func (m *Manager) refuseTokens(ctx context.Context, userID string, t time.Time) (int, error) {
	n, err := m.endOlder(ctx, userID, t.Add(eventSlack))
	if err != nil || m.users == nil {
		return n, err
	}
	defer m.streams.wakeUser(UserTag(userID), nil)
	var user User
	err = m.write(ctx, func(ctx context.Context) error {
		user, err = m.users.RefuseTokens(ctx, userID, t)
		return err
	})
	switch {
	case errors.Is(err, ErrUnavailable): // first, as in classify
		return n, unavailable("refusing a user's tokens", err)
	case errors.Is(err, ErrNotFound): // the store remembers it all the same
		return n, nil
	case err != nil:
		return n, unavailable("refusing a user's tokens", err)
	}
	return n, m.putUser(ctx, user)
}

// endOlder ends the user's sessions of tokens that were issued at t or before.
func (m *Manager) endOlder(ctx context.Context, userID string, t time.Time) (n int, err error) {
	list, err := m.Sessions(ctx, userID)
	if err != nil {
		return 0, err
	}
	for _, s := range list {
		if s.TokenIssuedAt.After(t) {
			continue
		}
		ended, err := m.revoke(ctx, s.Ref)
		if err != nil {
			return n, err
		}
		if ended {
			n++
		}
	}
	return n, nil
}

// refuseEvent answers as RFC 8935, section 2.3 says: 400 with an error code of its own
// registry.
func (m *Manager) refuseEvent(w http.ResponseWriter, r *http.Request, err *TokenError) {
	m.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "googlesession: security event refused", slog.Any("error", err))
	m.emit(r.Context(), Event{Kind: EventDenied, Reason: "security_event:" + string(err.Reason), Device: m.device(r), Err: err})
	answer := map[string]string{"err": "invalid_request", "description": "The token was not accepted."}
	switch err.Reason {
	case ReasonAlgorithm, ReasonSignature:
		answer["err"] = "invalid_key"
	case ReasonIssuer:
		answer["err"] = "invalid_issuer"
	case ReasonAudience:
		answer["err"] = "invalid_audience"
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Language", "en")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(answer) // as in writeProblem
}
