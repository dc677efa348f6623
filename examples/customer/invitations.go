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

// An invitation is for whoever has an e-mail address, until the first sign-in. From
// then on it is for that Google account: addresses change hands, accounts do not.
type invitation struct {
	Email      string // ASCII, lower case
	Admin      bool   // the first sign-in makes an administrator
	InvitedBy  string // user ID
	CreatedAt  time.Time
	AcceptedBy string // user ID; "": nobody has come yet
	AcceptedAt time.Time
}

var (
	errNotInvited   = errors.New("not invited")
	errNoInvitation = errors.New("no such invitation")
	errInvited      = errors.New("invited already")
)

// An invitationStore keeps at most one invitation for each address.
type invitationStore interface {
	// Create returns errInvited if there is one for the address.
	Create(ctx context.Context, email string, admin bool, by string) (invitation, error)

	// List returns up to limit invitations in order of address, those after the one
	// given; "" begins.
	List(ctx context.Context, after string, limit int) ([]invitation, error)

	// Accept binds an open invitation to the user and reports that this call did. One
	// that is bound to this user is returned as it is; without any, or if it is
	// somebody else's, it returns errNotInvited. It is one atomic step.
	Accept(ctx context.Context, email, userID string) (i invitation, first bool, err error)

	// Delete withdraws the invitation for an address, or returns errNoInvitation.
	Delete(ctx context.Context, email string) error

	// DeleteAccepted withdraws what the user has accepted, if anything.
	DeleteAccepted(ctx context.Context, userID string) error
}

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

// admitInvited admits whoever is a user already, by the account and whatever the
// address is now; the administrators of the configuration; and the invited. Withdrawing
// an invitation does not end what has begun: to keep a user out, disable the user.
func (a *app) admitInvited(ctx context.Context, id googlesession.Identity) error {
	email := lowerASCII(id.Email)
	_, err := a.stores.users.User(ctx, id.Subject)
	if err == nil && id.EmailAuthoritative() {
		// An invitation of somebody who is here already is used up, and changes nothing: it
		// must not be there when the user is deleted.
		_, _, err := a.stores.invitations.Accept(ctx, email, id.Subject)
		if err != nil && !errors.Is(err, errNotInvited) {
			a.log.LogAttrs(ctx, slog.LevelError, "an invitation may be left open", slog.String("user", id.Subject), slog.Any("error", err))
		}
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
	i, first, err := a.stores.invitations.Accept(ctx, email, id.Subject)
	if err == nil && !first && time.Since(i.AcceptedAt) > googlesession.LoginWindow {
		return errNotInvited // was a user since, and has been deleted
	}
	if err != nil || !first {
		return err
	}
	a.record(ctx, auditEntry{Actor: id.Subject, Action: "invitation_accepted", Target: email})
	if i.Admin {
		return a.promote(ctx, id, i.InvitedBy)
	}
	return nil
}

// promote makes an administrator of somebody who signs in for the first time. It does
// for itself what the library does after Admit, making the user, so that the session
// begins with the flag. Only the call that has accepted the invitation comes here, and
// an outage is not made good: nobody becomes an administrator again who was demoted
// in the meantime.
func (a *app) promote(ctx context.Context, id googlesession.Identity, inviter string) error {
	by, err := a.stores.users.User(ctx, inviter)
	switch {
	case errors.Is(err, googlesession.ErrNotFound), err == nil && (!by.Admin || by.Disabled):
		return nil // not one any more, so this one becomes a user
	case err != nil:
		return err
	}
	if _, err := a.stores.users.SignIn(ctx, id); err != nil {
		return err
	}
	isAdmin := true
	ctx = googlesession.WithActor(ctx, inviter, "invitation")
	_, err = a.sessions.SetAccess(ctx, id.Subject, googlesession.Access{Admin: &isAdmin})
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
