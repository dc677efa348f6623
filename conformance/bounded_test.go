package conformance_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// requireBounded runs calls at once, with a second for each, while a server is stuck.
// Those that need its answer, which may be all of them, are outages in time.
func requireBounded(t *testing.T, backend, when string, calls map[string]func(context.Context) error, stuck bool) {
	t.Helper()
	const timeout, scheduling = time.Second, 500 * time.Millisecond
	type result struct {
		err  error
		took time.Duration
	}
	results := make(map[string]result)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, call := range calls {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			began := time.Now()
			err := call(ctx)
			mu.Lock()
			defer mu.Unlock()
			results[name] = result{err, time.Since(began)}
		})
	}
	wg.Wait()
	for name, r := range results {
		require.Less(t, r.took, timeout+timeout/10+scheduling, "%s: %s", when, name)
		if stuck || r.err != nil && !errors.Is(r.err, googlesession.ErrExists) { // known before the rollback
			require.ErrorIs(t, r.err, googlesession.ErrUnavailable, "%s: %s", when, name)
			require.ErrorIs(t, r.err, context.DeadlineExceeded, "%s: %s", when, name)
		}
	}
	record(backend, "calls that a stuck server holds", len(results))
}

// A server holds a statement for longer than the call has. No driver makes the call
// wait for it, also not for COMMIT and ROLLBACK, which have no context in database/sql.
func TestSQLServerHolds(t *testing.T) {
	for _, s := range []sqlServer{
		{"PostgreSQL", "pgx", sqlstore.PostgreSQL, postgresDSN},
		{"PostgreSQL", "postgres", sqlstore.PostgreSQL, postgresDSN},
		{"MariaDB", "mysql", sqlstore.MySQL, mysqlDSN},
	} {
		t.Run(s.driver, func(t *testing.T) {
			t.Parallel()
			network, s := s.via(t)
			store := s.store(t, &sqlstore.Options{Prefix: s.newPrefix(t)})
			// A user for each call, or they would wait for each other.
			fresh := func() map[string]func(context.Context) error {
				calls := make(map[string]func(context.Context) error)
				for name := range allCalls(store, googlesession.User{}, googlesession.Ref{}) {
					u, r := signIn(t, store)
					calls[name] = allCalls(store, u, r)[name]
				}
				return calls
			}
			rollbacks := map[string]func(context.Context) error{
				"CreateSession of a used Ref": func(ctx context.Context) error {
					u, r := signIn(t, store) //nolint:contextcheck // its session is made with the time that is left
					n := newSession(u)
					n.Ref = r
					_, err := store.CreateSession(ctx, n)
					return err
				},
			}
			for _, tt := range []struct {
				text  string
				calls map[string]func(context.Context) error
				stuck bool // all of the calls need it
			}{
				{"COMMIT", fresh(), false},
				{"ROLLBACK", rollbacks, false},
				{"SELECT", fresh(), false},
				{"UPDATE", fresh(), false},
			} {
				network.Stick(tt.text)
				over := time.AfterFunc(6*time.Second, network.Thaw)
				requireBounded(t, s.name, tt.text, tt.calls, tt.stuck)
				network.Thaw()
				over.Stop()
				_, r := signIn(t, store)
				require.NoError(t, check(t, store, r, 0), "after %s", tt.text)
			}
			// Nothing is let through.
			calls := fresh()
			network.Freeze()
			requireBounded(t, s.name, "everything", calls, true)
			network.Thaw()
		})
	}
}

// The driver's own timeouts give back the connection that a stuck COMMIT holds.
func TestMySQLDriverTimeouts(t *testing.T) {
	t.Parallel()
	s := sqlServer{"MariaDB", "mysql", sqlstore.MySQL, func(tb testing.TB) string { return mysqlDSN(tb) + "?readTimeout=500ms&writeTimeout=500ms" }}
	network, s := s.via(t)
	db := s.open(t)
	store := s.migrated(t, db, &sqlstore.Options{Prefix: s.newPrefix(t)})
	u, r := signIn(t, store)
	network.Stick("COMMIT")
	defer network.Thaw()
	_, err := store.RevokeUser(t.Context(), u.ID, nil)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.Eventually(t, func() bool { return db.Stats().InUse == 0 }, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, check(t, store, r, time.Hour), "it was not committed")
}

// Another process holds SQLite's lock. What writes is an outage in time; what reads goes
// on, and does not wait long for a use that cannot be recorded.
func TestSQLiteHeld(t *testing.T) {
	for driver, parameters := range map[string]string{
		"sqlite":    settings.Encode(),
		"sqlite3":   "_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1",
		movedSQLite: settings.Encode(), // unknown, so the careful path
	} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			open := func() *sql.DB {
				db, err := sql.Open(driver, "file:"+newFileOf(t)+"?"+parameters)
				require.NoError(t, err)
				t.Cleanup(func() { _ = db.Close() })
				return db
			}
			db, other := open(), open()
			if err := db.PingContext(t.Context()); err != nil && strings.Contains(err.Error(), "CGO_ENABLED=0") && os.Getenv("GOOGLESESSION_TEST_ALL") == "" {
				t.Skip(err)
			}
			store := newStore(t, db, nil)
			require.NoError(t, store.Migrate(t.Context()))
			u, r := signIn(t, store)
			conn, err := other.Conn(t.Context())
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
			require.NoError(t, err)

			calls := allCalls(store, u, r)
			delete(calls, "CheckSession")
			delete(calls, "Migrate") // has nothing to write
			reads := map[string]func(context.Context) error{}
			for _, name := range []string{"Sessions", "User", "Users"} {
				reads[name] = calls[name]
				delete(calls, name)
			}
			requireBounded(t, "SQLite", "locked", calls, true)
			for name, call := range reads {
				require.NoError(t, call(t.Context()), name)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			began := time.Now()
			session, err := store.CheckSession(ctx, r, 0)
			require.NoError(t, err)
			require.False(t, session.Touched)
			require.Less(t, time.Since(began), 1500*time.Millisecond, "a use that cannot be recorded")

			_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				session, err := store.CheckSession(t.Context(), r, 0)
				return err != nil || session.Touched
			}, 20*time.Second, 50*time.Millisecond)
		})
	}
}

var files sync.Map // by test: SQLite's file

// newFileOf is one file for all pools of a test.
func newFileOf(t *testing.T) string {
	t.Helper()
	file, _ := files.LoadOrStore(t.Name(), newFile(t))
	return fmt.Sprint(file)
}
