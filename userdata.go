package googlesession

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"
)

// ErrInvalidData says that a text cannot be [User.Data], because it is longer than 1 KiB, is
// not valid UTF-8 or contains NUL.
var ErrInvalidData = errors.New("googlesession: user data is longer than 1 KiB, is not valid UTF-8 or contains NUL")

const (
	maxData = 1 << 10 // bytes of User.Data

	// maxDataTries is how often UpdateUserData tries. Another caller has succeeded between two
	// tries, so more tries are needed only for a user whose Data changes all the time.
	maxDataTries = 8
)

// SetUserData sets the user's [User.Data] and returns the user. The new Data is in every
// request that begins afterwards, on every server. If two callers set it at once, the later
// call wins; [Manager.UpdateUserData] loses no change. It does not end sessions, and a stream
// in [Manager.EndWithSession] goes on.
//
// The error is [ErrInvalidData], [ErrNotFound], or wraps [ErrUnavailable]. After an outage
// repeat the call, because the call completes what was left half done. If sessions and users
// are in different stores and the process dies between the two changes, the new Data is in
// force at the next sign-in or the next change of the user.
func (m *Manager) SetUserData(ctx context.Context, userID, data string) (User, error) {
	ctx, err := detach(ctx)
	if err != nil {
		return User{}, err
	}
	return m.setUserData(ctx, userID, data, nil)
}

// UpdateUserData calls change with the user's [User.Data], and sets Data to its result. If
// another caller has set Data meanwhile, it reads Data again and repeats change, so that no
// change is lost. It gives up after some attempts, with an error that wraps [ErrUnavailable].
// An error of change is returned as it is, and Data is then not set. Every other error is one
// that [Manager.SetUserData] returns.
func (m *Manager) UpdateUserData(ctx context.Context, userID string, change func(data string) (string, error)) (User, error) {
	ctx, err := detach(ctx)
	if err != nil {
		return User{}, err
	}
	if m.users == nil {
		return User{}, unavailable("changing a user's data", errNoUsers)
	}
	for range maxDataTries {
		user, err := m.readUser(ctx, userID)
		if err != nil {
			return User{}, err
		}
		data, err := change(user.Data)
		if err != nil {
			return User{}, err
		}
		user, err = m.setUserData(ctx, userID, data, &user.Data)
		if !errors.Is(err, ErrDataChanged) {
			return user, err
		}
	}
	return User{}, unavailable("changing a user's data", ErrDataChanged)
}

// setUserData sets Data in the user store, if it is *old there or old is nil, and then in the
// session store.
func (m *Manager) setUserData(ctx context.Context, userID, data string, old *string) (user User, err error) {
	if len(data) > maxData || !utf8.ValidString(data) || strings.ContainsRune(data, 0) {
		return User{}, ErrInvalidData
	}
	if m.users == nil {
		return User{}, unavailable("changing a user's data", errNoUsers)
	}
	err = m.callDetached(ctx, func(ctx context.Context) error {
		user, err = m.users.SetData(ctx, userID, data, old)
		return err
	})
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return User{}, unavailable("changing a user's data", err)
	case errors.Is(err, ErrDataChanged):
		return User{}, ErrDataChanged
	case err != nil:
		return User{}, userError("changing a user's data", err)
	}
	if err := m.putUser(ctx, user); err != nil {
		return User{}, err
	}
	m.emit(ctx, Event{Kind: EventDataChanged, UserID: user.ID})
	return user, nil
}
