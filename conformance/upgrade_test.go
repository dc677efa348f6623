package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sqlDatabases returns the servers, and SQLite in a file.
func sqlDatabases(tb testing.TB) []sqlServer {
	tb.Helper()
	dsn := "file:" + newFile(tb) + "?" + settings.Encode() + "&_txlock=immediate"
	return append(sqlServers(), sqlServer{"SQLite", "sqlite", sqlstore.SQLite, func(testing.TB) string { return dsn }})
}

// numbers returns the SQL of a table n with a column i from 0 to n-1.
func (s sqlServer) numbers(n int) string {
	switch s.dialect {
	case sqlstore.PostgreSQL:
		return fmt.Sprintf("(SELECT i FROM generate_series(0, %d) AS g(i)) AS n", n-1)
	case sqlstore.MySQL:
		const digit = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
		return fmt.Sprintf("(SELECT a.d + 10*b.d + 100*c.d + 1000*d.d + 10000*e.d + 100000*f.d AS i FROM %[2]s AS a, %[2]s AS b, %[2]s AS c, %[2]s AS d, %[2]s AS e, %[2]s AS f HAVING i < %[1]d) AS n", n, digit)
	default:
		return fmt.Sprintf("(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < %d) SELECT i FROM n) AS n", n-1)
	}
}

// fillVersion1 inserts users with ten sessions each, in one statement for each table.
func fillVersion1(tb testing.TB, s sqlServer, prefix string, users int) {
	tb.Helper()
	const perUser = 10
	now := time.Now().UnixMilli()
	user, id, tag := "CONCAT('old-', i / 10)", "sha256(CONCAT('s', i)::bytea)", "substr(sha256('t'), 1, 12)"
	switch s.dialect {
	case sqlstore.MySQL:
		user, id, tag = "CONCAT('old-', i DIV 10)", "UNHEX(SHA2(CONCAT('s', i), 256))", "SUBSTR(UNHEX(SHA2('t', 256)), 1, 12)"
	case sqlstore.SQLite:
		user, id, tag = "'old-' || (i / 10)", "CAST(printf('%032d', i) AS BLOB)", "zeroblob(12)"
	}
	db := s.open(tb)
	execute(tb, db, fmt.Sprintf(`
INSERT INTO %susers (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT %s, 'a@example.com', 'A', '', 1 = 0, 1 = 0, 1, %d, %d FROM %s`,
		prefix, strings.Replace(strings.Replace(user, " / 10", "", 1), " DIV 10", "", 1), now, now, s.numbers(users)))
	execute(tb, db, fmt.Sprintf(`
INSERT INTO %ssessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms)
SELECT %s, %s, %s, %d, %d, 3600000, %d FROM %s`,
		prefix, id, tag, user, now, now+3_600_000, now, s.numbers(users*perUser)))
}

// Processes of the earlier version work while newer ones upgrade the tables. None of their
// calls fails or reaches its time limit. A long transaction of the application, which has
// read the tables, delays them no more than that.
func TestUpgradeBesideVersion1(t *testing.T) {
	users := 10_000
	if long() {
		users = 40_000
	}
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			users := users
			if s.dialect == sqlstore.SQLite {
				users /= 5 // because SQLite keeps writers out while it builds an index
			}
			prefix := s.newPrefix(t)
			version1Tables(t, s, prefix)
			fillVersion1(t, s, prefix, users)
			old := newVersion1(t, s, prefix)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			worst := make([]time.Duration, 4)
			errs := make([]error, len(worst))
			for w := range worst {
				wg.Go(func() {
					for i := 0; errs[w] == nil; i++ {
						select {
						case <-stop:
							return
						default:
						}
						began := time.Now()
						errs[w] = old.request(t.Context(), i, fmt.Sprintf("worker-%d", w))
						worst[w] = max(worst[w], time.Since(began))
					}
				})
			}
			release := s.holdTables(t, prefix, 1500*time.Millisecond)
			began := time.Now()
			upgrades := make([]error, 3)
			var upgrading sync.WaitGroup
			for i := range upgrades {
				store, err := sqlstore.New(s.open(t), s.dialect, &sqlstore.Options{Prefix: prefix})
				require.NoError(t, err)
				upgrading.Go(func() { upgrades[i] = store.Migrate(t.Context()) })
			}
			upgrading.Wait()
			took := time.Since(began)
			release()
			close(stop)
			wg.Wait()
			require.NoError(t, errors.Join(errs...), "a process of version 1")
			require.NoError(t, errors.Join(upgrades...), "upgrades")
			t.Logf("%d sessions: upgraded in %v; slowest request of version 1, some 20 calls: %v; %d conflicts", 10*users, took, slices.Max(worst), old.conflicts.Load())
			require.NoError(t, old.request(t.Context(), 0, "afterwards"))
			s.requireUpgraded(t, prefix)
		})
	}
}

