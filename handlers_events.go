package googlesession

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

const (
	maxEventBody = 16 << 10 // bytes of a security event token

	// eventSlack is how long after an event Google may have issued the token of a session
	// that the event ends. Google writes an event after what it reports, and the clocks of
	// its servers may differ.
	eventSlack = time.Minute
)

// serveSecurityEvents receives the security event tokens that Google pushes (RFC 8935).
// 202 tells Google not to send the token again. During an outage it answers 503, and
// Google sends the token again. That does no harm, because repeating an event ends the
// same sessions or none. The client is Google's server and not a browser, so the source
// of the request is not checked.
func (m *Manager) serveSecurityEvents(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	body, err := readBody(w, r, maxEventBody)
	switch d := denialFor(err); {
	case err == nil:
	case d.Code == CodeTooSlow: // a 400 would tell Google not to send the token again
		m.reportDenial(r, d)
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
	// After an error the remaining changes are left to Google's next delivery, which
	// repeats all changes.
	for _, change := range event.Changes {
		if err != nil {
			break
		}
		err = m.applyChange(r.Context(), event, change)
	}
	if err != nil {
		d := denial(CodeUnavailable, unavailable("security event", err))
		m.reportDenial(r, d)
		h.Set("Retry-After", retryAfter)
		writeProblem(w, d)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// applyChange emits an event for one change in a security event. If Google requires
// sessions to end after this kind of change, it first ends the sessions whose token
// Google issued before the event or soon after, and from then on refuses tokens from
// before the event. Whether to disable the user is up to the application.
func (m *Manager) applyChange(ctx context.Context, event SecurityEvent, change AccountChange) error {
	ctx = WithActor(context.WithoutCancel(ctx), "google", "")
	e := Event{Kind: EventSecurityReport, Reason: string(change.Kind), IssuedAt: event.IssuedAt}
	if change.Reason != "" {
		e.Reason += ":" + change.Reason
	}
	if isSubject(change.Subject) {
		e.UserID = change.Subject
		if change.endsSessions() {
			var err error
			if e.Count, e.PublicIDs, err = m.refuseTokens(ctx, change.Subject, event.IssuedAt, eventSlack); err != nil {
				return err
			}
		}
	}
	m.emit(ctx, e)
	return nil
}

// refuseEvent reports a refused token and answers 400 with an error code (RFC 8935,
// sections 2.3 and 2.4).
func (m *Manager) refuseEvent(w http.ResponseWriter, r *http.Request, err *TokenError) {
	m.reportRefusedEvent(r, err)
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
	_ = json.NewEncoder(w).Encode(answer) // Encode fails only if the client has gone
}
