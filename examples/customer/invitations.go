package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
)

// This file decides who may sign in. It is the file to copy for rules of your own. The
// library calls Config.Admit after it has checked the token and before it stores anything.

// An invitation is for an e-mail address until the first sign-in with that address. From
// then on it is for the Google account that signed in, because an address may get a new
// owner and an account does not.
//
// An invitation has three states. An open invitation has no user. A claimed invitation has
// a user whose first sign-in is under way or has failed. An accepted invitation has served
// the sign-in of its user. It cannot be used again, so a deleted user needs another
// invitation. Invitations that are not accepted expire.
type invitation struct {
	Email      string // ASCII, lower case
	Admin      bool   // the first sign-in makes the user an administrator
	InvitedBy  string // user ID of the administrator who has invited
	CreatedAt  time.Time
	ClaimedBy  string    // user ID, or "" if the invitation is open
	AcceptedAt time.Time // zero unless the invitation is accepted
}

var (
	errNotInvited   = errors.New("not invited")
	errNoInvitation = errors.New("no such invitation")
	errInvited      = errors.New("already invited")
)

// An invitationStore keeps at most one invitation for each address.
type invitationStore interface {
	// Create stores an open invitation. It returns errInvited if there is an invitation
	// for i.Email already.
	Create(ctx context.Context, i invitation) error

	// List returns up to limit invitations in order of address. The list begins with the
	// first address that is greater than after, so "" lists from the beginning.
	List(ctx context.Context, after string, limit int) ([]invitation, error)

	// Claim binds the open invitation for email to the user and returns the invitation. It
	// also returns an invitation that the user has claimed before. It returns errNotInvited
	// if the invitation does not exist or was not created after since, if another user has
	// claimed it, or if it is accepted. If several users claim an invitation at once, one of
	// them gets it.
	Claim(ctx context.Context, email, userID string, since time.Time) (invitation, error)

	// Release makes the invitation for email open again, if the user has claimed it and it
	// is not accepted.
	Release(ctx context.Context, email, userID string) error

	// Accept marks i as accepted by the user. It returns true if this call has marked i, and
	// false if i was accepted before, was claimed by another user, is deleted, or has been
	// replaced by another invitation for the address.
	Accept(ctx context.Context, i invitation, userID string) (bool, error)

	// Delete deletes the invitation for email. It returns errNoInvitation if the
	// invitation does not exist.
	Delete(ctx context.Context, email string) error

	// DeleteByUser deletes the invitations that the user has claimed or accepted, if any.
	DeleteByUser(ctx context.Context, userID string) error

	// DeleteExpired deletes the invitations that were created no later than then and are
	// not accepted.
	DeleteExpired(ctx context.Context, then time.Time) error
}

// invitationLifetime returns the time after which an invitation that is not accepted
// expires.
func (o *options) invitationLifetime() time.Duration {
	return time.Duration(o.invitationDays) * 24 * time.Hour
}

// invitedSince returns the creation time of an invitation that expires now. Earlier
// invitations that are not accepted have expired.
func (a *app) invitedSince() time.Time { return time.Now().Add(-a.opts.invitationLifetime()) }

// admit is the function in Config.Admit, which decides whether an account may sign in.
// Without -invited-only it admits every account, but it accepts the invitation for the
// account if there is one.
func (a *app) admit(ctx context.Context, id googlesession.Identity) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := a.admitInvited(ctx, id)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, errNotInvited):
		// The library answers 503 for ErrUnavailable, and 403 for any other error.
		return fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	case a.opts.invitedOnly:
		return err
	default:
		return nil
	}
}

// admitInvited admits three kinds of accounts: those that are users already, whatever
// their address is now; the administrators of the configuration; and invited ones.
// Withdrawing an accepted invitation does not keep its user out, but disabling the user
// does.
//
// A user may be deleted while admitInvited runs or just afterwards. The user store decides
// that race, because after a deletion it refuses every token that Google issued before the
// deletion.
func (a *app) admitInvited(ctx context.Context, id googlesession.Identity) error {
	email := lowerASCII(id.Email)
	_, err := a.stores.users.User(ctx, id.Subject)
	if err == nil && id.EmailAuthoritative() {
		a.consumeInvitation(ctx, email, id.Subject)
	}
	if !errors.Is(err, googlesession.ErrNotFound) {
		return err // err is nil if the account has a user
	}
	if !id.EmailAuthoritative() {
		return errNotInvited // the address was verified once, but the mailbox may have a new owner
	}
	if slices.ContainsFunc(a.opts.admins, func(admin string) bool { return lowerASCII(admin) == email }) {
		return nil
	}
	i, err := a.stores.invitations.Claim(ctx, email, id.Subject, a.invitedSince())
	if err != nil {
		return err
	}
	return a.acceptInvitation(ctx, id, i)
}

// consumeInvitation accepts the invitation for email, if there is one, for a person who is
// a user already. The user does not need the invitation, but an invitation that stays open
// would let the person in again after the user is deleted.
func (a *app) consumeInvitation(ctx context.Context, email, userID string) {
	i, err := a.stores.invitations.Claim(ctx, email, userID, a.invitedSince())
	if err == nil {
		_, err = a.stores.invitations.Accept(ctx, i, userID)
	}
	if err != nil && !errors.Is(err, errNotInvited) {
		a.log.LogAttrs(ctx, slog.LevelError, "an invitation may be left open", slog.String("user", userID), slog.Any("error", err))
	}
}

// acceptInvitation makes the user and accepts the invitation. The library would make the
// user only after Admit. acceptInvitation does so earlier, so that the session of an
// invited administrator begins with the Admin flag, and so that only the sign-in that
// makes the user uses up the invitation.
func (a *app) acceptInvitation(ctx context.Context, id googlesession.Identity, i invitation) error {
	_, err := a.stores.users.SignIn(ctx, id)
	if errors.Is(err, googlesession.ErrStaleToken) {
		// The token was issued before the user was deleted. After Admit, the library calls
		// SignIn of the store, too, and so refuses the token. A newer token, or another
		// account, may use the invitation.
		return a.stores.invitations.Release(ctx, i.Email, id.Subject)
	}
	if err != nil {
		return err
	}
	first, err := a.stores.invitations.Accept(ctx, i, id.Subject)
	if err != nil || !first {
		return err
	}
	a.recordAudit(ctx, auditEntry{Actor: id.Subject, Action: "invitation_accepted", Target: i.Email})
	if i.Admin {
		return a.makeAdmin(ctx, id.Subject, i.InvitedBy)
	}
	return nil
}

// makeAdmin makes a new user an administrator if the inviter is still an administrator.
// acceptInvitation calls makeAdmin once for an invitation, and not again after an outage,
// so that a user who loses the Admin flag in the meantime does not get it back.
func (a *app) makeAdmin(ctx context.Context, userID, inviter string) error {
	by, err := a.stores.users.User(ctx, inviter)
	switch {
	case errors.Is(err, googlesession.ErrNotFound), err == nil && (!by.Admin || by.Disabled):
		return nil // the inviter is no longer an administrator
	case err != nil:
		return err
	}
	isAdmin := true
	ctx = googlesession.WithActor(ctx, inviter, "invitation")
	_, err = a.sessions.SetAccess(ctx, userID, googlesession.AccessChange{Admin: &isAdmin})
	if errors.Is(err, googlesession.ErrNotFound) {
		return nil // the user was deleted a moment ago, and the library refuses the token
	}
	return err
}

// lowerASCII lowers A to Z and nothing else. Unicode folding would make different
// addresses equal, because it turns the Kelvin sign into a k.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
