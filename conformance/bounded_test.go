package conformance_test

import (
	"context"
	"database/sql"
	"errors"
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

// requireBounded runs the calls at once while a server is stuck. Each has a second and
// must return in that time. A call that needs the server's answer must be an outage. If
// stuck is true, all of them need it.
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
		if stuck || r.err != nil && !errors.Is(r.err, googlesession.ErrExists) { // ErrExists is known before the rollback
			require.ErrorIs(t, r.err, googlesession.ErrUnavailable, "%s: %s", when, name)
			require.ErrorIs(t, r.err, context.DeadlineExceeded, "%s: %s", when, name)
		}
	}
	record(backend, "calls that a stuck server holds", len(results))
}

// A server does not answer a statement before the call's time is over. With no driver does
// the call wait for it. This holds for COMMIT and ROLLBACK too, which get no context from
// database/sql.
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
			// Each call has a user of its own, because calls for one user wait for each other.
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
					u, r := signIn(t, store) //nolint:contextcheck // the first session needs no deadline
					n := newSession(u)
					n.Ref = r
					_, err := store.CreateSession(ctx, n)
					return err
				},
			}
			for _, tt := range []struct {
				text  string
				calls map[string]func(context.Context) error
				stuck bool // all of the calls send this text
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
			// The network delivers nothing.
			calls := fresh()
			network.Freeze()
			requireBounded(t, s.name, "everything", calls, true)
			network.Thaw()
		})
	}
}

// The timeouts of the MySQL driver free the connection that waits for a COMMIT.
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

// Another process holds SQLite's write lock. Methods that write are outages at their
// deadline. Methods that read work, and a check does not wait long to record its use.
func TestSQLiteHeld(t *testing.T) {
	registered := func(driver string) func(testing.TB, string) *sql.DB {
		return func(tb testing.TB, name string) *sql.DB {
			tb.Helper()
			db, err := sql.Open(driver, name)
			require.NoError(tb, err)
			tb.Cleanup(func() { _ = db.Close() })
			return db
		}
	}
	for driver, d := range map[string]struct {
		open       func(testing.TB, string) *sql.DB
		parameters string
	}{
		"sqlite":         {registered("sqlite"), settings.Encode()},
		"sqlite3":        {registered("sqlite3"), "_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1"},
		"unknown driver": {newLiteClock().open, settings.Encode()},
	} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			name := "file:" + newFile(t) + "?" + d.parameters
			db, other := d.open(t, name), d.open(t, name)
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
			delete(calls, "Migrate") // because it has nothing to write
			reads := map[string]func(context.Context) error{}
			for _, name := range []string{"Sessions", "AllSessions", "User", "Users", "Users by e-mail", "Browsers"} {
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
			require.Less(t, time.Since(began), 1500*time.Millisecond, "a check whose use cannot be recorded")

			_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				session, err := store.CheckSession(t.Context(), r, 0)
				return err != nil || session.Touched
			}, 20*time.Second, 50*time.Millisecond, "the next use is recorded once the lock is free")
		})
	}
}
