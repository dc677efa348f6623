package googlesession

import (
	"context"
	"errors"
)

// Sessions returns the user's live sessions with their Device, newest first. The
// error wraps [ErrUnavailable].
func (m *Manager) Sessions(ctx context.Context, userID string) ([]Session, error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	list, err := m.cfg.Sessions.Sessions(ctx, userID)
	if err != nil {
		return nil, unavailable("listing sessions", err)
	}
	return list, nil
}

// Revoke ends one session. Once it has returned nil, no server that shares the
// store admits it again. It is idempotent; a Ref that names nothing is nil too.
// After an error, which wraps [ErrUnavailable], the outcome is unknown: repeat it.
func (m *Manager) Revoke(ctx context.Context, ref Ref) error {
	ctx, err := begin(ctx)
	if err != nil {
		return err
	}
	ended, err := m.revoke(ctx, ref)
	if err != nil {
		return unavailable("ending a session", err)
	}
	if ended {
		m.emit(ctx, Event{Kind: EventRevoked, Ref: ref})
	}
	return nil
}

// RevokeUser ends all sessions that the user has now, and returns how many were
// live. A sign-in in flight may still create one: who must keep somebody out
// disables the user with [Manager.SetAccess].
func (m *Manager) RevokeUser(ctx context.Context, userID string) (int, error) {
	return m.revokeUser(ctx, userID, nil)
}

// RevokeOthers ends all sessions of the session's user but this one, and returns
// how many were live.
func (m *Manager) RevokeOthers(ctx context.Context, s Session) (int, error) {
	return m.revokeUser(ctx, s.User.ID, &s.Ref)
}

// RevokeAll ends all sessions of all users that the [UserStore] has, and returns how
// many were live. Sign-ins go on: they come with a fresh token from Google. It takes a
// call for each user, does not stop when ctx is done after it has begun, and stops at
// the first error, which wraps [ErrUnavailable]: repeat it. Changing
// [Config.Generation] does the same at once, with a restart of every server.
func (m *Manager) RevokeAll(ctx context.Context) (int, error) {
	return m.revokeAll(ctx, "")
}

// revokeAll leaves one user for the end, so that whoever asked can ask again if it
// stops half way.
func (m *Manager) revokeAll(ctx context.Context, last string) (total int, err error) {
	if ctx, err = begin(ctx); err != nil {
		return 0, err
	}
	end := func(id string) error {
		n, err := m.endUser(ctx, id, nil)
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
			if err = end(u.ID); err != nil {
				return total, err
			}
		}
	}
	if last != "" {
		err = end(last)
	}
	return total, err
}

