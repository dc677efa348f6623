package conformance_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/faults"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// onSQLServers runs the test on each server as a subtest.
func onSQLServers(t *testing.T, test func(t *testing.T, s sqlServer)) {
	t.Helper()
	for _, s := range sqlServers() {
		t.Run(s.name, func(t *testing.T) { test(t, s) })
	}
}

// via returns a proxy, and the server as it is reached through the proxy.
func (s sqlServer) via(tb testing.TB) (*faults.Proxy, sqlServer) {
	tb.Helper()
	dsn := s.dsn(tb)
	var p *faults.Proxy
	if s.dialect == sqlstore.MySQL {
		config, err := mysql.ParseDSN(dsn)
		require.NoError(tb, err)
		p = newProxy(tb, config.Addr)
		config.Addr = p.Addr()
		dsn = config.FormatDSN()
	} else {
		u, err := url.Parse(dsn)
		require.NoError(tb, err)
		p = newProxy(tb, u.Host)
		u.Host = p.Addr()
		dsn = u.String()
	}
	s.dsn = func(testing.TB) string { return dsn }
	return p, s
}

// A check is one round trip to the server, and a second one if its use is recorded.
func TestSQLServerRoundTrips(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		p, s := s.via(t)
		db := s.open(t)
		db.SetMaxOpenConns(1)
		store := s.migrated(t, db, &sqlstore.Options{Prefix: s.newPrefix(t)})
		_, ref := signIn(t, store)
		require.NoError(t, check(t, store, ref, 0))
		unknown := newSession(googlesession.User{ID: "x"}).Ref
		require.ErrorIs(t, check(t, store, unknown, 0), googlesession.ErrNoSession)
		_, err := store.RevokeSession(t.Context(), unknown)
		require.NoError(t, err)

		p.RoundTrips()
		for range 10 {
			require.NoError(t, check(t, store, ref, time.Hour))
		}
		require.Equal(t, 10, p.RoundTrips(), "checks")
		for range 10 {
			require.NoError(t, check(t, store, ref, 0))
		}
		require.Equal(t, 20, p.RoundTrips(), "checks that record the use")
		mustBind(t, store, ref, "bound")
		p.RoundTrips()
		for range 10 {
			require.NoError(t, check(t, store, ref, time.Hour))
		}
		require.Equal(t, 10, p.RoundTrips(), "checks of a bound session")
		for range 10 {
			require.ErrorIs(t, check(t, store, unknown, 0), googlesession.ErrNoSession)
		}
		require.Equal(t, 20, p.RoundTrips(), "checks of an unknown session, which ask whether the server is a standby")
		_, err = store.RevokeSession(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, 1, p.RoundTrips(), "a revocation")
		record(s.name, "round trips of a check", 1)
	})
}

// A server that stalls is an outage at the caller's deadline. So is a pool without a free
// connection. Afterwards the store works again.
func TestSQLServerStalls(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		p, s := s.via(t)
		db := s.open(t)
		store := s.migrated(t, db, &sqlstore.Options{Prefix: s.newPrefix(t)})
		u, ref := signIn(t, store)
		require.NoError(t, check(t, store, ref, time.Hour))
		n := newSession(u)
		n.Ref = ref
		all := storeCalls(store, n)
		all["SignIn"] = func(ctx context.Context) error {
			_, err := store.SignIn(ctx, googlesession.Identity{Subject: u.ID})
			return err
		}
		all["User"] = func(ctx context.Context) error { _, err := store.User(ctx, u.ID); return err }
		all["Users"] = func(ctx context.Context) error {
			_, err := store.Users(ctx, googlesession.UserQuery{Limit: 1})
			return err
		}
		all["DeleteUser"] = func(ctx context.Context) error { return store.DeleteUser(ctx, u.ID) }
		late := func(when string) {
			for name, call := range all {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				began := time.Now()
				err := call(ctx)
				cancel()
				require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s: %s", when, name)
				require.ErrorIs(t, err, context.DeadlineExceeded, "%s: %s", when, name)
				require.Less(t, time.Since(began), 5*time.Second, "%s: %s", when, name)
			}
		}
		p.Freeze()
		late("stalled")
		p.Cut()
		p.Thaw()
		require.Eventually(t, func() bool { return check(t, store, ref, time.Hour) == nil }, 20*time.Second, 20*time.Millisecond)

		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		late("no connection")
		require.NoError(t, conn.Close())
		require.NoError(t, check(t, store, ref, time.Hour))

		p.Down()
		for name, call := range all {
			require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
		}
		p.Up()
		require.NoError(t, check(t, store, ref, time.Hour), "no call has changed anything")
	})
}

