package conformance_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/faults"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A switchOver is a primary, a standby and an address that leads to one of them.
type switchOver struct {
	sqlServer // reached by the address

	address          *faults.Proxy
	primary, standby *servers.Server
	truth            *sqlstore.Store // always on the primary
}

func (o *switchOver) toStandby() { o.address.Lead(o.standby.Addr) }
func (o *switchOver) toPrimary() { o.address.Lead(o.primary.Addr) }

func newPostgresSwitchOver(t *testing.T) *switchOver {
	t.Helper()
	primary := privatePostgres(t, "fsync = off")
	standby, err := servers.NewPostgresStandby(t.Context(), primary.Addr)
	standby = started(t, standby, err)
	o := &switchOver{primary: primary, standby: standby, address: newProxy(t, primary.Addr)}
	o.sqlServer = sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string {
		return strings.Replace(primary.PostgresDSN(), primary.Addr, o.address.Addr(), 1)
	}}
	o.truth = sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return primary.PostgresDSN() }}.store(t, nil)
	behind, err := sql.Open("pgx", standby.PostgresDSN())
	require.NoError(t, err)
	defer func() { _ = behind.Close() }()
	require.Eventually(t, func() bool {
		_, err := behind.ExecContext(t.Context(), `SELECT 1 FROM gs_sessions`)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	return o
}

// newMySQLSwitchOver starts two servers with the same tables, one of which is read_only.
func newMySQLSwitchOver(t *testing.T) *switchOver {
	t.Helper()
	primary, standby := privateMySQL(t), privateMySQL(t)
	mariaDB(standby).store(t, nil)
	o := &switchOver{primary: primary, standby: standby, address: newProxy(t, primary.Addr), truth: mariaDB(primary).store(t, nil)}
	for _, s := range []*servers.Server{primary, standby} {
		db := mariaDB(s).open(t)
		for _, text := range []string{`CREATE USER app IDENTIFIED BY 'x'`, `GRANT ALL ON googlesession.* TO app`} {
			_, err := db.ExecContext(t.Context(), text)
			require.NoError(t, err)
		}
		if s == standby {
			_, err := db.ExecContext(t.Context(), `SET GLOBAL read_only = 1`)
			require.NoError(t, err)
		}
	}
	o.sqlServer = sqlServer{"MariaDB", "mysql", sqlstore.MySQL, func(testing.TB) string { return "app:x@tcp(" + o.address.Addr() + ")/googlesession" }}
	return o
}

// allCalls returns a call of each method of sqlstore that reads or changes data.
func allCalls(store *sqlstore.Store, u googlesession.User, r googlesession.Ref) map[string]func(context.Context) error {
	n := newSession(u)
	n.Ref = r
	calls := storeCalls(store, n)
	yes := true
	calls["SignIn"] = func(ctx context.Context) error {
		_, err := store.SignIn(ctx, googlesession.Identity{Subject: u.ID})
		return err
	}
	calls["User"] = func(ctx context.Context) error { _, err := store.User(ctx, u.ID); return err }
	calls["Users"] = func(ctx context.Context) error {
		_, err := store.Users(ctx, googlesession.UserQuery{Limit: 1})
		return err
	}
	calls["Users by e-mail"] = func(ctx context.Context) error {
		_, err := store.Users(ctx, googlesession.UserQuery{Limit: 1, EmailPrefix: "a"})
		return err
	}
	calls["AllSessions"] = func(ctx context.Context) error { _, _, err := store.AllSessions(ctx, "", 1); return err }
	calls["Browsers"] = func(ctx context.Context) error { _, err := store.Browsers(ctx, u.ID, nil); return err }
	calls["Browsers with a new one"] = func(ctx context.Context) error {
		_, err := store.Browsers(ctx, u.ID, &googlesession.BrowserID{1})
		return err
	}
	calls["SetData"] = func(ctx context.Context) error { _, err := store.SetData(ctx, u.ID, "data", nil); return err }
	calls["SetAccess"] = func(ctx context.Context) error {
		_, err := store.SetAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
		return err
	}
	calls["RefuseTokens"] = func(ctx context.Context) error {
		_, err := store.RefuseTokens(ctx, u.ID, time.Unix(4e9, 0))
		return err
	}
	calls["DeleteUser"] = func(ctx context.Context) error { return store.DeleteUser(ctx, u.ID) }
	calls["Purge"] = func(ctx context.Context) error { _, err := store.Purge(ctx, 1); return err }
	calls["Migrate"] = store.Migrate
	return calls
}

// An address leads to a standby for a while, as it does in a failover that is slow or
// undone. Meanwhile each method is an outage. It works again soon after the address leads
// back to the primary, because no connection to the standby stays in the pool.
func TestSwitchOver(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]struct {
		start   func(*testing.T) *switchOver
		drivers []string
	}{
		"PostgreSQL": {newPostgresSwitchOver, []string{"pgx", "postgres"}},
		"MariaDB":    {newMySQLSwitchOver, []string{"mysql"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup.start(t)
			t.Run("settings of the driver", func(t *testing.T) { driverFindsPrimary(t, o) })
			for _, driver := range setup.drivers {
				o.driver = driver
				for method := range allCalls(o.truth, googlesession.User{}, googlesession.Ref{}) {
					t.Run(driver+"/"+method, func(t *testing.T) { switchedOver(t, o, method) })
				}
				t.Run(driver+"/Doctor", func(t *testing.T) { doctorSwitchedOver(t, o) })
				t.Run(driver+"/under load", func(t *testing.T) { switchedOverUnderLoad(t, o) })
				t.Run(driver+"/few connections", func(t *testing.T) { refusedWithFewConnections(t, o) })
			}
		})
	}
}

