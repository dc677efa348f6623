package googlesession

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
)

// reportDenial emits the event of a refusal and logs an outage. It does neither if the
// browser has gone, because the refusal may then be a consequence of that.
func (m *Manager) reportDenial(r *http.Request, d Denial) {
	ctx := r.Context()
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	e := Event{Kind: EventDenied, Reason: string(d.Code), Device: m.device(r), Err: d.Err}
	if s, ok := SessionFrom(ctx); ok { // the user is signed in, but may not do this
		e.Actor, e.UserID, e.Ref = s.User.ID, s.User.ID, s.Ref
	}
	if d.Status == http.StatusServiceUnavailable {
		var level slog.Level
		e.Kind = EventUnavailable
		level, e.Reason = describeOutage(d.Err)
		m.cfg.Logger.LogAttrs(ctx, level, "googlesession: unavailable", slog.Any("error", d.Err))
	}
	m.emit(ctx, e)
}

// reportRefusedSignIn logs why a sign-in was refused and emits the event, with the subject
// of the token if the token was verified. It returns the Denial.
func (m *Manager) reportRefusedSignIn(r *http.Request, subject string, err error) Denial {
	ctx, d := r.Context(), denialFor(err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return d
	}
	reason := string(d.Code)
	if t, ok := errors.AsType[*TokenError](d.Err); ok {
		reason += ":" + string(t.Reason)
	}
	level, kind := slog.LevelInfo, EventSignInRefused
	if d.Code == CodeUnavailable {
		kind = EventUnavailable
		level, reason = describeOutage(d.Err)
	}
	m.cfg.Logger.LogAttrs(ctx, level, "googlesession: sign-in refused",
		slog.String("reason", reason), slog.Any("error", d.Err))
	m.emit(ctx, Event{Kind: kind, UserID: subject, Reason: reason, Device: m.device(r), Err: d.Err})
	return d
}
