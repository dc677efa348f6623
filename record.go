package googlesession

import "time"

// A Session is a live session as a store returns it. Times are by the store's clock, in UTC
// and in whole milliseconds.
type Session struct {
	Ref       Ref
	User      User      // the newest User that the store has
	CreatedAt time.Time // when the user signed in
	SeenAt    time.Time // the last recorded use
	ExpiresAt time.Time // the end by MaxLifetime or by IdleTimeout of its NewSession, whichever is earlier
	Device    Device    // in lists only; CheckSession leaves it empty
	Label     string    // in lists only; a name for the session, from Grant.Label or from the program that signed in
	Kind      SessionKind

	// PublicID names the session for as long as its user stays signed in. Unlike Ref, it
	// stays the same when the user re-authenticates.
	PublicID PublicID

	// Binding ties the session to a key that its browser holds. It belongs to the Manager, and
	// a [BindingStore] keeps its bytes as they are. "" means that the session is not bound. A
	// new session is not bound. At most [MaxBinding] bytes, which need not be UTF-8.
	Binding string

	// TokenIssuedAt is when Google issued the token of the sign-in, by Google's clock and
	// in whole seconds. It is zero for a session that was created before the library had
	// this field. For a session of [KindIssued] it is the time of [Manager.Issue].
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
	Label       string // at most 100 bytes
	Kind        SessionKind

	// PublicID is the PublicID of the Session. The zero PublicID means Ref.PublicID(), which a
	// store need not keep.
	PublicID PublicID

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

// A SessionKind says how a session began and how its client presents it. A store keeps the
// whole byte.
type SessionKind uint8

// The kinds of sessions. Later versions may add kinds.
const (
	KindCookie SessionKind = iota // a browser signed in, and presents a cookie
	KindBearer                    // a program signed in, and presents a bearer token
	KindIssued                    // Manager.Issue made the bearer token, without a sign-in
)

// String returns "cookie", "bearer" or "issued", and "unknown" for a kind of a later version of
// the library.
func (k SessionKind) String() string {
	switch k {
	case KindCookie:
		return "cookie"
	case KindBearer:
		return "bearer"
	case KindIssued:
		return "issued"
	default:
		return "unknown"
	}
}

// A UserQuery says which users [UserStore.Users] returns. Only Limit is required. A store
// refuses a query with both prefixes.
type UserQuery struct {
	// After is the last user of the page before. Nil means the first page. The store reads
	// only ID, and Email or Name if EmailPrefix or NamePrefix is set. The user may have been
	// changed or deleted since. Whatever After is, the page has only users whom the query
	// selects.
	After *User

	Limit int // how many users the page has at most

	// EmailPrefix and NamePrefix select the users whose Email or Name begins with this text.
	// ASCII letters are compared without case. At most 100 bytes of UTF-8. "" selects every
	// user. Without a prefix, users are in byte order of ID. With a prefix, the order is the
	// store's choice.
	EmailPrefix string
	NamePrefix  string

	Admin    *bool // selects the users whose flag has this value; nil selects every user
	Disabled *bool // likewise
}

// A BrowserID is the hash of a browser's device cookie and of the user ID.
type BrowserID [16]byte

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

	// Data belongs to the application, which may keep its own account ID, roles or a plan in
	// it. [Manager.SetUserData] sets it. The library does not read it, and sends it to a browser
	// only in the export of the user's own account. At most 1 KiB of UTF-8 without NUL.
	Data string

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