// driverFindsPrimary uses the drivers' own settings that docs/operations.md recommends.
func driverFindsPrimary(t *testing.T, o *switchOver) {
	u, r := signIn(t, o.truth)
	if o.dialect == sqlstore.PostgreSQL { // the data source name has both servers, the standby first
		both := sqlServer{o.name, "pgx", o.dialect, func(testing.TB) string {
			return strings.Replace(o.primary.PostgresDSN(), o.primary.Addr, o.standby.Addr+","+o.primary.Addr, 1) + "&target_session_attrs=read-write"
		}}
		store, err := sqlstore.New(both.open(t), o.dialect, nil)
		require.NoError(t, err)
		require.NoError(t, check(t, store, r, 0))
		return
	}
	// The driver closes a connection on which a write was refused.
	rejects := sqlServer{o.name, "mysql", o.dialect, func(tb testing.TB) string { return o.dsn(tb) + "?rejectReadOnly=true" }}
	o.toStandby()
	store, err := sqlstore.New(rejects.open(t), o.dialect, nil)
	require.NoError(t, err)
	for name, call := range allCalls(store, u, r) {
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
	}
	o.toPrimary()
	_, _ = store.User(t.Context(), u.ID)
	require.NoError(t, check(t, store, r, 0))
}

// warm opens n connections and leaves them idle in the pool.
func warm(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	var conns []*sql.Conn
	for range n {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
}

func (o *switchOver) pool(t *testing.T) (*sql.DB, *sqlstore.Store) {
	t.Helper()
	db := o.open(t)
	db.SetMaxIdleConns(5)
	store, err := sqlstore.New(db, o.dialect, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return db, store
}

func switchedOver(t *testing.T, o *switchOver, method string) {
	o.toPrimary()
	db, store := o.pool(t)
	u, r := signIn(t, o.truth)
	require.NoError(t, check(t, store, r, time.Hour), "the statements are prepared")
	db.SetMaxIdleConns(0)
	db.SetMaxIdleConns(5)

	o.toStandby()
	warm(t, db, 5)
	call := allCalls(store, u, r)[method]
	for range 3 {
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable)
	}
	o.toPrimary()
	// The last refused call may have opened one more.
	err := call(t.Context())
	if err != nil {
		err = call(t.Context())
	}
	require.NoError(t, err, "with an address that leads to the primary")
	for range 10 {
		_, err := store.Users(t.Context(), googlesession.UserQuery{Limit: 1})
		require.NoError(t, err, "another connection")
	}
	record(o.name, "methods after a switch-over", 1)
}

// doctorSwitchedOver expects that Doctor reports the standby instead of failing.
func doctorSwitchedOver(t *testing.T, o *switchOver) {
	o.toStandby()
	db, store := o.pool(t)
	warm(t, db, 5)
	findings, err := store.Doctor(t.Context())
	if err == nil {
		require.NotEmpty(t, findings)
		require.True(t, findings[0].Severe)
	}
	require.LessOrEqual(t, db.Stats().Idle, 1)
	o.toPrimary()
	_, _ = store.Users(t.Context(), googlesession.UserQuery{Limit: 1})
	_, err = store.Users(t.Context(), googlesession.UserQuery{Limit: 1})
	require.NoError(t, err)
}

// switchedOverUnderLoad lets requests wait for connections, so that none is ever idle.
func switchedOverUnderLoad(t *testing.T, o *switchOver) {
	o.toPrimary()
	_, r := signIn(t, o.truth)
	db, store := o.pool(t)
	require.NoError(t, check(t, store, r, time.Hour))
	db.SetMaxIdleConns(0)
	o.toStandby()
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(2)
	var stop atomic.Bool
	var refused, admitted atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for !stop.Load() {
				if _, err := store.CheckSession(t.Context(), r, time.Hour); err != nil {
					refused.Add(1)
				} else {
					admitted.Add(1)
				}
			}
		})
	}
	require.Eventually(t, func() bool { return refused.Load() > 50 }, 20*time.Second, time.Millisecond)
	o.toPrimary()
	require.Eventually(t, func() bool {
		before := refused.Load()
		time.Sleep(100 * time.Millisecond) //nolint:forbidigo // a real server
		return admitted.Load() > 0 && refused.Load() == before
	}, 20*time.Second, time.Millisecond)
	stop.Store(true)
	wg.Wait()
}

