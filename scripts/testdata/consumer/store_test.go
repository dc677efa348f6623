package consumer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storetest"
)

// What the author of a store writes: the suite, on the author's own store.
func TestStore(t *testing.T) {
	var store *memstore.Store
	storetest.TestSessions(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		Advance: time.Sleep,
		Run: func(t *testing.T, rule func(*testing.T)) {
			synctest.Test(t, func(t *testing.T) {
				store = memstore.New(nil)
				rule(t)
			})
		},
	})
}
