package googlesession

import (
	"errors"
	"fmt"
)

// The errors of stores. The Manager treats every other error of a store as
// [ErrUnavailable]. Compare them with [errors.Is], because a store may wrap them.
var (
	// ErrNoSession says that the session is not live, because it was never created, was
	// revoked, or has expired. It answers 401.
	ErrNoSession = errors.New("googlesession: no such session")

	// ErrSessionExpired and ErrSessionRevoked match ErrNoSession under [errors.Is]. A store
	// may return them in its place if it still knows why the session ended.
	ErrSessionExpired error = &noSessionError{"googlesession: session expired"}
	ErrSessionRevoked error = &noSessionError{"googlesession: session revoked"}

	// ErrUserDisabled says that an administrator has disabled the user. It answers 403.
	ErrUserDisabled = errors.New("googlesession: user is disabled")

	// ErrNotFound says that the [UserStore] does not have the user.
	ErrNotFound = errors.New("googlesession: no such user")

	// ErrExists says that CreateSession was given the Ref of a live session, or of an
	// ended one that the store still remembers.
	ErrExists = errors.New("googlesession: session exists already")

	// ErrStaleToken says that Google issued the token of the sign-in at or before the
	// user's [User.TokensAfter]. The browser has to ask Google for a new token. It
	// answers 401.
	ErrStaleToken = errors.New("googlesession: token was issued too early for this user")

	// ErrTooManySessions says that the user has as many live sessions as the limit allows,
	// and that [NewSession.RefuseOverMax] forbids ending one of them. It answers 403.
	ErrTooManySessions = errors.New("googlesession: too many sessions")

	// ErrLastAdmin says that the change would leave no enabled administrator. It
	// answers 409.
	ErrLastAdmin = errors.New("googlesession: no enabled administrator would be left")

	// ErrDataChanged says that [UserStore.SetData] was to replace other Data than the user has.
	ErrDataChanged = errors.New("googlesession: the user's data was changed meanwhile")

	// ErrUnavailable says that the store, or Google's key server, cannot answer now. A
	// store wraps it around every failure that no other error of this list describes. It
	// answers 503 and never 401, because an outage must not sign a user out.
	ErrUnavailable = errors.New("googlesession: unavailable")
)

// ErrUnknownKey says that a token names a key that the verifier does not have, and that
// the verifier may not ask Google for its keys again yet. It wraps [ErrUnavailable] and
// so answers 503, because the token may be good and the browser may try again. It has a log
// level and an [Event.Reason] of its own, because a stranger can invent a key ID, and that
// is not an outage.
var ErrUnknownKey = fmt.Errorf("%w: the token's key is not known yet", ErrUnavailable)

// ErrForbidden says that the user may not do what the request asks for. The condition of
// [Manager.Require] returns it, or an error that wraps it. It answers 403.
var ErrForbidden = errors.New("googlesession: forbidden")

// ErrConfiguredAdmin says that the user cannot be demoted, because [Config.Admins] lists
// the user's address and the next sign-in would undo the demotion. The user can be
// disabled. The user record does not say whether Google vouches for the address, so the
// Manager assumes that it does. It answers 409.
var ErrConfiguredAdmin = errors.New("googlesession: the configuration makes this user an administrator")

// A noSessionError matches ErrNoSession and says why the session ended.
type noSessionError struct{ text string }

func (e *noSessionError) Error() string        { return e.text }
func (e *noSessionError) Is(target error) bool { return target == ErrNoSession }
