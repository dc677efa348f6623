package conformance_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// requireNothingBelieved expects that every method is an outage and changes nothing. dump
// returns the contents of the tables.
func requireNothingBelieved(t *testing.T, store *sqlstore.Store, u googlesession.User, r googlesession.Ref, dump func() string) {
	t.Helper()
	before := dump()
	for name, call := range allCalls(store, u, r) {
		err := call(t.Context())
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.ErrorContains(t, err, "read-only standby", name)
		require.Equal(t, before, dump(), "%s has changed something", name)
	}
	for name, err := range map[string]error{
		"an unknown session":         check(t, store, newSession(u).Ref, 0),
		"RevokeSession, unknown":     second(store.RevokeSession(t.Context(), newSession(u).Ref)),
		"RevokeUser, unknown":        second(store.RevokeUser(t.Context(), "nobody", nil)),
		"SetAccess, unknown":         second(store.SetAccess(t.Context(), "nobody", googlesession.AccessChange{})),
		"DeleteUser, unknown":        store.DeleteUser(t.Context(), "nobody"),
		"CreateSession, used before": second(store.CreateSession(t.Context(), func() googlesession.NewSession { n := newSession(u); n.Ref = r; return n }())),
	} {
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
	}
	require.Equal(t, before, dump())
	findings, err := store.Doctor(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, findings)
	require.True(t, findings[0].Severe)
}

func second[T any](_ T, err error) error { return err }

// dump returns a function that returns the contents of the tables as text.
func dump(t *testing.T, db *sql.DB) func() string {
	t.Helper()
	return func() string {
		var b strings.Builder
		for _, text := range []string{`SELECT id, version, ops, disabled, data FROM gs_users ORDER BY id`, `SELECT id, seen_ms, revoked_ms, revoked_by, binding FROM gs_sessions ORDER BY id`} {
			rows, err := db.QueryContext(t.Context(), text) //nolint:sqlclosecheck // read to the end
			require.NoError(t, err)
			for rows.Next() {
				var row [5]sql.NullString
				require.NoError(t, rows.Scan(&row[0], &row[1], &row[2], &row[3], &row[4]))
				fmt.Fprintln(&b, row)
			}
			require.NoError(t, rows.Err())
		}
		return b.String()
	}
}

// The store does not believe a MySQL or MariaDB server that is read-only, whatever the
// server calls this state, and also if the account may write nevertheless.
func TestMySQLReadOnly(t *testing.T) {
	t.Parallel()
	private := privateMySQL(t)
	s := mariaDB(private)
	db := s.open(t)
	u, r := signIn(t, s.store(t, nil))
	execute := func(texts ...string) {
		for _, text := range texts {
			_, err := db.ExecContext(t.Context(), text)
			require.NoError(t, err)
		}
	}
	open := func(words ...string) *sqlstore.Store {
		connector := &clockedConnector{driver: db.Driver(), dsn: s.dsn(t), clock: &sqlClock{words: words}}
		pool := sql.OpenDB(connector)
		t.Cleanup(func() { _ = pool.Close() })
		store, err := sqlstore.New(pool, sqlstore.MySQL, nil)
		require.NoError(t, err)
		return store
	}
	t.Run("read_only, an administrator's account", func(t *testing.T) {
		execute(`SET GLOBAL read_only = 1`)
		requireNothingBelieved(t, open(), u, r, dump(t, db))
		execute(`SET GLOBAL read_only = 0`)
		require.NoError(t, check(t, open(), r, time.Hour))
	})
	// In MariaDB 12 the value of read_only is a word. In older versions that of
	// event_scheduler is one, so it stands in for read_only.
	for _, word := range []string{"ON", "OFF"} {
		t.Run("read_only, the word "+word, func(t *testing.T) {
			execute(`SET GLOBAL event_scheduler = ` + word)
			store := open("@@global.read_only", "@@global.event_scheduler")
			if word == "ON" {
				requireNothingBelieved(t, store, u, r, dump(t, db))
				return
			}
			require.NoError(t, check(t, store, r, time.Hour))
			_, err := store.User(t.Context(), u.ID)
			require.NoError(t, err)
			_, ref := signIn(t, store)
			_, err = store.RevokeSession(t.Context(), ref)
			require.NoError(t, err)
			findings, err := store.Doctor(t.Context())
			require.NoError(t, err)
			require.NotContains(t, fmt.Sprint(findings), "read_only")
		})
	}
	t.Run("read_only, other words", func(t *testing.T) {
		for word, want := range map[string]bool{"'NO_LOCK'": true, "'NO_LOCK_NO_ADMIN'": true, "1": true, "'1'": true, "0": false, "'0'": false} {
			store := open("@@global.read_only", word)
			_, err := store.User(t.Context(), u.ID)
			require.Equal(t, want, err != nil, word)
		}
	})
	t.Run("innodb_read_only, as on a reader of Amazon Aurora", func(t *testing.T) {
		private.Stop()
		private.Add("--innodb-read-only=1")
		require.NoError(t, private.Start(t.Context()))
		store := open()
		requireNothingBelieved(t, store, u, r, dump(t, db))
		findings, err := store.Doctor(t.Context())
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(findings), "innodb_read_only is on")
	})
	record("MariaDB", "servers that are not believed", 8)
}

