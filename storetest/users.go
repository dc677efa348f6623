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

	// Open returns a handle on the store's data, as [SessionSuite.Open]
	// does. Open is required.
	Open func(testing.TB) googlesession.UserStore

	// AlsoSessionStore says that the value from Open is a
	// [googlesession.SessionStore] too, on the same data. The suite then also
	// runs the rules for stores that are both. The suite fails if
	// AlsoSessionStore is false and the value from Open is a SessionStore, or the
	// reverse. So a wrapper cannot hide the methods of a SessionStore unnoticed.
	AlsoSessionStore bool

	// Advance moves the store's clock, as [SessionSuite.Advance] does. If
	// Advance is nil, the suite waits, about 1 s in all, and cannot test
	// what the store must remember for [googlesession.TokenWindow].
	Advance func(time.Duration)

	// Run runs each rule, as [SessionSuite.Run] does.
	Run func(t *testing.T, rule func(*testing.T))
}

// TestUsers runs the rules that every [googlesession.UserStore] must keep, each as a subtest,
// as [TestSessions] does.
//
// The store must hold no other data, because the suite demotes every administrator that it
// finds. Give each rule an empty store with Run, because only then do the rules about stores
// without an administrator test everything.
func TestUsers(t *testing.T, u UserSuite) {
	t.Helper()
	testRules(t, u.rules(), u.Run, u.env)
}

func (u UserSuite) rules() []rule[*userEnv] {
	rules := slices.Concat(signInRules(), accessRules(), adminRules(), directoryRules(), queryRules(), tokensAfterRules(), userDataRules(), browserRules(), userRefusalRules())
	if u.AlsoSessionStore {
		rules = slices.Concat(rules, bothRules(), bothTokenRules(), putRules(), bothDataRules())
	}
	return rules
}

// A userEnv has the store under test, and the methods of which the rules of
// TestUsers are made. Each rule gets a userEnv of its own.
type userEnv struct {
	*outcome
	clock

	first, second googlesession.UserStore // two handles on the data of one store
	sessions      *sessionEnv             // the store as a SessionStore; nil if the store is not one
}

func (u UserSuite) env(tb testing.TB) *userEnv {
	tb.Helper()
	e := &userEnv{outcome: &outcome{}, clock: newClock(u.Advance), first: u.Open(tb), second: u.Open(tb)}
	sessions, ok := e.first.(googlesession.SessionStore)
	if ok != u.AlsoSessionStore {
		tb.Fatalf("storetest: UserSuite.AlsoSessionStore is %v, but for the store it is %v", u.AlsoSessionStore, ok)
	}
	if ok {
		second, _ := e.second.(googlesession.SessionStore)
		e.sessions = &sessionEnv{outcome: e.outcome, clock: e.clock, first: sessions, second: second}
	}
	return e
}

// newIdentity returns the identity of a user who has never signed in.
func newIdentity() googlesession.Identity {
	return identity(freshID())
}

// identity returns the identity from a token of the subject that was issued at longAgo.
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

// newToken moves the store's clock on. It returns the identity from a token
// of the subject that was issued at the time that the clock then shows.
func (e *userEnv) newToken(ctx context.Context, subject string) googlesession.Identity {
	e.tick(ctx)
	id := identity(subject)
	id.IssuedAt = e.now(ctx)
	return id
}

// signIn calls SignIn, expects it to succeed, and returns the user.
func (e *userEnv) signIn(ctx context.Context, id googlesession.Identity) googlesession.User {
	if e.failed() {
		return googlesession.User{}
	}
	u, err := e.first.SignIn(ctx, id)
	e.expect(err == nil, "SignIn: got error %v, want none", err)
	return u
}

// setAccess calls SetAccess, expects it to succeed, and returns the user.
func (e *userEnv) setAccess(ctx context.Context, id string, access googlesession.AccessChange) googlesession.User {
	if e.failed() {
		return googlesession.User{}
	}
	u, err := e.first.SetAccess(ctx, id, access)
	e.expect(err == nil, "SetAccess(%s): got error %v, want none", show(access), err)
	return u
}

// deleteUser calls DeleteUser and expects it to succeed.
func (e *userEnv) deleteUser(ctx context.Context, id string) {
	if e.failed() {
		return
	}
	err := e.first.DeleteUser(ctx, id)
	e.expect(err == nil, "DeleteUser: got %v, want <nil>", err)
}

// is expects User to return exactly the record want.
func (e *userEnv) is(ctx context.Context, want googlesession.User, when string) {
	if e.failed() {
		return
	}
	got, err := e.first.User(ctx, want.ID)
	e.expect(err == nil && got == want, "%s: User: got %+v, %v, want %+v", when, got, err, want)
}

// absent expects User to return ErrNotFound for this ID.
func (e *userEnv) absent(ctx context.Context, id, when string) {
	if e.failed() {
		return
	}
	_, err := e.first.User(ctx, id)
	e.expect(says(err, googlesession.ErrNotFound), "%s: User: got %v, want ErrNotFound", when, err)
}

// now returns the time on the store's clock. It signs a new user in to learn the time.
func (e *userEnv) now(ctx context.Context) time.Time {
	return e.signIn(ctx, newIdentity()).SeenAt
}

// tick moves the store's clock on by a millisecond or more, so that the next
// time that the store records is a later one.
func (e *userEnv) tick(ctx context.Context) {
	e.moveTo(e.clock, e.now(ctx).Add(time.Millisecond), func() time.Time { return e.now(ctx) })
}

// show formats the flags. They are pointers, so fmt would show addresses.
func show(a googlesession.AccessChange) string {
	text := func(flag *bool) string {
		if flag == nil {
			return "nil"
		}
		return strconv.FormatBool(*flag)
	}
	return "{Admin: " + text(a.Admin) + ", Disabled: " + text(a.Disabled) + "}"
}
