package googlesessiontest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlesessiontest"
	memstore "github.com/googlesession/googlesession/store_memory"
)

func TestSessionsInMemory(t *testing.T) {
	t.Parallel()
	var store *memstore.Store
	googlesessiontest.TestSessions(t, googlesessiontest.Sessions{
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
	googlesessiontest.TestSessions(t, googlesessiontest.Sessions{
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

// All rules on the same data, and a clock that nobody moves.
func TestSessionsInRealTime(t *testing.T) {
	t.Parallel()
	store := memstore.New(&memstore.Options{PerUser: 5})
	googlesessiontest.TestSessions(t, googlesessiontest.Sessions{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		PerUser: 5,
	})
}
