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

	// Open returns a handle on the store's data: at each call another one with
	// connections of its own, as another server would have. A store that lives in
	// this process may return the same one. Each rule opens two. What has to be
	// closed is closed by t.Cleanup. Required.
	Open func(testing.TB) googlesession.SessionStore

	// Advance moves the clock that the store goes by, forward, by whole
	// milliseconds. Between two calls the clock may stand still or run on.
	// Nil: the suite waits, with short timeouts, about 5 s in all, and leaves out
	// what takes [googlesession.SignInWindow]. Where calls take longer than a session
	// of 50 ms lives, it repeats the rule with longer timeouts, up to 20 times as long.
	// If that is not enough either, the rule fails with "could not measure", which is
	// not a verdict on the store.
	Advance func(time.Duration)

	// PerUser is the cap of sessions per user that the store was given, at least
	// 5. Zero means 100.
	PerUser int

	// Run, if not nil, runs each rule, and must do so once: to give it data of its
	// own, or a synctest bubble. (A bubble round TestSessions itself cannot be: it
	// has subtests.) For a store in memory:
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

// TestSessions runs the rules that every [googlesession.SessionStore] keeps, each
// as a subtest named after it, one after the other. A failure says the rule in
// words. The store may hold other data: each rule makes users of its own.
func TestSessions(t *testing.T, s SessionSuite) {
	t.Helper()
	testRules(t, sessionRules(), s.Run, s.env)
}

func sessionRules() []rule[*sessionEnv] {
	return slices.Concat(lifeRules(), nameRules(), refusalRules(), endRules(), versionRules(), tokenRules(), capRules(), maxRules(), raceRules(), raceTokenRules())
}

// A sessionEnv is what one rule for sessions works with.
type sessionEnv struct {
	*outcome
	clock

	a, b    googlesession.SessionStore // two handles on the same data
	perUser int
}

func (s SessionSuite) env(tb testing.TB) *sessionEnv {
	return &sessionEnv{
		outcome: &outcome{},
		clock:   newClock(s.Advance),
		a:       s.Open(tb), b: s.Open(tb),
		perUser: cmp.Or(s.PerUser, 100),
	}
}

// newUser returns a user that the store has not heard of.
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

// next returns u as its owner would write it after a change.
func next(u googlesession.User, change func(*googlesession.User)) googlesession.User {
	u.Version++
	change(&u)
	return u
}

func disabled(u *googlesession.User) { u.Disabled = true }
func enabled(u *googlesession.User)  { u.Disabled = false }
func admin(u *googlesession.User)    { u.Admin = true }

// newRef returns the Ref of a fresh token of the user's.
func newRef(userID string) googlesession.Ref {
	r := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	rand.Read(r.ID[:])
	return r
}

// longAgo is when Google issued the token of a user who has no TokensAfter. It is before
// the time of every store, also of one in a synctest bubble, which begins in 2000.
var longAgo = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

// newSession returns a sign-in of u that no rule outlives, with a token that u accepts.
func newSession(u googlesession.User) googlesession.NewSession {
	return googlesession.NewSession{
		Ref: newRef(u.ID), User: u,
		MaxLifetime: 48 * time.Hour, IdleTimeout: 24 * time.Hour,
		Device:        googlesession.Device{IP: "192.0.2.7", UserAgent: "suite/1.0"},
		TokenIssuedAt: issuedFor(u),
	}
}

// issuedFor returns the time of a token that u accepts.
func issuedFor(u googlesession.User) time.Time {
	if u.TokensAfter.IsZero() {
		return longAgo
	}
	return u.TokensAfter.Add(time.Second)
}

// signIn creates a session of u that no rule outlives.
func (e *sessionEnv) signIn(ctx context.Context, u googlesession.User) googlesession.Session {
	return e.create(ctx, newSession(u))
}

func (e *sessionEnv) create(ctx context.Context, ns googlesession.NewSession) googlesession.Session {
	if e.failed() {
		return googlesession.Session{}
	}
	s, err := e.a.CreateSession(ctx, ns)
	e.expect(err == nil, "CreateSession: got error %v, want none", err)
	e.expect(err != nil || s.Ref == ns.Ref, "CreateSession: got Ref %v, want %v", s.Ref, ns.Ref)
	return s
}

