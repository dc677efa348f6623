package storetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storetest"
)

func TestBindingsInMemory(t *testing.T) {
	t.Parallel()
	var store *memstore.Store
	storetest.TestBindings(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		Advance: time.Sleep,
		Run: func(t *testing.T, rule func(*testing.T)) {
			t.Helper()
			synctest.Test(t, func(t *testing.T) {
				store = memstore.New(nil)
				rule(t)
			})
		},
	})
}

// The rules hold on shared data and without Advance.
func TestBindingsInRealTime(t *testing.T) {
	t.Parallel()
	store := memstore.New(&memstore.Options{PerUser: 5})
	storetest.TestBindings(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		PerUser: 5,
	})
}

// The rules hold with a clock that runs on between calls of Advance, as a database's does.
func TestBindingsWithARunningClock(t *testing.T) {
	t.Parallel()
	storetest.TestBindings(t, naiveSessions(""))
}

// A store without SwapBinding breaks the rules, and a failure says why.
func TestBindingsOfAnotherStore(t *testing.T) {
	t.Parallel()
	for _, rule := range storetest.BindingRules() {
		synctest.Test(t, func(t *testing.T) {
			suite := naiveSessions("")
			open := suite.Open
			suite.Open = func(tb testing.TB) googlesession.SessionStore {
				tb.Helper()
				return struct{ googlesession.SessionStore }{open(tb)}
			}
			if err := rule.Check(t, suite); rule.Name != "new session" {
				require.ErrorContains(t, err, "not a googlesession.BindingStore", rule.Name)
			}
		})
	}
}
