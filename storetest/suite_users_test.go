package storetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storetest"
)

func TestUsersInMemory(t *testing.T) {
	t.Parallel()
	var store *memstore.Store
	storetest.TestUsers(t, storetest.UserSuite{
		Open:             func(testing.TB) googlesession.UserStore { return store },
		AlsoSessionStore: true,
		Advance:          time.Sleep,
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
func TestUsersInRealTime(t *testing.T) {
	t.Parallel()
	store := memstore.New(nil)
	storetest.TestUsers(t, storetest.UserSuite{
		Open:             func(testing.TB) googlesession.UserStore { return store },
		AlsoSessionStore: true,
	})
}