// holdTables begins a transaction that reads both tables. It ends after d or when release
// is called. In SQLite it does nothing, because readers do not delay writers there.
func (s sqlServer) holdTables(tb testing.TB, prefix string, d time.Duration) (release func()) {
	tb.Helper()
	if s.dialect == sqlstore.SQLite {
		return func() {}
	}
	tx, err := s.open(tb).BeginTx(tb.Context(), nil)
	require.NoError(tb, err)
	var n int
	require.NoError(tb, tx.QueryRowContext(tb.Context(), `SELECT COUNT(*) FROM `+prefix+`users AS u, `+prefix+`sessions AS s WHERE u.id = 'x' AND s.user_id = 'x'`).Scan(&n))
	done := make(chan struct{})
	timer := time.AfterFunc(d, func() {
		_ = tx.Rollback()
		close(done)
	})
	return func() {
		if timer.Stop() {
			_ = tx.Rollback()
			return
		}
		<-done
	}
}

// requireUpgraded expects the same tables as in a new installation, and one row for each
// version of the schema.
func (s sqlServer) requireUpgraded(t *testing.T, prefix string) {
	t.Helper()
	var versions, newest int
	db := s.open(t)
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*), MAX(version) FROM `+prefix+`schema`).Scan(&versions, &newest))
	require.Equal(t, newest, versions)
	store := s.store(t, &sqlstore.Options{Prefix: prefix})
	u, ref := signIn(t, store)
	require.NoError(t, check(t, store, ref, 0))
	require.NoError(t, store.DeleteUser(t.Context(), u.ID))
	if s.dialect == sqlstore.SQLite {
		return
	}
	fresh := s.newPrefix(t)
	s.store(t, &sqlstore.Options{Prefix: fresh})
	require.ElementsMatch(t, s.described(t, fresh), s.described(t, prefix))
	if s.dialect == sqlstore.PostgreSQL {
		var broken int
		require.NoError(t, db.QueryRowContext(t.Context(), `
SELECT COUNT(*) FROM pg_index WHERE indrelid IN ($1::regclass, $2::regclass) AND NOT indisvalid`, prefix+"users", prefix+"sessions").Scan(&broken))
		require.Zero(t, broken)
	}
}

// The next upgrade finishes one that was interrupted after any of its statements.
func TestUpgradeResumes(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			text, err := sqlstore.Schema(s.dialect, nil)
			require.NoError(t, err)
			_, second, _ := strings.Cut(text, "-- Version 2.")
			statements := strings.SplitAfter(strings.TrimSpace("-- "+second), ";\n")
			require.Greater(t, len(statements), 4)
			for done := range statements {
				prefix := s.newPrefix(t)
				version1Tables(t, s, prefix)
				for _, statement := range statements[:done] {
					execute(t, s.open(t), strings.ReplaceAll(statement, "gs_", prefix))
				}
				s.requireUpgraded(t, prefix)
			}
		})
	}
}

// PostgreSQL leaves an invalid index behind if CREATE INDEX CONCURRENTLY is interrupted. The
// next upgrade repairs it.
func TestPostgresBrokenIndex(t *testing.T) {
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	version1Tables(t, s, prefix)
	fillVersion1(t, s, prefix, 2000)
	db := s.open(t)
	// A unique index on equal values fails in the middle, as after a lost connection.
	_, err := db.ExecContext(t.Context(), `CREATE UNIQUE INDEX CONCURRENTLY `+prefix+`sessions_live ON `+prefix+`sessions (user_id)`)
	require.Error(t, err)
	var valid bool
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT indisvalid FROM pg_index WHERE indexrelid = $1::regclass`, prefix+"sessions_live").Scan(&valid))
	require.False(t, valid)
	s.requireUpgraded(t, prefix)
}

// An upgrade of PostgreSQL needs two connections. With one it fails, and the error says so.
func TestPostgresUpgradeOfOneConnection(t *testing.T) {
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	version1Tables(t, s, prefix)
	db := s.open(t)
	db.SetMaxOpenConns(1)
	store, err := sqlstore.New(db, s.dialect, &sqlstore.Options{Prefix: prefix})
	require.NoError(t, err)
	require.ErrorContains(t, store.Migrate(t.Context()), "two connections")
	db.SetMaxOpenConns(2)
	require.NoError(t, store.Migrate(t.Context()))
	_, err = store.User(t.Context(), "a")
	require.ErrorIs(t, err, googlesession.ErrNotFound)
}
