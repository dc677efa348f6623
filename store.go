package googlesession

import (
	"context"
	"errors"
	"time"
)

// The errors that stores return, and the only ones that the Manager tells
// apart. Compare with [errors.Is]; a store may wrap them.
var (
	// ErrNoSession: the session is absent, ended or expired. It answers 401.
	ErrNoSession = errors.New("googlesession: no such session")

	// ErrSessionExpired and ErrSessionRevoked are ErrNoSession said more
	// precisely, by stores that still know. No store has to.
	ErrSessionExpired error = &noSessionError{"googlesession: session expired"}
	ErrSessionRevoked error = &noSessionError{"googlesession: session revoked"}

	// ErrUserDisabled: the user may not sign in, or may not go on. It answers 403.
	ErrUserDisabled = errors.New("googlesession: user is disabled")

	// ErrNotFound: the [UserStore] has no such user.
	ErrNotFound = errors.New("googlesession: no such user")

	// ErrExists means that CreateSession was given the Ref of a live session, or of
	// an ended one that the store still remembers.
	ErrExists = errors.New("googlesession: session exists already")

	// ErrStaleToken means that the sign-in's Google token was issued at or before the
	// user's [User.TokensAfter]. The browser has to ask Google for a new token. It
	// answers 401.
	ErrStaleToken = errors.New("googlesession: token was issued too early for this user")

	// ErrTooManySessions: the user has as many live sessions as may be, and
	// [NewSession.RefuseOverMax] says not to end one. It answers 403.
	ErrTooManySessions = errors.New("googlesession: too many sessions")

	// ErrLastAdmin: the change would leave no enabled administrator.
	ErrLastAdmin = errors.New("googlesession: last administrator")

	// ErrUnavailable: the store, or Google's keys, cannot answer now. Whatever
	// else goes wrong inside a store wraps it. It answers 503, never 401.
	ErrUnavailable = errors.New("googlesession: unavailable")
)

// noSessionError is an ErrNoSession with a reason.
type noSessionError struct{ text string }

func (e *noSessionError) Error() string        { return e.text }
func (e *noSessionError) Is(target error) bool { return target == ErrNoSession }

// SignInWindow is how long a store remembers a User that [SessionStore.PutUser] or
// a refused sign-in brought, even if no session is left. A sign-in that has read the
// user takes less than this to create its session, so a disable always beats it.
const SignInWindow = 10 * time.Minute

// TokenWindow is how long a [UserStore] remembers [User.TokensAfter] of a user who
// was deleted, or who never signed in. No verifier accepts a token for this long:
// package googletoken allows an age of an hour and a leeway of five minutes at most.
const TokenWindow = 70 * time.Minute

