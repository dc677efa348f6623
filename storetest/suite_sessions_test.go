package storetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storetest"
)

func TestSessionsInMemory(t *testing.T) {
	t.Parallel()
	var store *memstore.Store
	storetest.TestSessions(t, storetest.SessionSuite{
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

func TestSessionsInMemoryWithSmallCap(t *testing.T) {
	t.Parallel()
	var store *memstore.Store
	storetest.TestSessions(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		Advance: time.Sleep,
		PerUser: 5,
		Run: func(t *testing.T, rule func(*testing.T)) {
			t.Helper()
			synctest.Test(t, func(t *testing.T) {
				store = memstore.New(&memstore.Options{PerUser: 5})
				rule(t)
			})
		},
	})
}

// The rules hold on shared data and without Advance.
func TestSessionsInRealTime(t *testing.T) {
	t.Parallel()
	store := memstore.New(&memstore.Options{PerUser: 5})
	storetest.TestSessions(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		PerUser: 5,
	})
}