// The store does not believe a PostgreSQL primary whose sessions are read-only, because
// another server may be the primary by now.
func TestPostgresReadOnlySessions(t *testing.T) {
	t.Parallel()
	private := privatePostgres(t, "fsync = off")
	for _, driver := range []string{"pgx", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			s := sqlServer{"PostgreSQL", driver, sqlstore.PostgreSQL, func(testing.TB) string { return private.PostgresDSN() }}
			db := s.open(t)
			u, r := signIn(t, s.store(t, nil))
			s.dsn = func(testing.TB) string { return private.PostgresDSN() + "&default_transaction_read_only=on" }
			store, err := sqlstore.New(s.open(t), sqlstore.PostgreSQL, nil)
			require.NoError(t, err)
			requireNothingBelieved(t, store, u, r, dump(t, db))
			record("PostgreSQL", "servers that are not believed", 1)
		})
	}
}

// With binlog_format=STATEMENT a server refuses every change in a transaction at READ
// COMMITTED. The value of the connection counts, not the global one.
func TestMySQLBinlogFormat(t *testing.T) {
	t.Parallel()
	private := privateMySQL(t, "--log-bin=log", "--server-id=1", "--binlog-format=STATEMENT")
	open := func(parameters string) *sqlstore.Store {
		s := mariaDB(private)
		s.dsn = func(testing.TB) string { return private.MySQLDSN() + parameters }
		store, err := sqlstore.New(s.open(t), sqlstore.MySQL, nil)
		require.NoError(t, err)
		return store
	}
	requireSetup := func(name string, err error) {
		require.ErrorIs(t, err, sqlstore.ErrSetup, name)
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.ErrorContains(t, err, "binlog_format is STATEMENT, must be ROW or MIXED", name)
	}
	require.NoError(t, open("?binlog_format='ROW'").Migrate(t.Context()))
	for name, call := range allCalls(open(""), googlesession.User{ID: "1", Version: 1}, newSession(googlesession.User{ID: "1"}).Ref) {
		requireSetup(name, call(t.Context()))
	}
	_, err := open("").Doctor(t.Context())
	requireSetup("Doctor", err)

	works := open("?binlog_format='MIXED'")
	u, r := signIn(t, works)
	require.NoError(t, check(t, works, r, 0))

	// The setting is changed after the store has looked at it.
	db := mariaDB(private).open(t)
	_, err = db.ExecContext(t.Context(), `SET GLOBAL binlog_format = 'ROW'`)
	require.NoError(t, err)
	pool := mariaDB(private).open(t)
	pool.SetMaxOpenConns(1)
	changed, err := sqlstore.New(pool, sqlstore.MySQL, nil)
	require.NoError(t, err)
	require.NoError(t, check(t, changed, r, time.Hour))
	_, err = pool.ExecContext(t.Context(), `SET SESSION binlog_format = 'STATEMENT'`)
	require.NoError(t, err)
	_, err = changed.RevokeUser(t.Context(), u.ID, nil)
	requireSetup("RevokeUser", err)
	_, err = changed.Doctor(t.Context())
	requireSetup("Doctor", err)
}

// Doctor looks at wsrep_sync_wait, which decides what a Galera node waits for before it
// answers.
func TestMySQLGaleraDoctor(t *testing.T) {
	t.Parallel()
	provider, err := servers.GaleraProvider()
	skipWithout(t, err)
	private := privateMySQL(t, "--binlog-format=ROW", "--wsrep-on=ON", "--wsrep-provider="+provider, "--wsrep-new-cluster",
		"--wsrep-cluster-address=gcomm://", "--wsrep-node-address=127.0.0.1", "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:0")
	for parameters, want := range map[string]bool{"": true, "?wsrep_sync_wait=1": true, "?wsrep_sync_wait=7": false} {
		s := mariaDB(private)
		s.dsn = func(testing.TB) string { return private.MySQLDSN() + parameters }
		store, err := sqlstore.New(s.open(t), sqlstore.MySQL, nil)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return store.Migrate(t.Context()) == nil }, 20*time.Second, 50*time.Millisecond)
		_, r := signIn(t, store)
		require.NoError(t, check(t, store, r, 0))
		findings, err := store.Doctor(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, strings.Contains(fmt.Sprint(findings), "wsrep_sync_wait is "), "%s: %v", parameters, findings)
	}
}