// A SessionStore holds live sessions and, per user, the newest [User] that it
// was told, so that one CheckSession answers session, user, disabled and admin.
//
// All methods may be called from many goroutines and from many servers that
// share the data. Errors are ErrNoSession, ErrUserDisabled, ErrExists, ErrStaleToken,
// ErrTooManySessions, or wrap ErrUnavailable. A context that is done when the call
// begins changes nothing and its error is recognisable with [errors.Is]. Stores never
// see a cookie's value, only the [Ref] made from it. What they return shares no memory
// with them.
//
// A Ref whose Tag is not [UserTag] of the session's user names nothing: it is
// ErrNoSession, and false, in every store.
//
// A session lives only if its token was issued after its user's [User.TokensAfter].
// Applying a User with a later TokensAfter therefore ends the sessions of earlier
// tokens in the same atomic step.
//
// A store refuses what it could not keep exactly, with an error that wraps
// ErrUnavailable, and changes nothing: a User or Device whose texts are longer than
// documented, are not valid UTF-8 or contain NUL; a Version outside its range; a
// TokenIssuedAt or TokensAfter that is not zero and does not lie after the beginning of
// 1970 and before the year 10000; a negative limit in a NewSession. A store whose own
// next Version would be 2^53 refuses the call in the same way.
//
// The text of an error holds no argument of the call: no user ID, no profile, no Device
// and no Ref.
//
// Package storetest has the suite that every store must pass.
type SessionStore interface {
	// CreateSession makes the session live, or fails. It is atomic with PutUser
	// and RevokeUser of that user.
	//
	// It applies s.User if that is newer than what the store holds; a disabled one
	// then ends the user's sessions, as in PutUser. If the newest is disabled, it
	// creates nothing: ErrUserDisabled. It keeps the limit of sessions per user,
	// s.Max or the store's cap, whichever is less: expired ones go first, then the
	// least recently seen, until there is room; with s.RefuseOverMax no live one
	// goes, and nothing is created: ErrTooManySessions (s.User was applied, as with
	// ErrUserDisabled). *s.Replaces neither counts nor goes. All of this is one
	// atomic step, so that sign-ins at once do not exceed the limit. A Ref in use,
	// or not of this user, or a negative s.Max changes nothing: ErrExists, or an
	// error that wraps ErrUnavailable.
	//
	// If s.TokenIssuedAt is not after the newest User's TokensAfter, it creates
	// nothing and returns ErrStaleToken; s.User was applied. A disabled user is
	// ErrUserDisabled first, and a stale token comes before the limit.
	//
	// It is never applied twice for one Ref, because an implementation sends it at
	// most once. The Ref of an ended session is ErrExists for as long as the store
	// remembers that session; a store that forgets ended sessions at once creates a
	// new one. Callers do not rely on either: each Ref is fresh, and after an error
	// the caller throws it away.
	CreateSession(ctx context.Context, s NewSession) (Session, error)

	// CheckSession is linearizable: it reports the state at some instant between
	// call and return. A nil error admits: the session is present, before both of
	// its deadlines on the store's clock, and its user is not disabled.
	//
	// If the last recorded use is touchAfter or more ago, it records this one, in
	// the same atomic step or in one that cannot make an absent session present,
	// and sets Touched. A failed touch does not fail the check. It leaves Device
	// empty.
	//
	// It is never answered from a replica, from a cache, or from a read that began
	// before the call.
	CheckSession(ctx context.Context, r Ref, touchAfter time.Duration) (Session, error)

	// RevokeSession ends a session whose creation was acknowledged. Once it has
	// returned nil, no CheckSession of r that starts later, on any server of this
	// store, admits r. It is idempotent, and a call that finds nothing to change
	// returns nil only once the change that it found is as durable as its own would
	// be. True means that this call ended it (either value if it had expired). After
	// an error the outcome is unknown: repeat it.
	//
	// The cookie of a CreateSession that returned an error was never handed out. Such
	// a call may still be on its way and take effect after RevokeSession has returned.
	RevokeSession(ctx context.Context, r Ref) (bool, error)

	// RevokeUser ends the user's sessions, all but *keep, and returns how many
	// were live. Keep never revives, and keeps a session of this user only. An
	// unknown user has none: 0, nil.
	RevokeUser(ctx context.Context, userID string, keep *Ref) (int, error)

	// PutUser applies u if its Version is greater than the one the store holds;
	// applied = false with a nil error: the store knew this one or a newer one. A
	// disabled User ends all sessions of the user for good: enabling does not
	// bring them back. A User with a later TokensAfter ends the sessions whose token
	// was issued at or before it. A User is remembered for at least [SignInWindow] even
	// if the user has no session, which closes the race with a sign-in in flight.
	//
	// In a store that is a [UserStore] too, a newer User replaces the record of a user
	// whom the store has. PutUser makes no user: User and Users do not find a user whom
	// PutUser alone brought, or whom PutUser brought back after DeleteUser, and the first
	// SignIn of such a user takes over nothing from PutUser but TokensAfter.
	PutUser(ctx context.Context, u User) (applied bool, err error)

	// Sessions returns the user's live sessions with their Device, newest first;
	// none is an empty slice and nil.
	Sessions(ctx context.Context, userID string) ([]Session, error)
}

// A UserStore is the truth about users. The concurrency, context and error
// rules of [SessionStore] hold here too, and so does what a store refuses; the
// errors are ErrNotFound, ErrLastAdmin, ErrStaleToken, or wrap ErrUnavailable.
//
// A user ID is 1 to 255 bytes of valid UTF-8 without NUL, compared bytewise. SignIn
// refuses every other Subject. User, SetAccess, RefuseTokens and DeleteUser return
// ErrNotFound for it.
//
// A store that implements both interfaces over the same data ends the user's
// sessions in the same transaction in which SetAccess disables or DeleteUser
// deletes the user, and the sessions of earlier tokens in that of RefuseTokens.
type UserStore interface {
	// SignIn inserts the user under id.Subject, or refreshes profile and SeenAt;
	// it keeps Admin, Disabled, TokensAfter and CreatedAt, and raises Version. CreatedAt
	// and SeenAt of a new user are the same instant. It is one atomic step: two first
	// sign-ins at once leave one user. A disabled user is returned unchanged with a nil
	// error, whatever the token; the caller refuses.
	//
	// If id.IssuedAt is not after the user's TokensAfter, SignIn changes nothing and
	// returns ErrStaleToken. This holds for a deleted user too, for [TokenWindow], so
	// that no token from before the deletion brings the user back. A new user who
	// takes the place of a deleted one keeps that TokensAfter.
	SignIn(ctx context.Context, id Identity) (User, error)

	// User returns one user, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)

	// Users returns up to limit users in byte order of ID, those after the ID
	// given; "" begins. Fewer than limit: there are no more. A limit of zero or less
	// returns an empty slice and nil.
	Users(ctx context.Context, after string, limit int) ([]User, error)

	// SetAccess sets the flags that are not nil and raises Version if that changes
	// one. ErrLastAdmin if no enabled administrator would be left where there was
	// one, decided in the same transaction.
	SetAccess(ctx context.Context, id string, a AccessChange) (User, error)

	// RefuseTokens raises the user's TokensAfter to t, in whole milliseconds rounded
	// up, and raises Version if that changes it; an earlier t leaves the user as it
	// is. It does so for a disabled user too. If there is no such user, it remembers
	// t for [TokenWindow], so that no earlier token creates the user, and returns
	// ErrNotFound.
	RefuseTokens(ctx context.Context, id string, t time.Time) (User, error)

	// DeleteUser removes the user, or reports ErrNotFound or ErrLastAdmin. It
	// remembers the time on the store's clock as TokensAfter of the user's ID for
	// [TokenWindow]. A later SignIn of the same subject with a newer token starts a
	// new user with a greater Version.
	DeleteUser(ctx context.Context, id string) error
}

