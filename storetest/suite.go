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
type rule[E any] struct {
	name  string // of the subtest
	words string // what must hold: printed when it does not
	check func(E, context.Context) error
}

// testRules runs each rule as a subtest, with handles of its own. T.Run must not
// be called inside a synctest bubble, so run makes a bubble for each rule.
func testRules[E any](t *testing.T, rules []rule[E], run func(*testing.T, func(*testing.T)), open func(testing.TB) E) {
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

// outcome keeps the first thing that went wrong, so that a rule reads as a list
// of steps: after a failure the others do nothing. It belongs to one goroutine.
type outcome struct{ err error }

func (o *outcome) expect(ok bool, format string, args ...any) {
	if o.err == nil && !ok {
		o.err = fmt.Errorf(format, args...)
	}
}

func (o *outcome) failed() bool { return o.err != nil }

// unavailable expects a refusal for a reason that has no name.
func (o *outcome) unavailable(err error, call string) {
	o.expect(errors.Is(err, googlesession.ErrUnavailable), "%s: got %v, want an error that wraps ErrUnavailable", call, err)
}

// says reports whether err is what is wanted, and no outage as well.
func says(err, want error) bool {
	return errors.Is(err, want) && errors.Is(err, googlesession.ErrUnavailable) == errors.Is(want, googlesession.ErrUnavailable)
}

// interrupted expects the error of a call that began with a done context.
func (o *outcome) interrupted(err, cause error, call string) {
	o.unavailable(err, call+" with a done context")
	o.expect(errors.Is(err, cause), "%s with a done context: got %v, want an error that wraps %q too", call, err, cause)
}

// doneContexts calls f with a canceled context, and with one past its deadline.
func doneContexts(ctx context.Context, f func(ctx context.Context, cause error)) {
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	f(canceled, context.Canceled)
	late, cancel := context.WithTimeout(ctx, -time.Second)
	defer cancel()
	f(late, context.DeadlineExceeded)
}

// never is a touchAfter that does not come.
const never = 100 * 365 * 24 * time.Hour

// atOnce runs f(0) to f(n-1) at once and returns what they returned.
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

// freshID returns a user ID that no store has seen, so that the suites can run
// against one that holds other data.
func freshID() string { return "suite-" + rand.Text() }

// caseIDs differ for bytes and are equal to who folds case: that maps the long s
// to s, the Kelvin sign to k, and ß to ss.
func caseIDs() []string {
	return suffixed(freshID(), "s", "S", "ſ", "k", "K", "\u212a", "ss", "ß", "ẞ")
}

func blankIDs() []string {
	return suffixed(freshID(), "", " ", "  ", "\t", "\u00a0")
}

// oddIDs are IDs that stores have mixed up or tripped over: patterns, quotes,
// Redis hash tags, white space, two spellings of é, characters of four bytes.
func oddIDs() []string {
	p := freshID()
	ids := suffixed(p, "*", "%", "_", "?", "{x}", "{", "}", "'", `"`, `\`, "`", "--", ":", "x\ny", "\u00e9", "e\u0301", "\u2028", "😀")
	return append(ids, " "+p, p+strings.Repeat("x", 255-len(p)))
}

func suffixed(prefix string, ends ...string) []string {
	for i, end := range ends {
		ends[i] = prefix + end
	}
	return ends
}

// badIDs are no user IDs, by what is wrong with them.
func badIDs() map[string]string {
	return map[string]string{
		"empty ID":             "",
		"ID of 256 bytes":      strings.Repeat("x", 256),
		"ID with NUL":          freshID() + "\x00",
		"ID with byte FF":      freshID() + "\xff",
		"ID with a cut symbol": freshID() + "😀"[:2],
	}
}

// wellFormed reports whether t is as times leave a store.
func wellFormed(t time.Time) bool {
	return t.Location() == time.UTC && t.Equal(t.Truncate(time.Millisecond))
}
