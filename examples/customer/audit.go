package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// An auditEntry records an action with its actor, its target and its reason. It names a
// person by user ID, an invitation by its address and a customer by its number. It holds
// nothing with which a session could be opened.
type auditEntry struct {
	ID     int64 // ascending, set by the store
	Time   time.Time
	Actor  string // user ID, "google" or "system"
	Action string // an EventKind, or an action of the application
	Target string // may be ""
	Reason string // may be ""

	IP        string // of the request that caused the entry, "" if a request did not cause it
	UserAgent string // likewise
	Label     string // of the session, may be ""
	Sessions  string // public IDs of the sessions that the entry is about, separated by blanks
}

// An auditStore keeps entries. Its methods cannot change an entry.
type auditStore interface {
	// Add stores the entry under a new ID and returns the ID. It ignores e.ID.
	Add(ctx context.Context, e auditEntry) (int64, error)

	// List returns up to limit entries that match the filter and whose ID is less than
	// before, the newest first.
	List(ctx context.Context, f auditFilter, before int64, limit int) ([]auditEntry, error)

	// Purge looks at the oldest entries, at most limit of them, and deletes those that are
	// older than then.
	Purge(ctx context.Context, then time.Time, limit int) error
}

const (
	auditTimeout = time.Second

	// Every purgeEvery-th entry written triggers a deletion of up to purgeLimit old
	// entries. So up to 100 go for every 10 that come in, and one deletion is too small to
	// delay its request.
	purgeEvery = 10
	purgeLimit = 100

	// maxAuditSessions is how many sessions an entry names at most.
	maxAuditSessions = 100
)

// recordAudit writes an entry in the goroutine of the request, before the answer goes
// out. A queue would save about a millisecond, but a crash would lose entries of requests
// that have been answered. Only sign-ins and administrators' actions are recorded, not
// every request. The entry is written even if the browser has disconnected, because the
// action has been done. An entry that cannot be written is logged, without an e-mail
// address.
func (a *app) recordAudit(ctx context.Context, e auditEntry) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if client, ok := clientFrom(ctx); ok {
		e.IP, e.UserAgent = client.IP, client.UserAgent
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	id, err := a.stores.audit.Add(ctx, e)
	if err != nil {
		a.auditLost.Inc()
		target := e.Target
		if strings.Contains(target, "@") {
			target = "an address"
		}
		a.log.LogAttrs(ctx, slog.LevelError, "audit entry not written", slog.String("actor", e.Actor),
			slog.String("action", e.Action), slog.String("target", target), slog.String("reason", e.Reason), slog.Any("error", err))
		return
	}
	e.ID = id
	a.feed.publish(e)
	if a.auditCount.Add(1)%purgeEvery != 1 {
		return
	}
	then := e.Time.AddDate(0, 0, -a.opts.auditDays)
	if err := a.stores.audit.Purge(ctx, then, purgeLimit); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "old audit entries not deleted", slog.Any("error", err))
	}
}

// auditEntryFor returns the audit entry for an event of the library. It returns false for
// the use of a session, for a browser's key before the session is bound to it, and for the kinds
// of events that a visitor can cause as often as he likes. These events are not in the audit, but
// onEvent counts them.
func auditEntryFor(e googlesession.Event) (auditEntry, bool) {
	switch e.Kind {
	case googlesession.EventTouched, googlesession.EventDenied, googlesession.EventSignInRefused, googlesession.EventUnavailable,
		googlesession.EventBindRefused:
		return auditEntry{}, false
	case googlesession.EventBound:
		if e.Reason != "" {
			return auditEntry{}, false
		}
	}
	entry := auditEntry{
		Time: e.Time, Actor: e.Actor, Action: string(e.Kind), Target: e.UserID, Reason: e.Reason,
		IP: e.Device.IP, UserAgent: e.Device.UserAgent, Label: e.Label, Sessions: sessionNames(e),
	}
	if e.UserID == "" && e.Ref != (googlesession.Ref{}) {
		entry.Target = e.Ref.String()
	}
	if e.Err != nil {
		entry.Reason += " (stopped half way)"
	}
	return entry, true
}

// sessionNames returns the public IDs of an event, separated by blanks.
func sessionNames(e googlesession.Event) string {
	var names []string
	if e.PublicID != (googlesession.PublicID{}) {
		names = append(names, e.PublicID.String())
	}
	for _, id := range e.PublicIDs {
		names = append(names, id.String())
	}
	return strings.Join(names[:min(len(names), maxAuditSessions)], " ")
}
