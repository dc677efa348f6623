package googlesession

import (
	"context"
	"errors"
	"strings"
	"time"
)

var errNoUsers = errors.New("googlesession: no user store configured")

// maxPage is how many users one page may have.
const maxPage = 200

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
	if a.Disabled != nil && *a.Disabled && !m.shared {
		if _, err := m.revokeUserInStore(ctx, userID, nil); err != nil {
			return User{}, err
		}
	}
	user, err := m.setAccessInStore(ctx, userID, a)
	if err != nil {
		return User{}, err
	}
	if err := m.putUser(ctx, user); err != nil {
		return User{}, err
	}
	m.emit(ctx, Event{Kind: EventAccessChanged, UserID: user.ID, Reason: a.words()})
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
	m.emit(ctx, Event{Kind: EventUserDeleted, UserID: userID})
	return nil
}

// disableForDeletion disables the user in both stores, so that the user stays out if the
// deletion stops half way.
func (m *Manager) disableForDeletion(ctx context.Context, userID string) error {
	if _, err := m.revokeUserInStore(ctx, userID, nil); err != nil {
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

// RevokeAll ends all sessions of all users in the [UserStore] and returns how many were
// live. Users can sign in again at once, with a new token from Google. It calls the store
// once for each user. It does nothing if ctx is done when it begins, and does not stop if
// ctx is done later. It stops at the first error, which wraps [ErrUnavailable]; repeat
// the call then. Changing [Config.Generation] and restarting every server also ends all
// sessions, without a call to a store.
func (m *Manager) RevokeAll(ctx context.Context) (int, error) {
	return m.revokeAllUsers(ctx, "")
}

// revokeAllUsers is RevokeAll, except that it ends the sessions of the user last at the
// end. That user is the administrator who asked, who must still be signed in to ask again
// if revokeAllUsers stops half way. If last is "", there is no such user.
func (m *Manager) revokeAllUsers(ctx context.Context, last string) (total int, err error) {
	if ctx, err = detach(ctx); err != nil {
		return 0, err
	}
	revoke := func(id string) error {
		n, err := m.revokeUserInStore(ctx, id, nil)
		total += n
		return err
	}
	defer func() { m.emit(ctx, Event{Kind: EventAllRevoked, Count: total, Err: err}) }()
	for after, more := "", true; more; {
		var users []User
		if users, more, err = m.usersPage(ctx, after, maxPage); err != nil {
			return total, err
		}
		for _, u := range users {
			after = u.ID
			if u.ID == last {
				continue
			}
			if err = revoke(u.ID); err != nil {
				return total, err
			}
		}
	}
	if last != "" {
		err = revoke(last)
	}
	return total, err
}

// refuseTokens ends the user's sessions whose token Google issued at t+slack or before, and
// returns how many it has ended. From then on a token that was issued at t or before does
// not sign the user in. A late or repeated security event therefore leaves a newer sign-in
// alone. It ends the sessions first, so that they have ended if the process dies before it
// has changed the user.
func (m *Manager) refuseTokens(ctx context.Context, userID string, t time.Time, slack time.Duration) (int, error) {
	n, err := m.revokeTokensUpTo(ctx, userID, t.Add(slack))
	if err != nil || m.users == nil {
		return n, err
	}
	defer m.streams.wakeUser(UserTag(userID), nil)
	var user User
	err = m.callDetached(ctx, func(ctx context.Context) error {
		user, err = m.users.RefuseTokens(ctx, userID, t)
		return err
	})
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return n, unavailable("refusing a user's tokens", err)
	case errors.Is(err, ErrNotFound): // the store remembers t for an unknown user too
		return n, nil
	case err != nil:
		return n, unavailable("refusing a user's tokens", err)
	}
	return n, m.putUser(ctx, user)
}

// usersPage returns up to limit users whose IDs follow after, and whether there are more.
func (m *Manager) usersPage(ctx context.Context, after string, limit int) (users []User, more bool, err error) {
	if m.users == nil {
		return nil, false, unavailable("listing users", errNoUsers)
	}
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	users, err = m.users.Users(ctx, after, limit+1)
	if err != nil {
		return nil, false, unavailable("listing users", err)
	}
	more = len(users) > limit
	return users[:min(len(users), limit)], more, nil
}

// readUser returns the user's record from the user store.
func (m *Manager) readUser(ctx context.Context, id string) (User, error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	user, err := m.users.User(ctx, id)
	if err != nil {
		return User{}, userError("reading a user", err)
	}
	return user, nil
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

// userError returns ErrNotFound and ErrLastAdmin as they are, because callers tell them
// apart. It makes every other error an outage.
func userError(doing string, err error) error {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrLastAdmin) {
		return err
	}
	return unavailable(doing, err)
}