// A Session is a live session as the store sees it.
type Session struct {
	Ref       Ref
	User      User      // the newest the store knows
	CreatedAt time.Time // of the sign-in; times are the store's clock, UTC, whole milliseconds
	SeenAt    time.Time // last recorded use
	ExpiresAt time.Time // nearer of CreatedAt+MaxLifetime and SeenAt+IdleTimeout
	Device    Device    // from lists only; CheckSession leaves it empty

	// TokenIssuedAt is when Google issued the token of the sign-in, by Google's clock
	// and in whole seconds. It is zero for a session from before this was recorded.
	TokenIssuedAt time.Time

	Touched bool // from CheckSession only: it recorded this use
}

// NewSession is what [SessionStore.CreateSession] makes a session of.
type NewSession struct {
	Ref         Ref           // of a fresh token
	User        User          // as [UserStore.SignIn] returned it in this very sign-in
	MaxLifetime time.Duration // > 0, whole milliseconds; never extended
	IdleTimeout time.Duration // > 0, whole milliseconds
	Device      Device

	// TokenIssuedAt is [Identity.IssuedAt] of the sign-in. The zero time counts as
	// earlier than any other.
	TokenIssuedAt time.Time

	// Max is how many live sessions the user may have, this one included. Zero, or
	// more than the store's cap, means the cap. If it was lowered, one sign-in may
	// end several.
	Max int

	// RefuseOverMax refuses this session where it would be one too many, of Max or of
	// the cap, instead of ending the least recently seen one.
	RefuseOverMax bool

	// Replaces is the session that the same browser holds and the caller ends next.
	// It does not count, and is not ended to make room. Nil: none; one of another
	// user, or that does not live, is as good as nil.
	Replaces *Ref
}

// A User is one version of a user's record. Whoever owns the truth (the
// [UserStore]) raises Version with every change: max(old+1, now in Unix
// milliseconds), so that a deleted and re-created user never goes back. Stores
// apply a User only if its Version is greater than the one they hold, which makes
// it safe to repeat, to delay and to reorder.
type User struct {
	ID       string // Google's sub claim: 1 to 255 bytes of UTF-8 without NUL, compared bytewise
	Email    string // an attribute, never an identity; may be ""
	Name     string
	Picture  string // ID, Email, Name and Picture: at most 2 KiB in all
	Admin    bool
	Disabled bool
	Version  int64 // 0 < Version < 2^53

	// TokensAfter is the time after which Google must have issued a token for it to
	// sign this user in. The zero time accepts every token. The UserStore only moves it
	// forward, and a session store takes it from the newest User as it takes the flags.
	// UTC, whole milliseconds. DeleteUser sets it by the store's clock and Google's
	// security events by Google's, so both clocks must be right: where the store's is
	// behind, tokens from just before a deletion still pass.
	TokensAfter time.Time

	CreatedAt time.Time // first sign-in; UTC, whole milliseconds
	SeenAt    time.Time // latest sign-in
}

// AccessChange says which flags of a user to set; nil leaves a flag as it is, so that
// two administrators who change one flag each do not undo each other.
type AccessChange struct {
	Admin    *bool
	Disabled *bool
}

// A Device says where a session was opened, for the user's own list. Both
// fields may be empty.
type Device struct {
	IP        string // at most 64 bytes, of which an IPv6 address without a zone takes 45
	UserAgent string // at most 512 bytes
}
