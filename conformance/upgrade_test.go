package conformance_test

import (
	"context"
	"errors"
	"fmt"
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

// Processes of an earlier version work while newer ones upgrade the tables, and beside them
// afterwards. No call fails, and none reaches the time limit of a Manager. Every session that was live stays
// live, and every session that has ended stays ended, whichever version has made it, ends it
// or checks it. A long transaction of the application, which has read the tables, does not
// change that.
func TestUpgradeBesideEarlierVersion(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		for version := 1; version < len(s.migrations(t, "gs_")); version++ {
			t.Run(fmt.Sprintf("%s from version %d", s.name, version), func(t *testing.T) {
				f := &filling{users: 30_000, sessions: 100_000}
				if version == 1 && !long() {
					f = &filling{users: 3000, sessions: 10_000}
				}
				testUpgrade(t, s, version, f)
			})
		}
	}
}

func testUpgrade(t *testing.T, s sqlServer, version int, f *filling) {
	prefix := s.newPrefix(t)
	earlierTables(t, s, prefix, version)
	f.insert(t, s, prefix)
	old := newEarlierProcess(t, s, prefix, version)
	l := startLoad(t, f, old)
	release := s.holdTables(t, prefix, 1500*time.Millisecond)
	began := time.Now()
	upgrades := make([]error, 3)
	var upgrading sync.WaitGroup
	for i := range upgrades {
		store, err := sqlstore.New(s.open(t), s.dialect, &sqlstore.Options{Prefix: prefix})
		require.NoError(t, err)
		t.Cleanup(func() { _ = store.Close() })
		upgrading.Go(func() {
			if upgrades[i] = store.Migrate(t.Context()); upgrades[i] == nil {
				l.join(newProcess{store})
			}
		})
	}
	upgrading.Wait()
	took := time.Since(began)
	release()
	during := l.calls.Load()
	ended := l.finish()
	require.NoError(t, errors.Join(upgrades...), "upgrades")
	require.NoError(t, errors.Join(l.errs...), "a process")
	t.Logf("%d sessions: upgraded in %v; %d calls meanwhile and %d beside the new version; slowest: %v; %d conflicts",
		f.sessions, took.Round(time.Millisecond), during, l.calls.Load()-during, l.slowest().Round(time.Millisecond), old.conflicts.Load())

	require.Less(t, l.slowest(), l.limit(), "the slowest call")
	f.requireKept(t, s, prefix, ended)
	store := newProcess{s.store(t, &sqlstore.Options{Prefix: prefix})}
	for i := 0; i < f.sessions; i += f.sessions / 300 {
		live, err := store.isLive(t.Context(), f.ref(i))
		require.NoError(t, err)
		require.Equal(t, f.isLive(i) && !ended[i], live, "session %d", i)
	}
	s.requireUpgraded(t, prefix, s.fresh(t))
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

// fresh returns the description of a new installation.
func (s sqlServer) fresh(t *testing.T) []string {
	t.Helper()
	prefix := s.newPrefix(t)
	s.store(t, &sqlstore.Options{Prefix: prefix})
	return s.described(t, prefix)
}

// requireUpgraded upgrades the tables and expects those of a new installation, which fresh
// describes, and one row for each version of the schema.
func (s sqlServer) requireUpgraded(t *testing.T, prefix string, fresh []string) {
	t.Helper()
	var versions, newest int
	db, store := s.open(t), s.store(t, &sqlstore.Options{Prefix: prefix})
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*), MAX(version) FROM `+prefix+`schema`).Scan(&versions, &newest))
	require.Len(t, s.migrations(t, prefix), newest)
	require.Equal(t, newest, versions)
	u, ref := signIn(t, store)
	require.NoError(t, check(t, store, ref, 0))
	require.NoError(t, store.DeleteUser(t.Context(), u.ID))
	require.ElementsMatch(t, fresh, s.described(t, prefix))
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
			want := s.fresh(t)
			for version, m := range s.migrations(t, "gs_") {
				if version == 0 {
					continue // TestMySQLMigrationResumes
				}
				require.GreaterOrEqual(t, len(m.Steps), 2)
				for done := range m.Steps {
					// The end of the subtest closes its connections, of which a server has few.
					t.Run(fmt.Sprintf("%s after %d", m.Name, done), func(t *testing.T) {
						prefix := s.newPrefix(t)
						earlierTables(t, s, prefix, version)
						steps := s.migrations(t, prefix)[version].Steps[:done]
						s.apply(t, s.open(t), sqlstore.Migration{Steps: steps})
						s.requireUpgraded(t, prefix, want)
					})
				}
			}
		})
	}
}

// PostgreSQL leaves an invalid index behind if CREATE INDEX CONCURRENTLY is interrupted. The
// next upgrade repairs it.
func TestPostgresBrokenIndex(t *testing.T) {
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	earlierTables(t, s, prefix, 1)
	f := &filling{users: 2000, sessions: 20_000}
	f.insert(t, s, prefix)
	db := s.open(t)
	// A unique index on equal values fails in the middle, as after a lost connection.
	_, err := db.ExecContext(t.Context(), `CREATE UNIQUE INDEX CONCURRENTLY `+prefix+`sessions_live ON `+prefix+`sessions (user_id)`)
	require.Error(t, err)
	var valid bool
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT indisvalid FROM pg_index WHERE indexrelid = $1::regclass`, prefix+"sessions_live").Scan(&valid))
	require.False(t, valid)
	s.requireUpgraded(t, prefix, s.fresh(t))
}

// An upgrade of PostgreSQL needs two connections. With one it fails, and the error says so.
func TestPostgresUpgradeOfOneConnection(t *testing.T) {
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	earlierTables(t, s, prefix, 1)
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

// In PostgreSQL the building of an index waits for every transaction that has a snapshot. An
// upgrade that waits for another one has a transaction too, and the two must not wait for
// each other.
func TestPostgresUpgradesAtOnce(t *testing.T) {
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	earlierTables(t, s, prefix, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		store, err := sqlstore.New(s.open(t), s.dialect, &sqlstore.Options{Prefix: prefix})
		require.NoError(t, err)
		wg.Go(func() { errs[i] = store.Migrate(ctx) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}
