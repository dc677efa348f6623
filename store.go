package googlesession

import (
	"context"
	"math"
	"time"
)

// SignInWindow is the least time for which a store remembers a [User] that
// [SessionStore.PutUser] or a refused CreateSession brought, counted from that call. The
// store remembers the User even if the user has no session left. A sign-in takes less
// than SignInWindow from reading the user to creating the session, so a user who is
// disabled in between does not get a session.
const SignInWindow = 10 * time.Minute

// TokenWindow is the least time for which a [UserStore] remembers [User.TokensAfter] of a
// user who was deleted or who never signed in, counted from the call of DeleteUser or
// RefuseTokens. No token is accepted for that long, because package googletoken allows an
// age of at most an hour and a leeway of at most five minutes.
const TokenWindow = 70 * time.Minute

// NeverTouch is the touchAfter with which [SessionStore.CheckSession] records no use,
// however short the session's idle timeout is. Every smaller value records a use at half of
// the idle timeout.
const NeverTouch time.Duration = math.MaxInt64

// A SessionStore holds the live sessions and, for each user, the newest [User] that it was
// given. One CheckSession therefore answers for the session, the user and the flags.
//
// All methods must be safe for concurrent use, by many goroutines and by many servers
// that share the data. Their errors are ErrNoSession, ErrUserDisabled, ErrExists,
// ErrStaleToken, ErrTooManySessions, or wrap ErrUnavailable. If the context is done when
// the call begins, the call changes nothing and returns an error that wraps the context's
// error. Stores never see a cookie's value, only the [Ref] made from it. Their results
// share no memory with the store.
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
//   - a User, Identity or Device whose texts are longer than documented, are not valid
//     UTF-8 or contain NUL, and an empty user ID,
//   - a Version outside its range, and a SignIn, SetAccess, RefuseTokens or DeleteUser that
//     would need the Version 2^53,
//   - a token's time that is not zero and is less than a millisecond after the beginning of
//     1970 or not before the year 10000: TokenIssuedAt, TokensAfter, [Identity.IssuedAt] and
//     the time of RefuseTokens,
//   - a NewSession with a negative limit, with a lifetime or idle timeout of less than a
//     millisecond, or with a Ref whose Tag is that of another user.
//
// In package storekit, CheckNewSession, CheckUser, CheckIdentity and CheckTokenTime refuse
// all of these arguments, and NextVersion refuses the Version 2^53. Its function TouchAfter
// returns when the next use has to be recorded.
//
// The text of an error holds no argument of the call: no user ID, no profile, no Device and
// no Ref.
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
	// millisecond in either time may be dropped. Device is left empty.
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

	// Sessions returns the user's live sessions with their Device, newest first. Without
	// sessions it returns a slice of length 0, which may be nil, and a nil error.
	Sessions(ctx context.Context, userID string) ([]Session, error)
}

// A UserStore holds the user records. Session stores only have copies of them. What
// [SessionStore] says about concurrency, contexts, errors and refused arguments holds for
// a UserStore too. The errors are ErrNotFound, ErrLastAdmin, ErrStaleToken, or wrap
// ErrUnavailable.
//
// A user ID is 1 to 255 bytes of valid UTF-8 without NUL, compared bytewise. SignIn refuses
// every other Subject. User, SetAccess, RefuseTokens and DeleteUser return ErrNotFound for
// every other ID.
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
	// keeps Admin, Disabled, TokensAfter and CreatedAt, and raises Version. CreatedAt and
	// SeenAt of a new user are the same instant. It is one atomic step, so two first sign-ins
	// at the same time create one user. A disabled user is returned unchanged with a nil
	// error, whatever the token, and the caller refuses the sign-in.
	//
	// If id.IssuedAt is not after the user's TokensAfter, it changes nothing and returns
	// ErrStaleToken. This holds for [TokenWindow] after a deletion too, so that an earlier
	// token does not bring the user back. A new user in place of a deleted one keeps that
	// TokensAfter.
	SignIn(ctx context.Context, id Identity) (User, error)

	// User returns the user, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)

	// Users returns up to limit users whose IDs follow after, in byte order of ID. An empty
	// after means the first page. A page with fewer than limit users is the last one. A
	// limit of zero or less returns a slice of length 0 and a nil error. An empty slice may
	// be nil.
	Users(ctx context.Context, after string, limit int) ([]User, error)

	// SetAccess sets the flags that are not nil, and raises Version if that changes a
	// flag. It returns ErrLastAdmin if the change would leave no enabled administrator
	// where there was one. It decides that in the transaction of the change.
	SetAccess(ctx context.Context, id string, a AccessChange) (User, error)

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
}

