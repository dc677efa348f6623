package conformance_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
	"github.com/googlesession/googlesession/storetest"
)

// A sqlServer is a database server, reached by a registered driver.
type sqlServer struct {
	name, driver string
	dialect      sqlstore.Dialect
	dsn          func(testing.TB) string
}

func sqlServers() []sqlServer {
	return []sqlServer{
		{"PostgreSQL", "pgx", sqlstore.PostgreSQL, postgresDSN},
		{"MariaDB", "mysql", sqlstore.MySQL, mysqlDSN},
	}
}

func (s sqlServer) open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open(s.driver, s.dsn(tb))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// newPrefix returns a prefix for the tables of one test, which are dropped at its end.
func (s sqlServer) newPrefix(tb testing.TB) string {
	tb.Helper()
	db := s.open(tb)
	prefix := "t" + strings.ToLower(rand.Text()[:12]) + "_"
	tb.Cleanup(func() {
		for _, table := range []string{"sessions", "users", "schema"} {
			_, err := db.ExecContext(context.WithoutCancel(tb.Context()), "DROP TABLE IF EXISTS "+prefix+table)
			require.NoError(tb, err)
		}
	})
	return prefix
}

// store returns a store with a pool of its own.
func (s sqlServer) store(tb testing.TB, o *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	return s.migrated(tb, s.open(tb), o)
}

// storeWith returns a store on a server whose clock the test moves.
func (s sqlServer) storeWith(tb testing.TB, clock *sqlClock, o *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	plain := s.open(tb)
	db := sql.OpenDB(&clockedConnector{driver: plain.Driver(), dsn: s.dsn(tb), clock: clock})
	db.SetMaxOpenConns(20) // the server allows a hundred
	tb.Cleanup(func() { _ = db.Close() })
	return s.migrated(tb, db, o)
}

func (s sqlServer) migrated(tb testing.TB, db *sql.DB, o *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	store, err := sqlstore.New(db, s.dialect, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = store.Close() })
	require.NoError(tb, store.Migrate(tb.Context()))
	return store
}

func TestSQLServerSessions(t *testing.T) {
	for _, s := range sqlServers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			clock, o := &sqlClock{}, &sqlstore.Options{Prefix: s.newPrefix(t)}
			suite := storetest.SessionSuite{
				Open:    func(tb testing.TB) googlesession.SessionStore { return s.storeWith(tb, clock, o) },
				Advance: clock.advance,
				Run:     recorded(s.name, "session rules"),
			}
			storetest.TestSessions(t, suite)
			suite.Run = recorded(s.name, "binding rules")
			storetest.TestBindings(t, suite)
		})
	}
}

func TestSQLServerUsers(t *testing.T) {
	for _, s := range sqlServers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			clock, o := &sqlClock{}, &sqlstore.Options{Prefix: s.newPrefix(t)}
			storetest.TestUsers(t, storetest.UserSuite{
				Open:             func(tb testing.TB) googlesession.UserStore { return s.storeWith(tb, clock, o) },
				AlsoSessionStore: true,
				Advance:          clock.advance,
				Run:              recorded(s.name, "user rules"),
			})
		})
	}
}
