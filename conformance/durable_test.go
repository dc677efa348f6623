package conformance_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// An ending is a way to end a session.
type ending struct {
	name   string
	before func(*testing.T, *sqlstore.Store) (googlesession.User, googlesession.Ref) // makes the session
	after  func(context.Context, *sqlstore.Store, googlesession.User) error          // runs before end, once the standby is cut off; may be nil
	end    func(context.Context, *sqlstore.Store, googlesession.User, googlesession.Ref) error
}

func endings() []ending {
	yes := true
	one := func(t *testing.T, s *sqlstore.Store) (googlesession.User, googlesession.Ref) { return signIn(t, s) }
	revoke := func(ctx context.Context, s *sqlstore.Store, _ googlesession.User, r googlesession.Ref) error {
		_, err := s.RevokeSession(ctx, r)
		return err
	}
	revokeUser := func(ctx context.Context, s *sqlstore.Store, u googlesession.User, _ googlesession.Ref) error {
		_, err := s.RevokeUser(ctx, u.ID, nil)
		return err
	}
	deleteUser := func(ctx context.Context, s *sqlstore.Store, u googlesession.User) error {
		return s.DeleteUser(ctx, u.ID)
	}
	return []ending{
		{"RevokeSession", one, nil, revoke},
		{"RevokeSession, RevokeUser before", one, func(ctx context.Context, s *sqlstore.Store, u googlesession.User) error {
			_, err := s.RevokeUser(ctx, u.ID, nil)
			return err
		}, revoke},
		{"RevokeSession, DeleteUser before", one, deleteUser, revoke},
		{"RevokeUser", one, nil, revokeUser},
		{"RevokeUser, DeleteUser before", one, deleteUser, revokeUser},
		{"SetAccess", one, nil, func(ctx context.Context, s *sqlstore.Store, u googlesession.User, _ googlesession.Ref) error {
			_, err := s.SetAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
			return err
		}},
		{"PutUser", one, nil, func(ctx context.Context, s *sqlstore.Store, u googlesession.User, _ googlesession.Ref) error {
			u.Disabled, u.Version = true, u.Version+1
			_, err := s.PutUser(ctx, u)
			return err
		}},
		{"DeleteUser", one, nil, func(ctx context.Context, s *sqlstore.Store, u googlesession.User, _ googlesession.Ref) error {
			return deleteUser(ctx, s, u)
		}},
		{"RefuseTokens", one, nil, func(ctx context.Context, s *sqlstore.Store, u googlesession.User, _ googlesession.Ref) error {
			_, err := s.RefuseTokens(ctx, u.ID, time.Unix(4e9, 0))
			return err
		}},
	}
}

// evicted revokes a session that a later sign-in has evicted. It is only for a server on
// which a sign-in does not wait for the standby.
var evicted = ending{"RevokeSession of an evicted session", func(t *testing.T, s *sqlstore.Store) (googlesession.User, googlesession.Ref) {
	t.Helper()
	return signIn(t, s)
}, func(ctx context.Context, s *sqlstore.Store, u googlesession.User) error {
	n := newSession(u)
	n.Max = 1
	_, err := s.CreateSession(ctx, n)
	return err
}, func(ctx context.Context, s *sqlstore.Store, _ googlesession.User, r googlesession.Ref) error {
	_, err := s.RevokeSession(ctx, r)
	return err
}}

