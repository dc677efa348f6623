package conformance_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// Clients work while the server crashes and restarts. No acknowledged change is lost.
func TestPostgresKilled(t *testing.T) {
	private := privatePostgres(t)
	s := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return private.PostgresDSN() }}
	handles := []googlesession.SessionStore{s.store(t, nil), s.store(t, nil), s.store(t, nil)}
	seed := firstSeed(t)
	for i := range disturbances() {
		var restarted error
		r := untilOver(t, seed+uint64(i), func() {
			private.End(syscall.SIGQUIT) // an "immediate" shutdown, without a checkpoint
			restarted = private.Start(context.WithoutCancel(t.Context()))
		}, handles...)
		require.NoError(t, restarted)
		requireSound(t, r, seed+uint64(i))
		record("PostgreSQL", "kill and restart", 1)
	}
}

// A standby still has a session that was revoked on the primary. The store on the standby
// refuses to answer.
func TestPostgresStandbyRefuses(t *testing.T) {
	primary := privatePostgres(t, "fsync = off")
	standby, err := servers.NewPostgresStandby(t.Context(), primary.Addr)
	standby = started(t, standby, err)
	server := func(s *servers.Server) sqlServer {
		return sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return s.PostgresDSN() }}
	}
	writes := server(primary).store(t, nil)
	reads, err := sqlstore.New(server(standby).open(t), sqlstore.PostgreSQL, nil)
	require.NoError(t, err)
	u, ref := signIn(t, writes)
	behind := server(standby).open(t)
	require.Eventually(t, func() bool {
		var n int
		err := behind.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM gs_sessions`).Scan(&n)
		return err == nil && n == 1
	}, 20*time.Second, 20*time.Millisecond)
	_, err = behind.ExecContext(t.Context(), `SELECT pg_wal_replay_pause()`)
	require.NoError(t, err)
	_, err = writes.RevokeSession(t.Context(), ref)
	require.NoError(t, err)

	requireRefuses(t, reads, u, ref)
	findings, err := reads.Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(findings), "standby")
	require.True(t, findings[0].Severe)
	findings, err = writes.Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(findings), "fsync is off")
	require.Contains(t, fmt.Sprint(findings), "asynchronous")
}

// A revocation waits for the server's disk although synchronous_commit is off. The store
// does not weaken a stronger setting.
func TestPostgresSynchronousCommit(t *testing.T) {
	for setting, want := range map[string]string{"off": "on", "local": "on", "on": "on", "remote_apply": "remote_apply"} {
		s := sqlServers()[0]
		dsn := s.dsn(t)
		s.dsn = func(testing.TB) string {
			u, err := url.Parse(dsn)
			require.NoError(t, err)
			q := u.Query()
			q.Set("synchronous_commit", setting)
			u.RawQuery = q.Encode()
			return u.String()
		}
		prefix := s.newPrefix(t)
		store := s.store(t, &sqlstore.Options{Prefix: prefix})
		db := s.open(t)
		_, err := db.ExecContext(t.Context(), `CREATE TABLE `+prefix+`seen (setting TEXT)`)
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = db.ExecContext(context.WithoutCancel(t.Context()), `DROP TABLE `+prefix+`seen`) })
		// A deferred trigger runs at the commit and sees the setting that is in force then.
		_, err = db.ExecContext(t.Context(), `CREATE FUNCTION `+prefix+`note() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN INSERT INTO `+prefix+`seen VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END'`)
		require.NoError(t, err)
		t.Cleanup(func() {
			_, _ = db.ExecContext(context.WithoutCancel(t.Context()), `DROP FUNCTION `+prefix+`note CASCADE`)
		})
		for _, event := range []string{"UPDATE OF revoked_ms ON " + prefix + "sessions", "UPDATE OF disabled ON " + prefix + "users"} {
			_, err = db.ExecContext(t.Context(), `CREATE CONSTRAINT TRIGGER t`+strings.ToLower(rand.Text()[:8])+` AFTER `+event+
				` DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION `+prefix+`note()`)
			require.NoError(t, err)
		}
		u, _ := signIn(t, store)
		yes := true
		for name, end := range map[string]func() error{
			"RevokeSession": func() error {
				_, ref := signIn(t, store)
				_, err := store.RevokeSession(t.Context(), ref)
				return err
			},
			"RevokeUser": func() error { create(t, store, u); _, err := store.RevokeUser(t.Context(), u.ID, nil); return err },
			"SetAccess": func() error {
				v, _ := signIn(t, store)
				_, err := store.SetAccess(t.Context(), v.ID, googlesession.AccessChange{Disabled: &yes})
				return err
			},
			"PutUser": func() error {
				v, _ := signIn(t, store)
				v.Disabled, v.Version = true, v.Version+1
				_, err := store.PutUser(t.Context(), v)
				return err
			},
			"DeleteUser": func() error { v, _ := signIn(t, store); return store.DeleteUser(t.Context(), v.ID) },
		} {
			_, err := db.ExecContext(t.Context(), `TRUNCATE `+prefix+`seen`)
			require.NoError(t, err)
			require.NoError(t, end(), name)
			var least, most sql.NullString
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT MIN(setting), MAX(setting) FROM `+prefix+`seen`).Scan(&least, &most))
			require.Equal(t, []string{want, want}, []string{least.String, most.String}, "%s with %s", name, setting)
		}
	}
}

// Recording a use changes no index (PostgreSQL calls that a heap-only tuple).
func TestPostgresTouchesAreHOT(t *testing.T) {
	t.Parallel() // it waits for the server's statistics
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	store, db := s.store(t, &sqlstore.Options{Prefix: prefix}), s.open(t)
	_, ref := signIn(t, store)
	for range 300 {
		require.NoError(t, check(t, store, ref, 0))
	}
	require.Eventually(t, func() bool {
		var updates, hot int
		err := db.QueryRowContext(t.Context(), `SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = $1`, prefix+"sessions").Scan(&updates, &hot)
		return err == nil && updates >= 300 && updates == hot
	}, 30*time.Second, 100*time.Millisecond)
}