// refusedWithFewConnections expects that a refused call costs at most one new connection
// while the only server is a standby.
func refusedWithFewConnections(t *testing.T, o *switchOver) {
	t.Cleanup(o.toPrimary)
	_, r := signIn(t, o.truth)
	o.toStandby()
	db := o.open(t)
	var opened atomic.Int64
	counted := sql.OpenDB(&countedConnector{db.Driver(), o.dsn(t), &opened})
	t.Cleanup(func() { _ = counted.Close() })
	counted.SetMaxOpenConns(10)
	store, err := sqlstore.New(counted, o.dialect, nil)
	require.NoError(t, err)
	done := make(chan int)
	for range 8 {
		go func() {
			refused := 0
			for range 50 {
				if _, err := store.CheckSession(t.Context(), r, time.Hour); err != nil {
					refused++
				}
			}
			done <- refused
		}()
	}
	refused := 0
	for range 8 {
		refused += <-done
	}
	require.Equal(t, 400, refused)
	require.LessOrEqual(t, opened.Load(), int64(refused+10), "connections for %d refused calls", refused)
	t.Log(opened.Load(), "connections")
}

// A countedConnector counts the connections that it opens.
type countedConnector struct {
	driver driver.Driver
	dsn    string
	opened *atomic.Int64
}

func (c *countedConnector) Driver() driver.Driver { return c.driver }

func (c *countedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c.opened.Add(1)
	d, ok := c.driver.(driver.DriverContext)
	if !ok {
		return c.driver.Open(c.dsn)
	}
	connector, err := d.OpenConnector(c.dsn)
	if err != nil {
		return nil, err
	}
	return connector.Connect(ctx)
}