// requireWaits tries each ending three times while no standby confirms anything. None of
// the calls may be acknowledged. When a standby confirms again, it ends the sessions and
// returns them.
func requireWaits(t *testing.T, store *sqlstore.Store, all []ending, cut, mend func()) (ended []googlesession.Ref) {
	t.Helper()
	users, refs := make([]googlesession.User, len(all)), make([]googlesession.Ref, len(all))
	for i, e := range all {
		users[i], refs[i] = e.before(t, store)
	}
	cut()
	errs := make([][]error, len(all))
	var wg sync.WaitGroup
	for i, e := range all {
		wg.Go(func() {
			short := func(call func(context.Context) error) error {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				return call(ctx)
			}
			if e.after != nil {
				_ = short(func(ctx context.Context) error { return e.after(ctx, store, users[i]) })
			}
			for range 3 {
				errs[i] = append(errs[i], short(func(ctx context.Context) error { return e.end(ctx, store, users[i], refs[i]) }))
			}
		})
	}
	wg.Wait()
	mend()
	for i, e := range all {
		for try, err := range errs[i] {
			require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s, try %d: acknowledged although no standby has it", e.name, try+1)
		}
		require.Eventually(t, func() bool {
			err := e.end(t.Context(), store, users[i], refs[i])
			return err == nil || strings.Contains(err.Error(), googlesession.ErrNotFound.Error())
		}, 20*time.Second, 50*time.Millisecond, e.name)
	}
	return refs
}

// A row of the table in docs/operations.md. With synchronous_standby_names a failover
// loses no acknowledged revocation, also if the call had to be repeated.
func TestPostgresSynchronousStandby(t *testing.T) {
	t.Parallel()
	primary := privatePostgres(t, "fsync = off")
	network := newProxy(t, primary.Addr)
	standby, err := servers.NewPostgresStandby(t.Context(), network.Addr())
	standby = started(t, standby, err)
	admin := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return primary.PostgresDSN() }}.open(t)
	for _, text := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		_, err := admin.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		var n int
		err := admin.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'`).Scan(&n)
		return err == nil && n == 1
	}, 20*time.Second, 20*time.Millisecond)

	var ended []googlesession.Ref
	for _, driver := range []string{"pgx", "postgres"} {
		for _, commit := range []string{"on", "off"} {
			s := sqlServer{"PostgreSQL", driver, sqlstore.PostgreSQL, func(testing.TB) string {
				return primary.PostgresDSN() + "&synchronous_commit=" + commit
			}}
			all := endings()
			if commit == "off" {
				all = append(all, evicted)
			}
			ended = append(ended, requireWaits(t, s.store(t, nil), all, network.Freeze, network.Thaw)...)
		}
	}
	primary.Kill()
	db := promote(t, standby)
	after, err := sqlstore.New(db, sqlstore.PostgreSQL, nil)
	require.NoError(t, err)
	for _, ref := range ended {
		require.ErrorIs(t, check(t, after, ref, time.Hour), googlesession.ErrNoSession)
	}
	record("PostgreSQL", "endings, repeated without a standby", len(ended))
}

// promote makes a standby a primary and returns a pool of connections to it.
func promote(t *testing.T, standby *servers.Server) *sql.DB {
	t.Helper()
	db := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return standby.PostgresDSN() }}.open(t)
	_, err := db.ExecContext(t.Context(), `SELECT pg_promote()`)
	require.NoError(t, err)
	return db
}

// A row of the table in docs/operations.md. With an asynchronous standby a failover may
// lose a revocation. If this test fails, the document can stop saying so.
func TestPostgresFailoverLoses(t *testing.T) {
	t.Parallel()
	primary := privatePostgres(t, "fsync = off")
	network := newProxy(t, primary.Addr)
	standby, err := servers.NewPostgresStandby(t.Context(), network.Addr())
	standby = started(t, standby, err)
	s := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return primary.PostgresDSN() }}
	store := s.store(t, nil)
	_, ref := signIn(t, store)
	behind := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return standby.PostgresDSN() }}.open(t)
	require.Eventually(t, func() bool {
		var n int
		err := behind.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM gs_sessions`).Scan(&n)
		return err == nil && n == 1
	}, 20*time.Second, 20*time.Millisecond)
	network.Freeze()
	_, err = store.RevokeSession(t.Context(), ref)
	require.NoError(t, err)
	require.ErrorIs(t, check(t, store, ref, time.Hour), googlesession.ErrNoSession)
	primary.Kill()
	network.Down()
	after, err := sqlstore.New(promote(t, standby), sqlstore.PostgreSQL, nil)
	require.NoError(t, err)
	require.NoError(t, check(t, after, ref, time.Hour), "the revocation is lost")
}
