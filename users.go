package googlesession

import (
	"context"
	"errors"
	"strings"
	"time"
)

// SetAccess sets the flags that are not nil and returns the user. Disabling ends the user's
// sessions at once on every server, and a sign-in that has begun does not create another.
// Enabling does not bring sessions back.
//
// The error is [ErrNotFound], [ErrLastAdmin] if no enabled administrator would be left, or
// [ErrConfiguredAdmin] for demoting a user whose address is in [Config.Admins]; every other
// error wraps [ErrUnavailable]. After such an error repeat the call, even if the flags seem
// to be set, because the call completes what was left half done.
//
// If sessions and users are in different stores and the process dies between the two
// changes, a demotion takes effect at the next sign-in or the next SetAccess. Disabling
// ends the sessions first, so that they have ended even if the process dies.
func (m *Manager) SetAccess(ctx context.Context, userID string, a AccessChange) (User, error) {
	ctx, err := detach(ctx)
	if err != nil {
		return User{}, err
	}
	if err := m.mayDemote(ctx, userID, a); err != nil {
		return User{}, err
	}
	var ended []PublicID
	if a.Disabled != nil && *a.Disabled {
		ended = m.endingIDs(ctx, userID, nil)
		if !m.shared {
			if err := m.endBeforeChange(ctx, userID); err != nil {
				return User{}, err
			}
		}
	}
	user, err := m.setAccessInStore(ctx, userID, a)
	if err != nil {
		return User{}, err
	}
	if err := m.putUser(ctx, user); err != nil {
		return User{}, err
	}
	m.emit(ctx, Event{Kind: EventAccessChanged, UserID: user.ID, Reason: a.words(), PublicIDs: ended})
	return user, nil
}

// DeleteUser deletes the user and ends all of the user's sessions at once on every server.
// The same Google account may sign in again, as a new user without any access, with a token
// that Google issues after the deletion. To keep a user out, disable the user. The errors
// are those of [Manager.SetAccess] except ErrConfiguredAdmin.
func (m *Manager) DeleteUser(ctx context.Context, userID string) error {
	ctx, err := detach(ctx)
	if err != nil {
		return err
	}
	if m.users == nil {
		return unavailable("deleting a user", errNoUsers)
	}
	ended := m.endingIDs(ctx, userID, nil)
	if !m.shared {
		if err := m.disableForDeletion(ctx, userID); err != nil {
			return err
		}
	}
	err = m.callDetached(ctx, func(ctx context.Context) error { return m.users.DeleteUser(ctx, userID) })
	m.wakeAfterChange(userID, err)
	if err != nil {
		return userError("deleting a user", err)
	}
	m.emit(ctx, Event{Kind: EventUserDeleted, UserID: userID, PublicIDs: ended})
	return nil
}

// disableForDeletion disables the user in both stores, so that the user stays out if the
// deletion stops half way.
func (m *Manager) disableForDeletion(ctx context.Context, userID string) error {
	if err := m.endBeforeChange(ctx, userID); err != nil {
		return err
	}
	disabled := true
	user, err := m.setAccessInStore(ctx, userID, AccessChange{Disabled: &disabled})
	if err != nil {
		return err
	}
	// The record for the session store has no profile, because no later call tells that
	// store to forget it.
	return m.putUser(ctx, User{
		ID: user.ID, Disabled: true, Version: user.Version + 1,
		TokensAfter: user.TokensAfter, CreatedAt: user.CreatedAt, SeenAt: user.SeenAt,
	})
}

// endBeforeChange ends the sessions of a user who is about to be disabled in another store. It
// ends no session of the last administrator, whom the user store will not disable. The user
// store decides that in its transaction, so an error of the question does not matter here.
func (m *Manager) endBeforeChange(ctx context.Context, userID string) error {
	admins, err := m.Users(ctx, UserQuery{Limit: 2, Admin: new(true), Disabled: new(false)})
	if err == nil && len(admins) == 1 && admins[0].ID == userID {
		return ErrLastAdmin
	}
	_, err = m.revokeUserInStore(ctx, userID, nil)
	return err
}

// refuseTokens ends the user's sessions whose token Google issued at t+slack or before. It
// returns how many it has ended, and their PublicIDs. From then on a token that was issued at t
// or before does not sign the user in. A late or repeated security event therefore leaves a
// newer sign-in alone. It ends the sessions first, so that they have ended if the process dies
// before it has changed the user.
func (m *Manager) refuseTokens(ctx context.Context, userID string, t time.Time, slack time.Duration) (n int, ids []PublicID, err error) {
	n, ids, err = m.revokeTokensUpTo(ctx, userID, t.Add(slack))
	if err != nil || m.users == nil {
		return n, ids, err
	}
	defer m.streams.wakeUser(UserTag(userID), nil)
	var user User
	err = m.callDetached(ctx, func(ctx context.Context) error {
		user, err = m.users.RefuseTokens(ctx, userID, t)
		return err
	})
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return n, ids, unavailable("refusing a user's tokens", err)
	case errors.Is(err, ErrNotFound): // the store remembers t for an unknown user too
		return n, ids, nil
	case err != nil:
		return n, ids, unavailable("refusing a user's tokens", err)
	}
	return n, ids, m.putUser(ctx, user)
}

// mayDemote returns ErrConfiguredAdmin if the change demotes a user whose address is in
// Config.Admins.
func (m *Manager) mayDemote(ctx context.Context, userID string, a AccessChange) error {
	if m.users == nil {
		return unavailable("changing a user", errNoUsers)
	}
	if a.Admin == nil || *a.Admin || len(m.admins) == 0 {
		return nil
	}
	user, err := m.readUser(ctx, userID)
	if err != nil {
		return err
	}
	if user.Admin && m.admins[addressKey(user.Email)] {
		return ErrConfiguredAdmin
	}
	return nil
}

// setAccessInStore changes the user store only, and makes no event.
func (m *Manager) setAccessInStore(ctx context.Context, userID string, a AccessChange) (user User, err error) {
	err = m.callDetached(ctx, func(ctx context.Context) error {
		user, err = m.users.SetAccess(ctx, userID, a)
		return err
	})
	m.wakeAfterChange(userID, err)
	if err != nil {
		return User{}, userError("changing a user", err)
	}
	return user, nil
}

// putUser gives a user record to the session store. A session store that is the user store
// too has it already, so the call then changes nothing.
func (m *Manager) putUser(ctx context.Context, user User) error {
	var applied bool
	err := m.callDetached(ctx, func(ctx context.Context) (err error) {
		applied, err = m.cfg.Sessions.PutUser(ctx, user)
		return err
	})
	if applied || err != nil {
		m.streams.wakeUser(UserTag(user.ID), nil)
	}
	if err != nil {
		return unavailable("giving a user to the session store", err)
	}
	return nil
}

// wakeAfterChange wakes the user's open streams after a call that changes the user store,
// which may be the session store too. It wakes them after an outage too, because the
// change may have been made.
func (m *Manager) wakeAfterChange(userID string, err error) {
	if errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrLastAdmin) {
		m.streams.wakeUser(UserTag(userID), nil)
	}
}

// words names the flags that the change sets, for the audit.
func (a AccessChange) words() string {
	var words []string
	if a.Admin != nil {
		words = append(words, map[bool]string{true: "admin", false: "not admin"}[*a.Admin])
	}
	if a.Disabled != nil {
		words = append(words, map[bool]string{true: "disabled", false: "enabled"}[*a.Disabled])
	}
	return strings.Join(words, ", ")
}
