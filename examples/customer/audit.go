package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// An auditEntry says who did what to whom, and why: user IDs, the address of an
// invitation, the number of a customer. There is no way from it to a session or an
// account.
type auditEntry struct {
	ID     int64 // ascending; the store's
	Time   time.Time
	Actor  string // user ID, or "google" or "system"
	Action string // an EventKind, or one of the application's own
	Target string // may be ""
	Reason string // likewise
}

// An auditStore keeps entries. There is no way to change one.
type auditStore interface {
	// Add ignores the ID.
	Add(ctx context.Context, e auditEntry) error

	// List returns up to limit entries, the newest first, of those before the ID given.
	List(ctx context.Context, before int64, limit int) ([]auditEntry, error)

	// Purge looks at the oldest entries, at most limit, and deletes those from before
	// then.
	Purge(ctx context.Context, then time.Time, limit int) error
}

const (
	auditTimeout = time.Second

	// One entry in purgeEvery cleans up, purgeLimit entries at most: more than come in,
	// and never so many that somebody waits for it.
	purgeEvery = 10
	purgeLimit = 100
)

// recordAudit writes an entry before the answer goes out, in the request's own goroutine.
// A queue would save the request a millisecond, and lose in a crash what has been
// answered already; and these are sign-ins and administrators' work, not every request.
// It goes on when the browser has gone: what happened has happened. What cannot be
// written is in the log, where addresses are not.
func (a *app) recordAudit(ctx context.Context, e auditEntry) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	if err := a.stores.audit.Add(ctx, e); err != nil {
		a.metrics.auditLost.Inc()
		target := e.Target
		if strings.Contains(target, "@") {
			target = "an address"
		}
		a.log.LogAttrs(ctx, slog.LevelError, "audit entry not written", slog.String("actor", e.Actor),
			slog.String("action", e.Action), slog.String("target", target), slog.String("reason", e.Reason), slog.Any("error", err))
		return
	}
	if a.auditCount.Add(1)%purgeEvery != 1 {
		return
	}
	then := e.Time.AddDate(0, 0, -a.opts.auditDays)
	if err := a.stores.audit.Purge(ctx, then, purgeLimit); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "cleaning up the audit", slog.Any("error", err))
	}
}

// auditEntryFor is the entry for an event of the library. What a visitor can cause who is not
// signed in, as often as he likes, is counted and logged only.
func auditEntryFor(e googlesession.Event) (auditEntry, bool) {
	switch e.Kind {
	case googlesession.EventTouched, googlesession.EventDenied, googlesession.EventSignInRefused, googlesession.EventUnavailable:
		return auditEntry{}, false
	}
	entry := auditEntry{Time: e.Time, Actor: e.Actor, Action: string(e.Kind), Target: e.UserID, Reason: e.Reason}
	if e.UserID == "" && e.Ref != (googlesession.Ref{}) {
		entry.Target = e.Ref.String()
	}
	if e.Err != nil {
		entry.Reason += " (stopped half way)"
	}
	return entry, true
}