// Two administrators remove each other's rights at the same time. One of the calls is
// refused with ErrLastAdmin, and neither fails because of a deadlock.
func TestSQLServerLastAdmin(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		o := &sqlstore.Options{Prefix: s.newPrefix(t)}
		a, b := s.store(t, o), s.store(t, o)
		u, _ := signIn(t, a)
		v, _ := signIn(t, a)
		yes, no := true, false
		for round := range 50 {
			for _, id := range []string{u.ID, v.ID} {
				_, err := a.SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &yes})
				require.NoError(t, err)
			}
			var wg sync.WaitGroup
			errs := make([]error, 2)
			wg.Go(func() { _, errs[0] = a.SetAccess(t.Context(), v.ID, googlesession.AccessChange{Admin: &no}) })
			wg.Go(func() { _, errs[1] = b.SetAccess(t.Context(), u.ID, googlesession.AccessChange{Admin: &no}) })
			wg.Wait()
			first, second := errs[0], errs[1]
			if first == nil {
				first, second = second, first
			}
			require.NoError(t, second, "round %d", round)
			require.ErrorIs(t, first, googlesession.ErrLastAdmin, "round %d", round)
		}
	})
}

// A MySQL replica is read_only, which does not stop an administrator's account. The store
// asks the server and refuses.
func TestMySQLReplicaRefuses(t *testing.T) {
	private := privateMySQL(t, "--innodb-flush-log-at-trx-commit=2")
	s := sqlServer{"MariaDB", "mysql", sqlstore.MySQL, func(testing.TB) string { return private.MySQLDSN() }}
	store := s.store(t, nil)
	u, ref := signIn(t, store)
	db := s.open(t)
	_, err := db.ExecContext(t.Context(), `CREATE USER app IDENTIFIED BY 'x'`)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `GRANT ALL ON googlesession.* TO app`)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `SET GLOBAL read_only = 1`)
	require.NoError(t, err)
	app, err := sql.Open("mysql", strings.Replace(private.MySQLDSN(), "root@", "app:x@", 1))
	require.NoError(t, err)
	t.Cleanup(func() { _ = app.Close() })
	reads, err := sqlstore.New(app, sqlstore.MySQL, nil)
	require.NoError(t, err)
	requireRefuses(t, reads, u, ref)
	findings, err := store.Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(findings), "read_only is on")
	require.Contains(t, fmt.Sprint(findings), "innodb_flush_log_at_trx_commit is 2")
}

// requireRefuses expects that each method is an outage.
func requireRefuses(t *testing.T, store *sqlstore.Store, u googlesession.User, ref googlesession.Ref) {
	t.Helper()
	n := newSession(u)
	n.Ref = ref
	for name, call := range storeCalls(store, n) {
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
	}
	require.ErrorIs(t, check(t, store, newSession(u).Ref, 0), googlesession.ErrUnavailable, "a session that has not arrived")
	_, err := store.User(t.Context(), u.ID)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	for _, q := range []googlesession.UserQuery{{Limit: 10}, {Limit: 10, EmailPrefix: "none"}} {
		_, err = store.Users(t.Context(), q)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
	}
	_, _, err = store.AllSessions(t.Context(), "", 10)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	for _, seen := range []*googlesession.BrowserID{nil, {1}} {
		_, err = store.Browsers(t.Context(), u.ID, seen)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
	}
	_, err = store.SetData(t.Context(), u.ID, "data", nil)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
}