// A Session is a live session as a store returns it. Times are by the store's clock, in UTC
// and in whole milliseconds.
type Session struct {
	Ref       Ref
	User      User      // the newest User that the store has
	CreatedAt time.Time // when the user signed in
	SeenAt    time.Time // the last recorded use
	ExpiresAt time.Time // the end by MaxLifetime or by IdleTimeout of its NewSession, whichever is earlier
	Device    Device    // in lists only; CheckSession leaves it empty

	// TokenIssuedAt is when Google issued the token of the sign-in, by Google's clock and
	// in whole seconds. It is zero for a session that was created before the library had
	// this field.
	TokenIssuedAt time.Time

	Touched bool // this call has recorded a use; from CheckSession only
}

// A NewSession describes the session that [SessionStore.CreateSession] creates.
type NewSession struct {
	Ref         Ref           // the reference of a new cookie
	User        User          // as UserStore.SignIn returned it in this sign-in
	MaxLifetime time.Duration // more than zero, in whole milliseconds; never extended
	IdleTimeout time.Duration // more than zero, in whole milliseconds
	Device      Device

	// TokenIssuedAt is [Identity.IssuedAt] of the sign-in. The zero time is earlier than
	// every other time.
	TokenIssuedAt time.Time

	// Max is how many live sessions the user may have, including this one. Zero means the
	// store's cap, and so does a greater value than the cap. If the limit was lowered, one
	// sign-in may end several sessions.
	Max int

	// RefuseOverMax makes CreateSession return ErrTooManySessions, if the user has
	// reached the limit, instead of ending the least recently used session.
	RefuseOverMax bool

	// Replaces is the session that the same browser has, and that the caller ends next.
	// It does not count towards the limit, and is not ended to make room. Nil means that
	// the browser has no session. A Ref of another user's session, or of one that is not
	// live, is treated as nil.
	Replaces *Ref
}

// A User is one version of a user record. With every change the [UserStore] raises
// Version to max(old+1, now in Unix milliseconds), so that the version of a user who was
// deleted and created again does not fall. Session stores apply a User only if its
// Version is greater than that of the User that they have. PutUser may therefore be
// repeated, delayed and reordered.
type User struct {
	ID       string // Google's sub claim: 1 to 255 bytes of UTF-8 without NUL, compared bytewise
	Email    string // may change and may be empty, so it never identifies the user
	Name     string
	Picture  string // ID, Email, Name and Picture have at most 2 KiB together
	Admin    bool
	Disabled bool
	Version  int64 // more than 0 and less than 2^53

	// TokensAfter is the time after which Google must have issued a token if it is to sign
	// this user in. The zero time accepts every token. The UserStore only moves it forward,
	// and a session store takes it from the newest User, as it takes the flags. UTC, in whole
	// milliseconds.
	//
	// DeleteUser sets it by the store's clock and a security event by Google's, so both
	// clocks must be right. If the store's clock is behind, tokens from just before a
	// deletion still pass.
	TokensAfter time.Time

	// CreatedAt is the time of the first sign-in, and SeenAt is the time of the latest
	// sign-in. UTC, in whole milliseconds. Stores do not check them, and keep them to the
	// millisecond.
	CreatedAt time.Time
	SeenAt    time.Time
}

// An AccessChange says which flags of a user to set. A nil flag is left as it is, so that
// two administrators who change one flag each do not undo each other.
type AccessChange struct {
	Admin    *bool
	Disabled *bool
}

// A Device says where the user signed in, for the user's own list of sessions. Both fields
// may be empty.
type Device struct {
	IP        string // at most 64 bytes; an IPv6 address without a zone has at most 45
	UserAgent string // at most 512 bytes
}
