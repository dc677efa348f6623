package googlesession

import (
	"context"
	"errors"
)

var errNoUsers = errors.New("googlesession: no user store configured")

// maxPage is how many users or sessions one page of a route may have.
const maxPage = 200

// Users returns a page of the user records, as [UserStore.Users] does. To read on, set
// q.After to the last user of the page. A page with fewer than q.Limit users is the last one.
// The error wraps [ErrUnavailable], also for a query that the store refuses.
func (m *Manager) Users(ctx context.Context, q UserQuery) ([]User, error) {
	if m.users == nil {
		return nil, unavailable("listing users", errNoUsers)
	}
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	users, err := m.users.Users(ctx, q)
	if err != nil {
		return nil, unavailable("listing users", err)
	}
	return users, nil
}

// AllSessions returns a page of the live sessions of all users, with their Device and Label,
// as [SessionStore.AllSessions] does. An empty after means the first page, and an empty next
// means that there are no more pages. The limit is a hint, and a page may be empty although
// next is not. The error is [ErrNotFound] if the store refuses after, and otherwise wraps
// [ErrUnavailable].
func (m *Manager) AllSessions(ctx context.Context, after string, limit int) (page []Session, next string, err error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	page, next, err = m.cfg.Sessions.AllSessions(ctx, after, limit)
	if err != nil {
		return nil, "", userError("listing all sessions", err)
	}
	m.showBindings(page)
	return page, next, nil
}

// usersPage returns the page of q, and whether there are more pages.
func (m *Manager) usersPage(ctx context.Context, q UserQuery) (users []User, more bool, err error) {
	limit := q.Limit
	q.Limit++
	if users, err = m.Users(ctx, q); err != nil {
		return nil, false, err
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

// userError returns ErrNotFound and ErrLastAdmin as they are, because callers tell them
// apart. It makes every other error an outage.
func userError(doing string, err error) error {
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return unavailable(doing, err)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrLastAdmin):
		return err
	default:
		return unavailable(doing, err)
	}
}
