package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/googlesession/googlesession"
)

// onEvent is Config.Events: it counts, logs, audits, and does what follows from an
// event in the application.
func (a *app) onEvent(ctx context.Context, e googlesession.Event) {
	a.metrics.observe(e)
	if e.Kind != googlesession.EventDenied && e.Kind != googlesession.EventUnavailable {
		// Every visitor who is not signed in; and an outage the library has logged.
		a.logEvent(ctx, e)
	}
	if entry, ok := audited(e); ok {
		a.record(ctx, entry)
	}
	switch e.Kind {
	case googlesession.EventSecurity:
		a.heedGoogle(ctx, e)
	case googlesession.EventUserDeleted:
		a.uninvite(ctx, e.UserID)
	}
}

// heedGoogle keeps out whose Google account is disabled: the library ends sessions, and
// leaves it to the application who may sign in. Enabling is an administrator's
// decision, too. Google is told that the event has arrived whatever comes out here, so
// it is in the log.
func (a *app) heedGoogle(ctx context.Context, e googlesession.Event) {
	if e.UserID == "" || e.Reason != "account-disabled" && e.Reason != "account-disabled:hijacking" {
		return
	}
	// As the library has it for sessions: a newer sign-in stands, however often and late
	// an event comes.
	if user, err := a.stores.users.User(ctx, e.UserID); err == nil && user.SeenAt.After(e.IssuedAt.Add(time.Minute)) {
		return
	}
	disabled := true
	ctx = googlesession.WithActor(ctx, "google", e.Reason)
	_, err := a.sessions.SetAccess(ctx, e.UserID, googlesession.Access{Disabled: &disabled})
	if err != nil && !errors.Is(err, googlesession.ErrNotFound) { // has never been here
		a.log.LogAttrs(ctx, slog.LevelError, "Google has disabled the account, and the user is not disabled",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
}

// uninvite: who was deleted needs a new invitation.
func (a *app) uninvite(ctx context.Context, userID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := a.stores.invitations.DeleteAccepted(ctx, userID); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the user is deleted, and the invitation is still there",
			slog.String("user", userID), slog.Any("error", err))
	}
}
