package storetest_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storetest"
)

// A slow store takes a random time for each call, half of it before the work and half after.
type slow struct {
	googlesession.SessionStore

	least, most time.Duration
}

func (s slow) pause() {
	time.Sleep((s.least + rand.N(s.most-s.least)) / 2) //nolint:forbidigo // synctest
}

func (s slow) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.CreateSession(ctx, n)
}

func (s slow) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.CheckSession(ctx, r, touchAfter)
}

func (s slow) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.(googlesession.BindingStore).SwapBinding(ctx, r, old, next)
}

func (s slow) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.RevokeSession(ctx, r)
}

func (s slow) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.RevokeUser(ctx, userID, keep)
}

func (s slow) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.PutUser(ctx, u)
}

func (s slow) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.Sessions(ctx, userID)
}

func (s slow) AllSessions(ctx context.Context, after string, limit int) ([]googlesession.Session, string, error) {
	s.pause()
	defer s.pause()
	return s.SessionStore.AllSessions(ctx, after, limit)
}

// verdicts returns the error of each rule for a slow store with a bug and without Advance.
func verdicts(t *testing.T, bug string, rules []storetest.Rule[storetest.SessionSuite], least, most time.Duration) map[string]error {
	t.Helper()
	all := map[string]error{}
	for _, rule := range rules {
		synctest.Test(t, func(t *testing.T) {
			sessions := naiveSessions(bug)
			open := sessions.Open
			sessions.Open = func(tb testing.TB) googlesession.SessionStore { return slow{open(tb), least, most} }
			sessions.Advance = nil
			all[rule.Name] = rule.Check(t, sessions)
		})
	}
	return all
}

const unmeasured = "could not measure"

func TestSlowStorePasses(t *testing.T) {
	t.Parallel()
	for _, most := range []time.Duration{5 * time.Millisecond, 60 * time.Millisecond, 250 * time.Millisecond} {
		for rule, err := range verdicts(t, "", slices.Concat(storetest.SessionRules(), storetest.BindingRules()), most/3, most) {
			require.NoError(t, err, "%v: %s", most, rule)
		}
	}
}

// briefBugs have an effect for a microsecond, at one instant, or after SignInWindow. On a slow
// store without Advance they have none.
var briefBugs = []string{
	"admitted at the end", "touch too late", "touch by the caller's clock", "touch recreates", "touch looks first", "singleflight",
	"revoke looks first", "RevokeUser counts first", "PutUser reads first", "PutUser answers from its first read",
	"users remembered too shortly", "TokensAfter remembered too shortly",
	"sign-in looks for the Ref first", "sign-in looks at the user first", "sign-in makes room first", "sign-in is refused or not first",
	"token looked at first", "TokensAfter first, sessions later",
	"AllSessions counts first",
	"swap looks first", "overtaken swap fails", "swap writes the session back", "swap writes the last use back", "swap writes the User back",
	"use writes the Binding back", "PutUser writes the Bindings back",
}

// All other bugs are found on a slow machine too, and no rule says that it could not measure.
// Long tests run all rules, other tests only those that find the bug in TestSessionMutants or
// TestBindingMutants.
func TestSlowMutants(t *testing.T) {
	t.Parallel()
	t.Run("sessions", func(t *testing.T) { slowMutants(t, sessionMutants, storetest.SessionRules) })
	t.Run("bindings", func(t *testing.T) { slowMutants(t, bindingMutants, storetest.BindingRules) })
}

func slowMutants(t *testing.T, mutants []mutant, all func() []storetest.Rule[storetest.SessionSuite]) {
	t.Helper()
	for _, m := range mutants {
		if slices.Contains(briefBugs, m.bug) {
			continue
		}
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			rules := slices.DeleteFunc(all(), func(r storetest.Rule[storetest.SessionSuite]) bool {
				return !long() && !slices.Contains(m.found, r.Name)
			})
			found := 0
			for rule, err := range verdicts(t, m.bug, rules, 20*time.Millisecond, 60*time.Millisecond) {
				if err != nil {
					require.NotContains(t, err.Error(), unmeasured, rule)
					found++
				}
			}
			require.Positive(t, found)
		})
	}
}

// If a call takes longer than any session lives, a rule says that it could not measure, for a
// correct store and for one with a bug.
func TestTooSlowToMeasure(t *testing.T) {
	t.Parallel()
	timed := []string{"idle timeout", "absolute timeout", "use not recorded before due", "use recorded at half the idle timeout", "use not recorded before half the idle timeout", "NeverTouch", "MaxLifetime is not extended", "Ref of an ended session", "user of a sign-in over Max"}
	timedBindings := []string{"deadlines of bound sessions", "sessions after bound ones", "swap of an expired session"}
	for _, bug := range []string{"", "idle not checked", "touch shortens"} {
		all := verdicts(t, bug, storetest.SessionRules(), 10*time.Second, 20*time.Second)
		for _, rule := range timed {
			require.ErrorContains(t, all[rule], unmeasured, "%q: %s", bug, rule)
		}
		all = verdicts(t, bug, storetest.BindingRules(), 10*time.Second, 20*time.Second)
		for _, rule := range timedBindings {
			require.ErrorContains(t, all[rule], unmeasured, "%q: %s", bug, rule)
		}
	}
}
