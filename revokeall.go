package googlesession

import "context"

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
// if revokeAllUsers stops half way. last is "" if an application has called RevokeAll.
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
	for after, more := (*User)(nil), true; more; {
		var users []User
		if users, more, err = m.usersPage(ctx, UserQuery{After: after, Limit: maxPage}); err != nil {
			return total, err
		}
		for _, u := range users {
			after = &u
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