// refused expects CreateSession to fail with want, and to create nothing.
func (e *sessionEnv) refused(ctx context.Context, ns googlesession.NewSession, want error, when string) {
	if e.failed() {
		return
	}
	_, err := e.a.CreateSession(ctx, ns)
	e.expect(says(err, want), "%s: CreateSession: got %v, want %v", when, err, want)
	e.shut(ctx, e.a, ns.Ref, when)
}

// live expects the session to be admitted. It does not touch it.
func (e *sessionEnv) live(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, when string) googlesession.Session {
	return e.use(ctx, st, r, never, when)
}

// touch uses the session, and records that.
func (e *sessionEnv) touch(ctx context.Context, r googlesession.Ref) {
	e.use(ctx, e.a, r, 0, "in use")
}

func (e *sessionEnv) use(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, touchAfter time.Duration, when string) googlesession.Session {
	if e.failed() {
		return googlesession.Session{}
	}
	s, err := st.CheckSession(ctx, r, touchAfter)
	e.expect(err == nil, "%s: CheckSession: got %v, want the session admitted", when, err)
	return s
}

// dead expects ErrNoSession.
func (e *sessionEnv) dead(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, when string) {
	if e.failed() {
		return
	}
	_, err := st.CheckSession(ctx, r, never)
	e.expect(says(err, googlesession.ErrNoSession), "%s: CheckSession: got %v, want ErrNoSession", when, err)
}

// shut expects a session that is not admitted; of a disabled user, a store may
// say why.
func (e *sessionEnv) shut(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, when string) {
	if e.failed() {
		return
	}
	_, err := st.CheckSession(ctx, r, never)
	e.expect(isShut(err), "%s: CheckSession: got %v, want ErrNoSession or ErrUserDisabled", when, err)
}

func isShut(err error) bool {
	return says(err, googlesession.ErrNoSession) || says(err, googlesession.ErrUserDisabled)
}

func (e *sessionEnv) put(ctx context.Context, u googlesession.User, want bool, when string) {
	if e.failed() {
		return
	}
	applied, err := e.a.PutUser(ctx, u)
	e.expect(err == nil && applied == want, "%s: PutUser: got %v, %v, want %v, <nil>", when, applied, err, want)
}

func (e *sessionEnv) revoke(ctx context.Context, r googlesession.Ref, want bool, when string) {
	if e.failed() {
		return
	}
	ended, err := e.a.RevokeSession(ctx, r)
	e.expect(err == nil && ended == want, "%s: RevokeSession: got %v, %v, want %v, <nil>", when, ended, err, want)
}

func (e *sessionEnv) revokeUser(ctx context.Context, userID string, keep *googlesession.Ref, want int, when string) {
	if e.failed() {
		return
	}
	n, err := e.a.RevokeUser(ctx, userID, keep)
	e.expect(err == nil && n == want, "%s: RevokeUser: got %v, %v, want %v, <nil>", when, n, err, want)
}

// list expects the user's sessions to be want, in any order.
func (e *sessionEnv) list(ctx context.Context, userID string, want []googlesession.Ref, when string) []googlesession.Session {
	if e.failed() {
		return nil
	}
	sessions, err := e.a.Sessions(ctx, userID)
	e.expect(err == nil, "%s: Sessions: got error %v, want none", when, err)
	e.expect(err != nil || len(sessions) == len(want), "%s: Sessions: got %d, want %d", when, len(sessions), len(want))
	for _, s := range sessions {
		e.expect(slices.Contains(want, s.Ref), "%s: Sessions: got %v, which is not one of the live ones", when, s.Ref)
	}
	return sessions
}

// now reads the store's clock, from a sign-in of somebody else.
func (e *sessionEnv) now(ctx context.Context) time.Time {
	return e.signIn(ctx, newUser()).CreatedAt
}

func (e *sessionEnv) until(ctx context.Context, t time.Time) {
	e.moveTo(e.clock, t, func() time.Time { return e.now(ctx) })
}

// tick moves the clock on, so that a later time is another one.
func (e *sessionEnv) tick(ctx context.Context) {
	e.until(ctx, e.now(ctx).Add(time.Millisecond))
}
