package googlesession

import (
	"context"
	"math"
	"time"
)

// SignInWindow is the least time for which a store remembers a [User] that
// [SessionStore.PutUser] or a refused CreateSession brought, counted from that call. The
// store remembers the User even if the user has no session left. A sign-in takes less
// than SignInWindow from reading the user to creating the session, because the Manager refuses
// one that takes longer. So a user who is disabled in between does not get a session.
const SignInWindow = 10 * time.Minute

// TokenWindow is the least time for which a [UserStore] remembers [User.TokensAfter] of a
// user who was deleted or who never signed in, counted from the call of DeleteUser or
// RefuseTokens. No token is accepted for that long, because package googletoken allows an
// age of at most an hour and a leeway of at most five minutes.
const TokenWindow = 70 * time.Minute

// MaxBrowsers is how many browsers of a user [UserStore.Browsers] remembers.
const MaxBrowsers = 10

// MaxBinding is how many bytes [Session.Binding] may have.
const MaxBinding = 64

// NeverTouch is the touchAfter with which [SessionStore.CheckSession] records no use,
// however short the session's idle timeout is. Every smaller value records a use at half of
// the idle timeout.
const NeverTouch time.Duration = math.MaxInt64

// A SessionStore holds the live sessions and, for each user, the newest [User] that it was
// given. One CheckSession therefore answers for the session, the user and the flags.
//
// All methods must be safe for concurrent use, by many goroutines and by many servers
// that share the data. Their errors are ErrNoSession, ErrUserDisabled, ErrExists,
// ErrStaleToken, ErrTooManySessions, from AllSessions ErrNotFound, or wrap ErrUnavailable. If
// the context is done when the call begins, the call changes nothing and returns an error
// that wraps the context's error. Stores never see a cookie's value, only the [Ref] made from
// it. Their results share no memory with the store.
//
// A Ref whose Tag is not [UserTag] of the session's user names no session. Every store
// answers it with ErrNoSession or false.
//
// A session is live only if its token was issued after its user's [User.TokensAfter].
// Applying a User with a later TokensAfter therefore ends the sessions of earlier tokens in
// the same atomic step.
//
// A store refuses what it could not keep exactly. It then changes nothing and returns an
// error that wraps ErrUnavailable. This holds for:
//   - a User, Identity, Device, Label or UserQuery whose texts are longer than documented, are
//     not valid UTF-8 or contain NUL, data for SetData of which that is true, an empty user ID,
//     and a UserQuery with both prefixes,
//   - a Version outside its range, and a SignIn, SetAccess, SetData, RefuseTokens or
//     DeleteUser that would need the Version 2^53,
//   - a token's time that is not zero and is less than a millisecond after the beginning of
//     1970 or not before the year 10000: TokenIssuedAt, TokensAfter, [Identity.IssuedAt] and
//     the time of RefuseTokens,
//   - a NewSession with a negative limit, with a lifetime or idle timeout of less than a
//     millisecond, or with a Ref whose Tag is that of another user.
//
// In package storekit, CheckNewSession, CheckUser, CheckIdentity, CheckData, CheckUserQuery
// and CheckTokenTime refuse all of these arguments, and NextVersion refuses the Version 2^53.
// Its function TouchAfter returns when the next use has to be recorded.
//
// The text of an error holds no argument of the call: no user ID, no profile, no data, no
// Device, no label and no Ref.
//
// Package storetest has the suite that every store must pass, and package storekit the
// checks of the arguments.
type SessionStore interface {
	// CreateSession makes the session live, or returns an error. It is one atomic step
	// with respect to every other method for the same user, so that concurrent sign-ins
	// do not exceed the limit. In this order, it
	//
	//   - returns an error that wraps ErrUnavailable if s is invalid, and ErrExists if
	//     s.Ref names a live session;
	//   - applies s.User as PutUser does, and keeps it even if an error follows;
	//   - returns ErrUserDisabled if the newest User is disabled;
	//   - returns ErrStaleToken if s.TokenIssuedAt is not after the newest TokensAfter;
	//   - makes room if the user has reached the limit, which is s.Max or the store's cap,
	//     whichever is less. Expired sessions do not count. It ends the least recently used
	//     live ones, or returns ErrTooManySessions if s.RefuseOverMax is set. The session in
	//     s.Replaces does not count towards the limit and is not ended to make room.
	//
	// An implementation sends the call to its server at most once, so it is never applied
	// twice for one Ref. A store that remembers ended sessions returns ErrExists for their
	// Refs too; a store that does not creates a new session. Callers rely on neither, because
	// each Ref is new, and after an error the caller discards it.
	CreateSession(ctx context.Context, s NewSession) (Session, error)

	// CheckSession returns the session if it is live: present, before both of its deadlines
	// by the store's clock, and of a user who is not disabled. Otherwise it returns
	// ErrNoSession. While the user is disabled or deleted, it may return ErrUserDisabled
	// instead. The check is linearizable, so it reports the state at an instant between the
	// call and the return. The answer never comes from a replica, from a cache, or from a
	// read that began before the call.
	//
	// If the last recorded use is touchAfter or more ago, it records this use and sets
	// Touched. It also does so if that use is half of the session's idle timeout or more ago,
	// because a session that is used again and again must not expire before touchAfter has
	// passed. With [NeverTouch] it records nothing. It records in the same atomic step, or in
	// a later step that cannot bring an ended session back. If recording fails, the check
	// succeeds all the same. A touchAfter of zero or less records every use, except that a
	// store may skip a use within a millisecond of the last recorded use. A fraction of a
	// millisecond in either time may be dropped. Device and Label are left empty.
	CheckSession(ctx context.Context, r Ref, touchAfter time.Duration) (Session, error)

	// RevokeSession ends a session whose creation was acknowledged. Once it has returned
	// nil, no CheckSession of r that begins later, on any server of this store, returns
	// the session. Revoking an unknown or ended session is not an error. A call that
	// finds the session already ended returns nil only if that end is as durable as its
	// own would be. True means that this call has ended the session; for an expired
	// session the result may be true or false. After an error the outcome is unknown, and
	// the caller repeats the call.
	//
	// If a CreateSession returned an error, its cookie was never handed out. That
	// CreateSession may still take effect after RevokeSession has returned.
	RevokeSession(ctx context.Context, r Ref) (bool, error)

	// RevokeUser ends the user's sessions except *keep and returns how many were live. If
	// *keep has ended, it stays ended. If *keep is a session of another user, all
	// sessions of this user end, and *keep is not changed. For an unknown user it returns
	// 0 and nil.
	RevokeUser(ctx context.Context, userID string, keep *Ref) (int, error)

	// PutUser applies u if its Version is greater than that of the User that the store has.
	// If it is not, it returns false and nil. A disabled User ends all sessions of the user;
	// enabling the user does not bring them back. A User with a later TokensAfter ends the
	// sessions whose token was issued at or before it. The store remembers the User for at
	// least [SignInWindow] even if the user has no session, because a sign-in may be about to
	// create one.
	//
	// If the store is a [UserStore] too and has the user, a newer User replaces the user's
	// record. PutUser does not create users, so User and Users do not find a user that only
	// PutUser brought, or that PutUser brought after DeleteUser. Such a user does not count as
	// an administrator. The first SignIn of such a user takes over the later of PutUser's
	// TokensAfter and the one that DeleteUser or RefuseTokens left, and nothing else.
	PutUser(ctx context.Context, u User) (applied bool, err error)

	// Sessions returns the user's live sessions with their Device and Label, newest first.
	// Without sessions it returns a slice of length 0, which may be nil, and a nil error.
	Sessions(ctx context.Context, userID string) ([]Session, error)

	// AllSessions returns a page of the live sessions of all users, with their Device and
	// Label, in an order that the store chooses. An empty after means the first page. For each
	// further page, after is the next that the call before returned. An empty next means that
	// there are no more pages. The text of next is the store's own, has at most 512 bytes of
	// printable ASCII, and holds no secret.
	//
	// The limit is a hint. A page may have more or fewer sessions, and may be empty although
	// next is not. A session that is live from the first call to the last is in at least one
	// page. What a page costs does not depend on how many sessions the store has.
	//
	// An after that the store did not return is an error that wraps ErrNotFound, or means a
	// place in the order. A limit of zero or less returns no session and an empty next.
	AllSessions(ctx context.Context, after string, limit int) (page []Session, next string, err error)
}

