package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/googlesession/googlesession"
)

// A rule is one promise of a contract.
//
// The methods of sessionEnv and userEnv are the rules and the steps of which rules are
// made. A step does nothing after another step has failed, so a rule reads as a list of
// steps and returns the first failure. The last argument of a step, when, says in which
// situation the step is taken, and begins the text of the step's failure.
//
// These are the steps for sessions:
//
//   - signIn and create make a session. put, revoke and revokeUser call PutUser,
//     RevokeSession and RevokeUser, and expect the result want.
//   - live, noSession and notAdmitted check a session on one handle. live expects the
//     session to be admitted, noSession expects ErrNoSession, and notAdmitted expects
//     ErrNoSession or ErrUserDisabled.
//   - admitted, gone and noneAdmitted are live, noSession and notAdmitted on both handles.
//   - use checks a session with the given touchAfter, and touch records a use.
//   - list and haveUser compare what Sessions and CheckSession return.
//   - refused expects CreateSession to fail, and the session not to be admitted.
//
// These are the steps for users:
//
//   - signIn, setAccess, refuse and deleteUser call SignIn, SetAccess, RefuseTokens and
//     DeleteUser, and expect no error.
//   - is and absent check the result of User. listed and unlisted check the results of
//     User and Users.
//   - stale expects a sign-in with a stale token to be refused.
//
// Rules for sessions and for users both have now, which reads the store's clock, and tick,
// which moves that clock by a millisecond or more. expect is the step on which all other
// steps are built. says compares an error with the wanted one. clean looks for arguments of
// a call in the text of the call's error.
type rule[Env any] struct {
	// name is the name of the subtest. If the rule makes calls at once, the name contains
	// "during" or "at once".
	name string

	words string // the promise in words, which a failure prints
	check func(Env, context.Context) error
}

// testRules runs each rule as a subtest, with handles of its own that open makes. It calls
// run inside the subtest, because T.Run must not be called inside a synctest bubble.
func testRules[Env any](t *testing.T, rules []rule[Env], run func(*testing.T, func(*testing.T)), open func(testing.TB) Env) {
	t.Helper()
	if run == nil {
		run = func(t *testing.T, rule func(*testing.T)) { rule(t) }
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			run(t, func(t *testing.T) {
				if err := r.check(open(t), t.Context()); err != nil {
					t.Errorf("%v\nthe rule: %s", err, r.words)
				}
			})
		})
	}
}

// An outcome keeps the first failure of a rule. Only one goroutine may use it.
type outcome struct{ err error }

// expect fails the rule with a formatted text if ok is false and the rule has not failed
// before.
func (o *outcome) expect(ok bool, format string, args ...any) {
	if o.err == nil && !ok {
		o.err = fmt.Errorf(format, args...)
	}
}

func (o *outcome) failed() bool { return o.err != nil }

// unavailable expects an error that wraps ErrUnavailable.
func (o *outcome) unavailable(err error, call string) {
	o.expect(errors.Is(err, googlesession.ErrUnavailable), "%s: got %v, want an error that wraps ErrUnavailable", call, err)
}

// says reports whether err wraps want. If err wraps ErrUnavailable and want does not, says
// returns false, because the Manager could take err for an outage.
func says(err, want error) bool {
	return errors.Is(err, want) && errors.Is(err, googlesession.ErrUnavailable) == errors.Is(want, googlesession.ErrUnavailable)
}

// interrupted expects err to wrap ErrUnavailable and cause, which is the error of a done
// context.
func (o *outcome) interrupted(err, cause error, call string) {
	o.unavailable(err, call+" with a done context")
	o.expect(errors.Is(err, cause), "%s with a done context: got %v, want an error that wraps %q too", call, err, cause)
}

// doneContexts calls f twice, with a canceled context and with a context past its deadline.
// The cause is the error of the context.
func doneContexts(ctx context.Context, f func(ctx context.Context, cause error)) {
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	f(canceled, context.Canceled)
	late, cancel := context.WithTimeout(ctx, -time.Second)
	defer cancel()
	f(late, context.DeadlineExceeded)
}

// century is the longest time that a session can have in a rule.
const century = 100 * 365 * 24 * time.Hour

// atOnce runs f(0) to f(n-1) at once, each in a goroutine, and returns their results.
func atOnce[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}

// freshID returns a user ID that no store has seen, so that the suites can run on a store
// that holds other data.
func freshID() string { return "suite-" + rand.Text() }

// caseIDs returns different IDs that become equal when case is folded. Folding maps the
// long s to s, the Kelvin sign to k, and ß to ss.
func caseIDs() []string {
	return suffixed(freshID(), "s", "S", "ſ", "k", "K", "\u212a", "ss", "ß", "ẞ")
}

// blankIDs returns IDs that differ only in the white space at their end.
func blankIDs() []string {
	return suffixed(freshID(), "", " ", "  ", "\t", "\u00a0")
}

// unusualIDs returns valid IDs that a store may confuse or fail on: patterns, quotes, Redis
// hash tags, white space, two spellings of é, characters of four bytes.
func unusualIDs() []string {
	p := freshID()
	ids := suffixed(p, "*", "%", "_", "?", "{x}", "{", "}", "'", `"`, `\`, "`", "--", ":", "x\ny", "\u00e9", "e\u0301", "\u2028", "😀")
	return append(ids, " "+p, p+strings.Repeat("x", 255-len(p)))
}

// suffixed returns one text for each of the ends, which is the prefix and that end. It
// overwrites ends.
func suffixed(prefix string, ends ...string) []string {
	for i, end := range ends {
		ends[i] = prefix + end
	}
	return ends
}

// invalidIDs returns texts that are not user IDs, keyed by what is wrong with each.
func invalidIDs() map[string]string {
	return map[string]string{
		"empty ID":              "",
		"ID of 256 bytes":       strings.Repeat("x", 256),
		"ID with NUL":           freshID() + "\x00",
		"ID with byte FF":       freshID() + "\xff",
		"ID with half a symbol": freshID() + "😀"[:2],
	}
}

// wellFormed reports whether t is in UTC and in whole milliseconds, as a store must
// return times.
func wellFormed(t time.Time) bool {
	return t.Location() == time.UTC && t.Equal(t.Truncate(time.Millisecond))
}
