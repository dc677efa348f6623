package conformance_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
	"github.com/googlesession/googlesession/storetest"
)

var settings = url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}}

func newFile(tb testing.TB) string { return filepath.Join(tb.TempDir(), "test.db") }

// openDB returns a pool of connections to the file, as if it were in another process.
func openDB(tb testing.TB, file string) *sql.DB {
	tb.Helper()
	return clock.openFile(tb, file)
}

func newStore(tb testing.TB, db *sql.DB, o *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	store, err := sqlstore.New(db, sqlstore.SQLite, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// openStore returns a store on the file, with tables and a pool of its own.
func openStore(tb testing.TB, file string, o *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	return openStoreAt(tb, clock, file, o)
}

// openStoreAt is openStore with a clock of the caller's.
func openStoreAt(tb testing.TB, c *liteClock, file string, o *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	store := newStore(tb, c.openFile(tb, file), o)
	require.NoError(tb, store.Migrate(tb.Context()))
	return store
}

func TestSQLiteSessions(t *testing.T) {
	for name, o := range map[string]*sqlstore.Options{
		"defaults": nil,
		"few":      {PerUser: 5, Prefix: "other_"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, file, perUser := newLiteClock(), newFile(t), 0
			if o != nil {
				perUser = o.PerUser
			}
			suite := storetest.SessionSuite{
				Open:    func(tb testing.TB) googlesession.SessionStore { return openStoreAt(tb, clock, file, o) },
				Advance: clock.advance,
				PerUser: perUser,
				Run:     recorded("SQLite", "session rules"),
			}
			storetest.TestSessions(t, suite)
			suite.Run = recorded("SQLite", "binding rules")
			storetest.TestBindings(t, suite)
		})
	}
}

func TestSQLiteUsers(t *testing.T) {
	t.Parallel()
	clock, file := newLiteClock(), newFile(t)
	storetest.TestUsers(t, storetest.UserSuite{
		Open:             func(tb testing.TB) googlesession.UserStore { return openStoreAt(tb, clock, file, nil) },
		AlsoSessionStore: true,
		Advance:          clock.advance,
		Run:              recorded("SQLite", "user rules"),
	})
}
