package storetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/googlesession/googlesession"
)

// UserSuite says how [TestUsers] reaches the store under test.
type UserSuite struct {
	_ struct{}

	// Open returns a handle on the store's data, as [SessionSuite.Open] does. Required.
	Open func(testing.TB) googlesession.UserStore

	// AlsoSessionStore says that what Open returns is a [googlesession.SessionStore] too,
	// on the same data: then the rules for stores that are both hold as well. It
	// is an error to leave it out, so that no wrapper hides them by accident.
	AlsoSessionStore bool

	// Advance moves the store's clock, as [SessionSuite.Advance] does. Nil: the suite
	// waits, about 1 s in all, and leaves out what takes [googlesession.TokenWindow].
	Advance func(time.Duration)

	// Run, if not nil, runs each rule, as [SessionSuite.Run] does.
	Run func(t *testing.T, rule func(*testing.T))
}

// TestUsers runs the rules that every [googlesession.UserStore] keeps, each as a
// subtest named after it, one after the other. A failure says the rule in words.
//
// The data must be the suite's alone, best empty at first: it demotes every
// administrator that it finds.
func TestUsers(t *testing.T, u UserSuite) {
	t.Helper()
	testRules(t, u.rules(), u.Run, u.env)
}

func (u UserSuite) rules() []rule[*userEnv] {
	rules := slices.Concat(signInRules(), accessRules(), adminRules(), directoryRules(), tokensAfterRules(), userRefusalRules())
	if u.AlsoSessionStore {
		rules = slices.Concat(rules, bothRules(), bothTokenRules())
	}
	return rules
}

// A userEnv is what one rule for users works with.
type userEnv struct {
	*outcome
	clock

	a, b     googlesession.UserStore // two handles on the same data
	sessions *sessionEnv             // on the same data, for bothRules
}

func (u UserSuite) env(tb testing.TB) *userEnv {
	tb.Helper()
	e := &userEnv{outcome: &outcome{}, clock: newClock(u.Advance), a: u.Open(tb), b: u.Open(tb)}
	sessions, ok := e.a.(googlesession.SessionStore)
	if ok != u.AlsoSessionStore {
		tb.Fatalf("storetest: UserSuite.AlsoSessionStore is %v, but for the store it is %v", u.AlsoSessionStore, ok)
	}
	if ok {
		b, _ := e.b.(googlesession.SessionStore)
		e.sessions = &sessionEnv{outcome: e.outcome, clock: e.clock, a: sessions, b: b}
	}
	return e
}

// newIdentity returns somebody who has never signed in.
func newIdentity() googlesession.Identity {
	return identity(freshID())
}

func identity(subject string) googlesession.Identity {
	return googlesession.Identity{
		Subject:       subject,
		Email:         fmt.Sprintf("%x@example.com", googlesession.UserTag(subject)),
		EmailVerified: true,
		Name:          "Ada Lovelace",
		Picture:       "https://example.com/ada.png",
		IssuedAt:      longAgo,
	}
}

// newToken returns the identity of a token that Google has issued since, by the
// store's clock, which it moves on.
func (e *userEnv) newToken(ctx context.Context, subject string) googlesession.Identity {
	e.tick(ctx)
	id := identity(subject)
	id.IssuedAt = e.now(ctx)
	return id
}

func (e *userEnv) signIn(ctx context.Context, id googlesession.Identity) googlesession.User {
	if e.failed() {
		return googlesession.User{}
	}
	u, err := e.a.SignIn(ctx, id)
	e.expect(err == nil, "SignIn: got error %v, want none", err)
	return u
}

func (e *userEnv) setAccess(ctx context.Context, id string, access googlesession.AccessChange) googlesession.User {
	if e.failed() {
		return googlesession.User{}
	}
	u, err := e.a.SetAccess(ctx, id, access)
	e.expect(err == nil, "SetAccess(%s): got error %v, want none", show(access), err)
	return u
}

func (e *userEnv) deleteUser(ctx context.Context, id string) {
	if e.failed() {
		return
	}
	err := e.a.DeleteUser(ctx, id)
	e.expect(err == nil, "DeleteUser: got %v, want <nil>", err)
}

// is expects the store to hold exactly this record.
func (e *userEnv) is(ctx context.Context, want googlesession.User, when string) {
	if e.failed() {
		return
	}
	got, err := e.a.User(ctx, want.ID)
	e.expect(err == nil && got == want, "%s: User: got %+v, %v, want %+v", when, got, err, want)
}

// absent expects the store to have no such user.
func (e *userEnv) absent(ctx context.Context, id, when string) {
	if e.failed() {
		return
	}
	_, err := e.a.User(ctx, id)
	e.expect(says(err, googlesession.ErrNotFound), "%s: User: got %v, want ErrNotFound", when, err)
}

// now reads the store's clock, from a sign-in of somebody else.
func (e *userEnv) now(ctx context.Context) time.Time {
	return e.signIn(ctx, newIdentity()).SeenAt
}

// tick moves the clock on, so that a later time is another one.
func (e *userEnv) tick(ctx context.Context) {
	e.moveTo(e.clock, e.now(ctx).Add(time.Millisecond), func() time.Time { return e.now(ctx) })
}

// show prints the flags, not where they are.
func show(a googlesession.AccessChange) string {
	text := func(flag *bool) string {
		if flag == nil {
			return "nil"
		}
		return strconv.FormatBool(*flag)
	}
	return "{Admin: " + text(a.Admin) + ", Disabled: " + text(a.Disabled) + "}"
}
