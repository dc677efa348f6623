package storetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/googlesession/googlesession"
)

// SessionSuite says how [TestSessions] reaches the store under test.
type SessionSuite struct {
	_ struct{}

	// Open returns a handle on the store's data. Each rule opens two handles, one
	// after the other. A handle has connections of its own, as another server would
	// have, but a store that lives in this process may return the same handle twice.
	// Open calls tb.Cleanup to close the handle after the rule. Open is required.
	Open func(tb testing.TB) googlesession.SessionStore

	// Advance moves the store's clock forward, by whole milliseconds. Between two calls
	// of Advance the clock may stand still or run on.
	//
	// If Advance is nil, the suite uses short timeouts and waits, about 5 s in all,
	// and cannot test that the store remembers users for [googlesession.SignInWindow].
	// If a call takes longer than a session of 50 ms lives, the suite repeats the rule
	// with timeouts that are up to 20 times as long. If these are too short as well,
	// the rule fails with "could not measure", which says nothing about the store.
	Advance func(time.Duration)

	// PerUser is the store's cap of sessions per user. It must be at least
	// 5. Zero means 100.
	PerUser int

	// Run runs each rule, to give it data of its own or a synctest bubble.
	// Run must call rule exactly once. TestSessions itself cannot run inside
	// a bubble, because it has subtests. If Run is nil, TestSessions calls
	// rule itself. This is a Run for a store in memory:
	//
	//	var store *memstore.Store
	//	storetest.TestSessions(t, storetest.SessionSuite{
	//		Open:    func(testing.TB) googlesession.SessionStore { return store },
	//		Advance: time.Sleep,
	//		Run: func(t *testing.T, rule func(*testing.T)) {
	//			synctest.Test(t, func(t *testing.T) {
	//				store = memstore.New(nil)
	//				rule(t)
	//			})
	//		},
	//	})
	Run func(t *testing.T, rule func(*testing.T))
}

// TestSessions runs the rules that every [googlesession.SessionStore] must keep. Each rule is
// a subtest that has the rule's name, and a failure prints the rule in words. The subtests
// run one after the other. The store may hold other data, because each rule makes users of
// its own.
func TestSessions(t *testing.T, s SessionSuite) {
	t.Helper()
	testRules(t, sessionRules(), s.Run, s.env)
}

func sessionRules() []rule[*sessionEnv] {
	return slices.Concat(
		lifeRules(), touchRules(), markRules(), dataRules(), nameRules(), refusalRules(), endRules(), versionRules(), tokenRules(), capRules(), maxRules(),
		allRules(), raceRules(), raceTokenRules(),
	)
}

// A sessionEnv has the store under test, and the methods of which the rules
// of TestSessions are made. Each rule gets a sessionEnv of its own.
type sessionEnv struct {
	*outcome
	clock

	first, second googlesession.SessionStore // two handles on the data of one store
	perUser       int
}

func (s SessionSuite) env(tb testing.TB) *sessionEnv {
	return &sessionEnv{
		outcome: &outcome{},
		clock:   newClock(s.Advance),
		first:   s.Open(tb), second: s.Open(tb),
		perUser: cmp.Or(s.PerUser, 100),
	}
}

// newUser returns a user that the store does not know.
func newUser() googlesession.User {
	return googlesession.User{
		ID:        freshID(),
		Email:     "ada@example.com",
		Name:      "Ada Lovelace",
		Picture:   "https://example.com/ada.png",
		Version:   1000,
		CreatedAt: time.UnixMilli(1_700_000_000_123).UTC(),
		SeenAt:    time.UnixMilli(1_700_000_456_789).UTC(),
	}
}

// next returns u as changed by change, with the next Version.
func next(u googlesession.User, change func(*googlesession.User)) googlesession.User {
	u.Version++
	change(&u)
	return u
}

func disabled(u *googlesession.User) { u.Disabled = true }
func enabled(u *googlesession.User)  { u.Disabled = false }
func admin(u *googlesession.User)    { u.Admin = true }

// newRef returns the Ref of a new session of the user.
func newRef(userID string) googlesession.Ref {
	r := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	rand.Read(r.ID[:])
	return r
}

// longAgo is when Google issued the token of a user who has no TokensAfter. It is earlier
// than the clock of every store, also in a synctest bubble, whose clock begins in 2000.
var longAgo = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

// newSession returns a new session of u with a token that u accepts. The
// session lives longer than any rule takes.
func newSession(u googlesession.User) googlesession.NewSession {
	return googlesession.NewSession{
		Ref: newRef(u.ID), User: u,
		MaxLifetime: 48 * time.Hour, IdleTimeout: 24 * time.Hour,
		Device:        googlesession.Device{IP: "192.0.2.7", UserAgent: "suite/1.0"},
		TokenIssuedAt: issuedFor(u),
	}
}

// issuedFor returns the time of a token that u accepts, because the time is
// later than u.TokensAfter.
func issuedFor(u googlesession.User) time.Time {
	if u.TokensAfter.IsZero() {
		return longAgo
	}
	return u.TokensAfter.Add(time.Second)
}

// signIn creates a session of u that does not expire before the rule has ended.
func (e *sessionEnv) signIn(ctx context.Context, u googlesession.User) googlesession.Session {
	return e.create(ctx, newSession(u))
}

