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

// Who may come in. This is the file to copy for rules of your own: Config.Admit is
// asked when everything about the token has been checked and nothing has been stored.

// An invitation is for an e-mail address until the first sign-in. From then on it is for
// that Google account: addresses change hands, accounts do not.
//
// It has three states. An open invitation has no user. A claimed one has a user whose
// first sign-in is under way, or has failed. An accepted one has made its user, and lets
// that user in no second time: a deleted user needs another invitation. Invitations that
// are not accepted expire.
type invitation struct {
	Email      string // ASCII, lower case
	Admin      bool   // the first sign-in makes an administrator
	InvitedBy  string // user ID
	CreatedAt  time.Time
	ClaimedBy  string    // user ID; "" if the invitation is open
	AcceptedAt time.Time // zero unless it is accepted
}

var (
	errNotInvited   = errors.New("not invited")
	errNoInvitation = errors.New("no such invitation")
	errInvited      = errors.New("invited already")
)

// An invitationStore keeps at most one invitation for each address.
type invitationStore interface {
	// Create returns errInvited if there is one for the address.
	Create(ctx context.Context, i invitation) error

	// List returns up to limit invitations in order of address, those after the one
	// given; "" begins.
	List(ctx context.Context, after string, limit int) ([]invitation, error)

	// Claim binds an open invitation to the user, and returns an invitation that the user
	// has claimed. It returns errNotInvited if there is none that was created after since,
	// if another user has claimed it, or if it is accepted. It is one atomic step.
	Claim(ctx context.Context, email, userID string, since time.Time) (invitation, error)

	// Release opens an invitation that the user has claimed and not accepted.
	Release(ctx context.Context, email, userID string) error

	// Accept marks the claimed invitation as accepted and reports whether this call did.
	Accept(ctx context.Context, i invitation, userID string) (bool, error)

	// Delete withdraws the invitation for an address, or returns errNoInvitation.
	Delete(ctx context.Context, email string) error

	// DeleteByUser withdraws what the user has claimed or accepted, if anything.
	DeleteByUser(ctx context.Context, userID string) error

	// DeleteExpired withdraws invitations that were created then or before and are not
	// accepted.
	DeleteExpired(ctx context.Context, then time.Time) error
}

// invitationLifetime is how long an invitation that is not accepted is good.
func (o *options) invitationLifetime() time.Duration {
	return time.Duration(o.invitationDays) * 24 * time.Hour
}

// invitedSince is when an invitation must have been created to be good now.
func (a *app) invitedSince() time.Time { return time.Now().Add(-a.opts.invitationLifetime()) }

// admit is Config.Admit. Without -invited-only it refuses nobody, but an invitation is
// accepted all the same.
func (a *app) admit(ctx context.Context, id googlesession.Identity) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := a.admitInvited(ctx, id)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, errNotInvited):
		// Whatever is not a refusal has to say so: it is answered 503, not 403.
		return fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	case a.opts.invitedOnly:
		return err
	default:
		return nil
	}
}

// admitInvited admits users, by the account and whatever the address is now; the
// administrators of the configuration; and the invited. Withdrawing an accepted
// invitation does not end what has begun: to keep a user out, disable the user.
//
// A user may be deleted while this runs, or just afterwards. The user store decides that
// race: after a deletion it refuses every token that Google issued before.
func (a *app) admitInvited(ctx context.Context, id googlesession.Identity) error {
	email := lowerASCII(id.Email)
	_, err := a.stores.users.User(ctx, id.Subject)
	if err == nil && id.EmailAuthoritative() {
		a.consumeInvitation(ctx, email, id.Subject)
	}
	if !errors.Is(err, googlesession.ErrNotFound) {
		return err // nil: a user
	}
	if !id.EmailAuthoritative() {
		return errNotInvited // verified once, but the mailbox may have a new owner
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

// consumeInvitation accepts an invitation of a person who is a user already. It changes nothing, and
// must not be there when the user is deleted.
func (a *app) consumeInvitation(ctx context.Context, email, userID string) {
	i, err := a.stores.invitations.Claim(ctx, email, userID, a.invitedSince())
	if err == nil {
		_, err = a.stores.invitations.Accept(ctx, i, userID)
	}
	if err != nil && !errors.Is(err, errNotInvited) {
		a.log.LogAttrs(ctx, slog.LevelError, "an invitation may be left open", slog.String("user", userID), slog.Any("error", err))
	}
}

// acceptInvitation makes the user and accepts the invitation. It does for itself what the library
// does after Admit, so that an administrator's session begins with the flag, and so that
// an invitation is used up by the sign-in that makes the user and by no other.
func (a *app) acceptInvitation(ctx context.Context, id googlesession.Identity, i invitation) error {
	_, err := a.stores.users.SignIn(ctx, id)
	if errors.Is(err, googlesession.ErrStaleToken) {
		// The token is from before a deletion. The library asks the store again and answers
		// so. A newer token, or another account, may use the invitation.
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

// makeAdmin makes an administrator of a user who has just joined. Only the call that has
// accepted the invitation comes here, and it is not repeated after an outage, so that a
// user who was demoted in the meantime stays demoted.
func (a *app) makeAdmin(ctx context.Context, userID, inviter string) error {
	by, err := a.stores.users.User(ctx, inviter)
	switch {
	case errors.Is(err, googlesession.ErrNotFound), err == nil && (!by.Admin || by.Disabled):
		return nil // the inviter is not an administrator any more
	case err != nil:
		return err
	}
	isAdmin := true
	ctx = googlesession.WithActor(ctx, inviter, "invitation")
	_, err = a.sessions.SetAccess(ctx, userID, googlesession.AccessChange{Admin: &isAdmin})
	if errors.Is(err, googlesession.ErrNotFound) {
		return nil // deleted at this moment: the library refuses the token
	}
	return err
}

// lowerASCII lowers A to Z and nothing else. Unicode folding would let two addresses
// meet: it takes the Kelvin sign for a k.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
