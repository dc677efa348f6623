package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

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
	if entry, ok := auditEntryFor(e); ok {
		a.recordAudit(ctx, entry)
	}
	switch e.Kind {
	case googlesession.EventSecurityReport:
		a.applyGoogleEvent(ctx, e)
	case googlesession.EventAccessChanged:
		a.recordClearance(ctx, e)
	case googlesession.EventUserDeleted:
		a.deleteUserData(ctx, e.UserID)
	}
}

// googleActor is the actor of what follows from a security event.
const googleActor = "google"

// applyGoogleEvent disables a user whose Google account is disabled. The library ends the
// sessions and leaves it to the application who may sign in. Enabling is an
// administrator's decision. Google is told that the event has arrived whatever comes out
// here, so an error is in the log.
func (a *app) applyGoogleEvent(ctx context.Context, e googlesession.Event) {
	if e.UserID == "" || e.Reason != "account-disabled" && e.Reason != "account-disabled:hijacking" {
		return
	}
	superseded, err := a.isSuperseded(ctx, e)
	if superseded {
		return
	}
	if err != nil { // disabling a user too many can be undone
		a.log.LogAttrs(ctx, slog.LevelError, "whether a security event is out of date is not known",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
	disabled := true
	ctx = googlesession.WithActor(ctx, googleActor, e.Reason)
	_, err = a.sessions.SetAccess(ctx, e.UserID, googlesession.AccessChange{Disabled: &disabled})
	if errors.Is(err, googlesession.ErrNotFound) {
		// The user has never been here, and does not come in with an earlier token.
		if _, err = a.stores.users.RefuseTokens(ctx, e.UserID, e.IssuedAt); errors.Is(err, googlesession.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "Google has disabled the account, and the user is not disabled",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
}

// isSuperseded reports whether something newer than the event says that the account is
// in order: an administrator has enabled the user, or Google has issued a token, which it
// does not do for a disabled account. When a token arrived says nothing about when Google
// issued it.
func (a *app) isSuperseded(ctx context.Context, e googlesession.Event) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	cleared, err := a.stores.clearances.ClearedAt(ctx, e.UserID)
	if err != nil || cleared.After(e.IssuedAt) {
		return err == nil, err
	}
	user, err := a.stores.users.User(ctx, e.UserID)
	switch {
	case errors.Is(err, googlesession.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case user.SeenAt.After(e.IssuedAt.Add(googlesession.TokenWindow)):
		return true, nil // no token that was accepted then is as old as the event
	}
	list, err := a.sessions.Sessions(ctx, e.UserID)
	return slices.ContainsFunc(list, func(s googlesession.Session) bool { return s.TokenIssuedAt.After(e.IssuedAt) }), err
}

// recordClearance remembers when an administrator has enabled a user.
func (a *app) recordClearance(ctx context.Context, e googlesession.Event) {
	flags, _, _ := strings.Cut(e.Reason, ":") // before the administrator's words
	if !slices.Contains(strings.Split(flags, ", "), "enabled") {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := a.stores.clearances.Set(ctx, e.UserID, e.Time); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the user is enabled, and an earlier security event may disable it again",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
}

// deleteUserData drops what the application keeps for a user who is deleted. Such a user needs a
// new invitation.
func (a *app) deleteUserData(ctx context.Context, userID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := errors.Join(a.stores.invitations.DeleteByUser(ctx, userID), a.stores.clearances.Delete(ctx, userID))
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the user is deleted, and an invitation or a clearance is still there",
			slog.String("user", userID), slog.Any("error", err))
	}
}