// create calls CreateSession, expects it to succeed, and returns the session.
func (e *sessionEnv) create(ctx context.Context, ns googlesession.NewSession) googlesession.Session {
	if e.failed() {
		return googlesession.Session{}
	}
	s, err := e.first.CreateSession(ctx, ns)
	e.expect(err == nil, "CreateSession: got error %v, want none", err)
	e.expect(err != nil || s.Ref == ns.Ref, "CreateSession: got Ref %v, want %v", s.Ref, ns.Ref)
	return s
}

// refused expects CreateSession to fail with an error that wraps want, and
// the session not to be admitted.
func (e *sessionEnv) refused(ctx context.Context, ns googlesession.NewSession, want error, when string) {
	if e.failed() {
		return
	}
	_, err := e.first.CreateSession(ctx, ns)
	e.expect(says(err, want), "%s: CreateSession: got %v, want %v", when, err, want)
	e.notAdmitted(ctx, e.first, ns.Ref, when)
}

// live expects the session to be admitted. The check records no use.
func (e *sessionEnv) live(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, when string) googlesession.Session {
	return e.use(ctx, st, r, googlesession.NeverTouch, when)
}

// touch checks the session with a touchAfter of zero, so that the store records a use.
func (e *sessionEnv) touch(ctx context.Context, r googlesession.Ref) {
	e.use(ctx, e.first, r, 0, "in use")
}

// use expects the session to be admitted. The store records the use if it is due.
func (e *sessionEnv) use(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, touchAfter time.Duration, when string) googlesession.Session {
	if e.failed() {
		return googlesession.Session{}
	}
	s, err := st.CheckSession(ctx, r, touchAfter)
	e.expect(err == nil, "%s: CheckSession: got %v, want the session admitted", when, err)
	return s
}

// noSession expects CheckSession to return ErrNoSession.
func (e *sessionEnv) noSession(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, when string) {
	if e.failed() {
		return
	}
	_, err := st.CheckSession(ctx, r, googlesession.NeverTouch)
	e.expect(says(err, googlesession.ErrNoSession), "%s: CheckSession: got %v, want ErrNoSession", when, err)
}

// notAdmitted expects CheckSession to return ErrNoSession or ErrUserDisabled.
// For the session of a disabled user, a store may return either error.
func (e *sessionEnv) notAdmitted(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, when string) {
	if e.failed() {
		return
	}
	_, err := st.CheckSession(ctx, r, googlesession.NeverTouch)
	e.expect(isNotAdmitted(err), "%s: CheckSession: got %v, want ErrNoSession or ErrUserDisabled", when, err)
}

func isNotAdmitted(err error) bool {
	return says(err, googlesession.ErrNoSession) || says(err, googlesession.ErrUserDisabled)
}

// put expects PutUser to return want and no error.
func (e *sessionEnv) put(ctx context.Context, u googlesession.User, want bool, when string) {
	if e.failed() {
		return
	}
	applied, err := e.first.PutUser(ctx, u)
	e.expect(err == nil && applied == want, "%s: PutUser: got %v, %v, want %v, <nil>", when, applied, err, want)
}

// revoke expects RevokeSession to return want and no error.
func (e *sessionEnv) revoke(ctx context.Context, r googlesession.Ref, want bool, when string) {
	if e.failed() {
		return
	}
	ended, err := e.first.RevokeSession(ctx, r)
	e.expect(err == nil && ended == want, "%s: RevokeSession: got %v, %v, want %v, <nil>", when, ended, err, want)
}

// revokeUser expects RevokeUser to return want and no error.
func (e *sessionEnv) revokeUser(ctx context.Context, userID string, keep *googlesession.Ref, want int, when string) {
	if e.failed() {
		return
	}
	n, err := e.first.RevokeUser(ctx, userID, keep)
	e.expect(err == nil && n == want, "%s: RevokeUser: got %v, %v, want %v, <nil>", when, n, err, want)
}

// list expects Sessions to return exactly the wanted sessions, in any order.
func (e *sessionEnv) list(ctx context.Context, userID string, want []googlesession.Ref, when string) []googlesession.Session {
	if e.failed() {
		return nil
	}
	sessions, err := e.first.Sessions(ctx, userID)
	e.expect(err == nil, "%s: Sessions: got error %v, want none", when, err)
	e.expect(err != nil || len(sessions) == len(want), "%s: Sessions: got %d, want %d", when, len(sessions), len(want))
	for _, s := range sessions {
		e.expect(slices.Contains(want, s.Ref), "%s: Sessions: got %v, which is not a live session", when, s.Ref)
	}
	return sessions
}

// now returns the time on the store's clock. It signs a new user in to learn the time.
func (e *sessionEnv) now(ctx context.Context) time.Time {
	return e.signIn(ctx, newUser()).CreatedAt
}

// until moves the store's clock to t or later.
func (e *sessionEnv) until(ctx context.Context, t time.Time) {
	e.moveTo(e.clock, t, func() time.Time { return e.now(ctx) })
}

// tick moves the store's clock on by a millisecond or more, so that the next
// time that the store records is a later one.
func (e *sessionEnv) tick(ctx context.Context) {
	e.until(ctx, e.now(ctx).Add(time.Millisecond))
}