// A BindingStore is a [SessionStore] that can bind a session to its browser. [New] refuses
// [Config.DeviceBinding] with every other store. What SessionStore says about concurrency,
// contexts and errors holds for SwapBinding too.
type BindingStore interface {
	SessionStore

	// SwapBinding replaces the session's Binding by next if it is old. It reports whether the
	// Binding is next at the end, so a call that is repeated reports true again. It returns
	// ErrNoSession or ErrUserDisabled as CheckSession does, and then changes nothing.
	//
	// It compares and sets in one atomic step with respect to every other method for the same
	// user. It never creates a session and never brings an ended one back. It records no use
	// and moves no deadline. Once it has returned true, every CheckSession, Sessions and
	// AllSessions that begins later returns next, on every server, until another SwapBinding
	// changes it. A write that a server loses in a failover leaves an earlier Binding.
	//
	// If old or next is longer than [MaxBinding], SwapBinding changes nothing and returns an
	// error that wraps ErrUnavailable. After an error the outcome is unknown, and the caller
	// may repeat the call. The text of an error holds neither old nor next.
	SwapBinding(ctx context.Context, r Ref, old, next string) (bool, error)
}

// A UserStore holds the user records. Session stores only have copies of them. What
// [SessionStore] says about concurrency, contexts, errors and refused arguments holds for
// a UserStore too. The errors are ErrNotFound, ErrLastAdmin, ErrStaleToken, ErrDataChanged, or
// wrap ErrUnavailable.
//
// A user ID is 1 to 255 bytes of valid UTF-8 without NUL, compared bytewise. SignIn refuses
// every other Subject. User, SetAccess, SetData, RefuseTokens, DeleteUser and Browsers return
// ErrNotFound for every other ID.
//
// A UserStore keeps a user with all fields until DeleteUser, even if the user has no
// session and never signs in again.
//
// If a store implements both interfaces over the same data, SetAccess and DeleteUser end
// the user's sessions in the same transaction in which they disable or delete the user.
// RefuseTokens ends the sessions of earlier tokens in the transaction in which it changes
// the user.
type UserStore interface {
	// SignIn creates the user with the ID id.Subject, or updates the profile and SeenAt. It
	// keeps Admin, Disabled, Data, TokensAfter and CreatedAt, and raises Version. CreatedAt and
	// SeenAt of a new user are the same instant. In each later sign-in SeenAt is after CreatedAt,
	// even if the clock shows the same millisecond, so the Manager can tell a new user. It is one
	// atomic step, so two first sign-ins at the same time create one user. A disabled user is
	// returned unchanged with a nil error, whatever the token, and the caller refuses the sign-in.
	//
	// If id.IssuedAt is not after the user's TokensAfter, it changes nothing and returns
	// ErrStaleToken. This holds for [TokenWindow] after a deletion too, so that an earlier
	// token does not bring the user back. A new user in place of a deleted one keeps that
	// TokensAfter.
	SignIn(ctx context.Context, id Identity) (User, error)

	// User returns the user, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)

	// Users returns the first q.Limit of the users who match q and follow q.After. A page with
	// fewer than q.Limit users is the last one. A Limit of zero or less returns a slice of
	// length 0 and a nil error. An empty slice may be nil. What a page costs does not depend on
	// how many users the store has.
	Users(ctx context.Context, q UserQuery) ([]User, error)

	// SetAccess sets the flags that are not nil, and raises Version if that changes a
	// flag. It returns ErrLastAdmin if the change would leave no enabled administrator
	// where there was one. It decides that in the transaction of the change.
	SetAccess(ctx context.Context, id string, a AccessChange) (User, error)

	// SetData sets the user's Data, and raises Version if that changes Data. If old is not
	// nil, it returns ErrDataChanged unless the user's Data is *old. It compares and sets in
	// one atomic step. It works for a disabled user too.
	SetData(ctx context.Context, id, data string, old *string) (User, error)

	// RefuseTokens raises the user's TokensAfter to t, rounded up to whole milliseconds,
	// and raises Version if that changes TokensAfter. An earlier t changes nothing. It
	// works for a disabled user too. If the user does not exist, it remembers t for
	// [TokenWindow], so that no earlier token creates the user, and returns ErrNotFound.
	RefuseTokens(ctx context.Context, id string, t time.Time) (User, error)

	// DeleteUser removes the user, or returns ErrNotFound or ErrLastAdmin. It remembers the
	// current time of the store's clock as TokensAfter of this ID for [TokenWindow]. A later
	// SignIn of the same subject with a newer token creates a new user with a greater
	// Version.
	//
	// In a store that is a [SessionStore] too, DeleteUser leaves a disabled record with
	// the next Version for TokenWindow. So CreateSession of a sign-in that read the user
	// before the deletion returns ErrUserDisabled.
	DeleteUser(ctx context.Context, id string) error

	// Browsers returns the browsers from which the user has signed in, the most recent first,
	// as they were before the call. If seen is not nil, it makes *seen the most recent one, and
	// forgets the least recent ones until [MaxBrowsers] are left. That is one atomic step. It
	// does not change the User and its Version. DeleteUser forgets the browsers.
	Browsers(ctx context.Context, id string, seen *BrowserID) ([]BrowserID, error)
}
