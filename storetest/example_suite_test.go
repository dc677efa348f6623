package storetest_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storetest"
)

// The store of Example_store passes both suites. docs/writing-a-store.md shows this test.
func TestStore(t *testing.T) {
	var store *Store
	run := func(t *testing.T, rule func(*testing.T)) {
		synctest.Test(t, func(t *testing.T) {
			store = NewStore()
			rule(t)
		})
	}
	t.Run("sessions", func(t *testing.T) {
		storetest.TestSessions(t, storetest.SessionSuite{
			Open:    func(testing.TB) googlesession.SessionStore { return store },
			Advance: time.Sleep, // which moves the clock of a bubble
			Run:     run,
		})
	})
	t.Run("users", func(t *testing.T) {
		storetest.TestUsers(t, storetest.UserSuite{
			Open:             func(testing.TB) googlesession.UserStore { return store },
			AlsoSessionStore: true,
			Advance:          time.Sleep,
			Run:              run,
		})
	})
}

// A mistakenStore keeps the sessions of a disabled user.
type mistakenStore struct{ *Store }

func (s mistakenStore) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	defer s.restoreSessions(u, s.copySessions())
	return s.Store.PutUser(ctx, u)
}

func (s mistakenStore) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	defer s.restoreSessions(n.User, s.copySessions())
	return s.Store.CreateSession(ctx, n)
}

func (s mistakenStore) copySessions() map[googlesession.Ref]*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.sessions)
}

func (s mistakenStore) restoreSessions(u googlesession.User, before map[googlesession.Ref]*session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r, x := range before {
		if u.Disabled && x.User.ID == u.ID {
			s.sessions[r] = x
		}
	}
}

const mistakeVariable = "GOOGLESESSION_TEST_MISTAKE"

func TestStoreWithMistake(t *testing.T) {
	if os.Getenv(mistakeVariable) == "" {
		t.Skip("TestSuiteNamesMistake runs this test, and expects it to fail")
	}
	var store mistakenStore
	storetest.TestSessions(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		Advance: time.Sleep,
		Run: func(t *testing.T, rule func(*testing.T)) {
			synctest.Test(t, func(t *testing.T) {
				store = mistakenStore{NewStore()}
				rule(t)
			})
		},
	})
}

// The suite tells the author of a store which rules it breaks, by name and in words, and
// only rules that have to do with the mistake.
func TestSuiteNamesMistake(t *testing.T) {
	t.Parallel()
	test := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStoreWithMistake$", "-test.v")
	test.Env = append(os.Environ(), mistakeVariable+"=1")
	out, err := test.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	var failed []string
	passed := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "--- FAIL: TestStoreWithMistake/"); ok {
			name, _, _ = strings.Cut(name, " ")
			failed = append(failed, name)
		} else if strings.HasPrefix(line, "--- PASS: TestStoreWithMistake/") {
			passed++
		}
	}
	require.Subset(t, failed, []string{"disable", "disabled_at_sign-in", "enable", "sign-in_overtaken_by_disable"})
	for _, name := range failed {
		require.Regexp(t, `disable|enable|sign-in|second_handle|use_after_the_end|ended_`, name)
	}
	require.Greater(t, passed, 50)
	require.Contains(t, string(out), "the rule: a disabled User ends all sessions of the user, at once and on every handle")
}
