package conformance_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

func mariaDB(s *servers.Server) sqlServer {
	return sqlServer{"MariaDB", "mysql", sqlstore.MySQL, func(testing.TB) string { return s.MySQLDSN() }}
}

// A row of the table in docs/operations.md. While no semi-synchronous replica confirms, no
// revocation is acknowledged. Other connections see the first attempt at once, and an
// update that changes nothing does not wait for a replica, so a repeated call is the
// harder case.
func TestMySQLSemiSynchronousReplica(t *testing.T) {
	t.Parallel()
	primary := privateMySQL(t, "--log-bin=log", "--binlog-format=ROW", "--server-id=1",
		"--rpl-semi-sync-master-timeout=600000", "--rpl-semi-sync-master-wait-point=AFTER_COMMIT")
	network := newProxy(t, primary.Addr)
	replica := privateMySQL(t, "--server-id=2", "--rpl-semi-sync-slave-enabled=ON")
	s := mariaDB(primary)
	db, admin := s.open(t), mariaDB(replica).open(t)
	_, err := db.ExecContext(t.Context(), `SET GLOBAL rpl_semi_sync_master_enabled = ON`)
	require.NoError(t, err)
	host, port, _ := strings.Cut(network.Addr(), ":")
	for _, text := range []string{
		fmt.Sprintf(`CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = %s, MASTER_USER = 'root', MASTER_USE_GTID = slave_pos`, host, port),
		`START SLAVE`,
	} {
		_, err := admin.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		var name, clients string
		err := db.QueryRowContext(t.Context(), `SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'`).Scan(&name, &clients)
		return err == nil && clients == "1"
	}, 20*time.Second, 20*time.Millisecond)

	ended := requireWaits(t, s.store(t, nil), endings(), network.Freeze, network.Thaw)
	primary.Kill()
	after, err := sqlstore.New(admin, sqlstore.MySQL, nil)
	require.NoError(t, err)
	for _, ref := range ended { // the replica has received the endings and may not have applied them yet
		require.Eventually(t, func() bool { return check(t, after, ref, time.Hour) != nil }, 20*time.Second, 20*time.Millisecond)
		require.ErrorIs(t, check(t, after, ref, time.Hour), googlesession.ErrNoSession)
	}
	record("MariaDB", "endings, repeated without a replica", len(ended))
}

// Rows of the table in docs/operations.md. An acknowledged ending survives a crash of the
// server, also with a server that does not wait for its disk at each commit. SIGKILL loses
// what the server has not written, as a power cut does.
func TestSQLServerCrash(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) (*servers.Server, sqlServer){
		"PostgreSQL": func(t *testing.T) (*servers.Server, sqlServer) {
			// Otherwise the WAL writer would write what the commits have left in memory.
			private := privatePostgres(t, "synchronous_commit = off", "wal_writer_delay = 10s", "wal_writer_flush_after = 0")
			return private, sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return private.PostgresDSN() }}
		},
		"MariaDB": func(t *testing.T) (*servers.Server, sqlServer) {
			private := privateMySQL(t)
			return private, mariaDB(private)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			private, s := start(t)
			store := s.store(t, nil)
			var ended []googlesession.Ref
			for _, e := range append(endings(), evicted) {
				u, ref := e.before(t, store)
				if e.after != nil {
					require.NoError(t, e.after(t.Context(), store, u))
				}
				if err := e.end(t.Context(), store, u, ref); err != nil {
					require.ErrorIs(t, err, googlesession.ErrNotFound)
				}
				ended = append(ended, ref)
				private.End(syscall.SIGKILL)
				// PostgreSQL does not start while processes of the killed one still end.
				require.Eventually(t, func() bool { return private.Start(context.WithoutCancel(t.Context())) == nil },
					20*time.Second, 100*time.Millisecond)
				require.Eventually(t, func() bool {
					_, err := store.User(t.Context(), "x")
					return err != nil && strings.Contains(err.Error(), googlesession.ErrNotFound.Error())
				}, 20*time.Second, 20*time.Millisecond)
				require.ErrorIs(t, check(t, store, ref, time.Hour), googlesession.ErrNoSession, e.name)
			}
			record(s.name, "endings before a crash", len(ended))
		})
	}
}
