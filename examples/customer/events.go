package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

// onEvent is the function in Config.Events. It counts and logs the event, tells open
// pages, writes the event to the audit, and applies its consequences in the application.
func (a *app) onEvent(ctx context.Context, e googlesession.Event) {
	a.metrics.observe(e)
	a.changes.report(e)
	if a.overview.observe(e) {
		a.feed.change()
	}
	if e.Kind != googlesession.EventDenied && e.Kind != googlesession.EventUnavailable {
		// Every visitor who is not signed in causes an EventDenied. The library itself logs
		// an outage.
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

// googleActor is the actor in the audit if a change follows from a security event, and
// systemActor if neither a person nor Google has caused it.
const (
	googleActor = "google"
	systemActor = "system"
)

// applyGoogleEvent disables a user whose Google account is disabled. The library has ended
// the user's sessions, and the application decides whether the user may sign in. Only an
// administrator enables a user again. Errors are logged and not returned, because the
// library tells Google in any case that the event has arrived.
func (a *app) applyGoogleEvent(ctx context.Context, e googlesession.Event) {
	if e.UserID == "" || e.Reason != "account-disabled" && e.Reason != "account-disabled:hijacking" {
		return
	}
	superseded, err := a.isSuperseded(ctx, e)
	if superseded {
		return
	}
	if err != nil { // disable the user even so, because an administrator can enable the user again
		a.log.LogAttrs(ctx, slog.LevelError, "cannot tell whether a security event is out of date",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
	disabled := true
	ctx = googlesession.WithActor(ctx, googleActor, e.Reason)
	_, err = a.sessions.SetAccess(ctx, e.UserID, googlesession.AccessChange{Disabled: &disabled})
	if errors.Is(err, googlesession.ErrNotFound) {
		// The account has no user. A token from before the event must not make one.
		if _, err = a.stores.users.RefuseTokens(ctx, e.UserID, e.IssuedAt); errors.Is(err, googlesession.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "Google has disabled the account, but the user is not disabled",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
}

// isSuperseded reports whether the account is known to be in order since the event. That
// is so if an administrator has enabled the user after the event, or if Google has issued
// a token after the event, because Google issues no token for a disabled account. A token
// that arrived after the event does not show this, because it may have been issued before.
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
		return true, nil // a token accepted more than TokenWindow after the event was issued after the event
	}
	list, err := a.sessions.Sessions(ctx, e.UserID)
	return slices.ContainsFunc(list, func(s googlesession.Session) bool { return s.TokenIssuedAt.After(e.IssuedAt) }), err
}

// recordClearance remembers when an administrator enabled a user.
func (a *app) recordClearance(ctx context.Context, e googlesession.Event) {
	flags, _, _ := strings.Cut(e.Reason, ":") // Reason has the flags, a colon and the administrator's own words
	if !slices.Contains(strings.Split(flags, ", "), "enabled") {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := a.stores.clearances.Set(ctx, e.UserID, e.Time); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the user is enabled, but an earlier security event may disable the user again",
			slog.String("user", e.UserID), slog.Any("error", err))
	}
}

// deleteUserData deletes what the application keeps about a deleted user. Such a user
// needs a new invitation.
func (a *app) deleteUserData(ctx context.Context, userID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := errors.Join(a.stores.invitations.DeleteByUser(ctx, userID), a.stores.clearances.Delete(ctx, userID))
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the user is deleted, but an invitation or a clearance may be left",
			slog.String("user", userID), slog.Any("error", err))
	}
}