// usersPage returns up to limit users, and whether there are more.
func (m *Manager) usersPage(ctx context.Context, after string, limit int) (users []User, more bool, err error) {
	if m.users == nil {
		return nil, false, unavailable("listing users", errNoUsers)
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	users, err = m.users.Users(ctx, after, limit+1)
	if err != nil {
		return nil, false, unavailable("listing users", err)
	}
	more = len(users) > limit
	return users[:min(len(users), limit)], more, nil
}

// SetAccess sets the flags that are not nil and returns the user. Disabling ends
// the user's sessions at once on every server, and enabling does not bring them
// back; a sign-in in flight does not get past it.
//
// The errors are [ErrNotFound], [ErrLastAdmin] if no enabled administrator would
// be left, [ErrConfiguredAdmin] for demoting a user whose address is in
// [Config.Admins], or wrap [ErrUnavailable]; after the latter repeat it, with
// unchanged flags too, which repairs what was left half done.
//
// With sessions and users in different stores, a demotion whose process dies
// between the two takes effect at the next sign-in or the next SetAccess. A disable
// leaves fewer sessions wherever it stops, never more.
func (m *Manager) SetAccess(ctx context.Context, userID string, a AccessChange) (User, error) {
	ctx, err := begin(ctx)
	if err != nil {
		return User{}, err
	}
	if err := m.mayDemote(ctx, userID, a); err != nil {
		return User{}, err
	}
	if a.Disabled != nil && *a.Disabled && !m.shared {
		if _, err := m.endUser(ctx, userID, nil); err != nil {
			return User{}, err
		}
	}
	user, err := m.setAccess(ctx, userID, a)
	if err != nil {
		return User{}, err
	}
	if err := m.putUser(ctx, user); err != nil {
		return User{}, err
	}
	m.emit(ctx, Event{Kind: EventAccessChanged, UserID: user.ID, Reason: describe(a)})
	return user, nil
}

// DeleteUser removes the user and ends all sessions at once on every server. The
// same Google account may sign in again, as a new user without any access, but only with
// a token that Google issues later. Disable a user who must stay out. The errors are
// those of [Manager.SetAccess] without ErrConfiguredAdmin.
func (m *Manager) DeleteUser(ctx context.Context, userID string) error {
	ctx, err := begin(ctx)
	if err != nil {
		return err
	}
	if m.users == nil {
		return unavailable("deleting a user", errNoUsers)
	}
	if !m.shared {
		// Disabled first: should this stop half way, the user is out.
		disabled := true
		if _, err := m.endUser(ctx, userID, nil); err != nil {
			return err
		}
		user, err := m.setAccess(ctx, userID, AccessChange{Disabled: &disabled})
		if err != nil {
			return err
		}
		// Without a profile, because no later call tells the session store to forget it.
		bare := User{
			ID: user.ID, Disabled: true, Version: user.Version + 1,
			TokensAfter: user.TokensAfter, CreatedAt: user.CreatedAt, SeenAt: user.SeenAt,
		}
		if err := m.putUser(ctx, bare); err != nil {
			return err
		}
	}
	err = m.write(ctx, func(ctx context.Context) error { return m.users.DeleteUser(ctx, userID) })
	m.wakeChanged(userID, err)
	if err != nil {
		return userError("deleting a user", err)
	}
	m.emit(ctx, Event{Kind: EventUserDeleted, UserID: userID})
	return nil
}

func (m *Manager) mayDemote(ctx context.Context, userID string, a AccessChange) error {
	if m.users == nil {
		return unavailable("changing a user", errNoUsers)
	}
	if a.Admin == nil || *a.Admin || len(m.admins) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	user, err := m.users.User(ctx, userID)
	if err != nil {
		return userError("reading a user", err)
	}
	if user.Admin && m.admins[addressKey(user.Email)] {
		return ErrConfiguredAdmin
	}
	return nil
}

func (m *Manager) setAccess(ctx context.Context, userID string, a AccessChange) (user User, err error) {
	err = m.write(ctx, func(ctx context.Context) error {
		user, err = m.users.SetAccess(ctx, userID, a)
		return err
	})
	m.wakeChanged(userID, err)
	if err != nil {
		return User{}, userError("changing a user", err)
	}
	return user, nil
}

// putUser tells the session store. Where it is the user store too it knows
// already and changes nothing.
func (m *Manager) putUser(ctx context.Context, user User) error {
	var applied bool
	err := m.write(ctx, func(ctx context.Context) (err error) {
		applied, err = m.cfg.Sessions.PutUser(ctx, user)
		return err
	})
	if applied || err != nil {
		m.streams.wakeUser(UserTag(user.ID), nil)
	}
	if err != nil {
		return unavailable("telling the session store of a user", err)
	}
	return nil
}

func (m *Manager) revokeUser(ctx context.Context, userID string, keep *Ref) (int, error) {
	ctx, err := begin(ctx)
	if err != nil {
		return 0, err
	}
	n, err := m.endUser(ctx, userID, keep)
	if err != nil {
		return 0, err
	}
	m.emit(ctx, Event{Kind: EventUserRevoked, UserID: userID, Count: n})
	return n, nil
}

func (m *Manager) endUser(ctx context.Context, userID string, keep *Ref) (n int, err error) {
	err = m.write(ctx, func(ctx context.Context) error {
		n, err = m.cfg.Sessions.RevokeUser(ctx, userID, keep)
		return err
	})
	if n > 0 || err != nil {
		m.streams.wakeUser(UserTag(userID), keep)
	}
	if err != nil {
		return 0, unavailable("ending a user's sessions", err)
	}
	return n, nil
}

func (m *Manager) revoke(ctx context.Context, ref Ref) (ended bool, err error) {
	err = m.write(ctx, func(ctx context.Context) error {
		ended, err = m.cfg.Sessions.RevokeSession(ctx, ref)
		return err
	})
	if ended || err != nil { // after an error it may have ended
		m.streams.wake(ref)
	}
	return ended, err
}

// begin starts what must not stop half way: a context that is done already changes
// nothing, and one that is done later is ignored. Whoever asked for a session's end
// and then hung up still wants it.
func begin(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable("not begun", err)
	}
	return context.WithoutCancel(ctx), nil
}

// write calls a store to end or change something, with a deadline of its own in
// place of the caller's.
func (m *Manager) write(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.cfg.StoreTimeout)
	defer cancel()
	return call(ctx)
}

// userError passes on what a caller branches on and calls the rest an outage.
func userError(what string, err error) error {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrLastAdmin) {
		return err
	}
	return unavailable(what, err)
}
