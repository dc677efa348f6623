package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// Behind a PgBouncer in transaction mode, a driver that sends a statement and its arguments
// separately may have another client's statement executed. Also then an acknowledged
// revocation is in force, no ended session is admitted, and no other session ends. With the
// settings that docs/operations.md recommends the drivers work without an error.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	primary := privatePostgres(t, "fsync = off")
	bouncer, err := servers.NewPgBouncer(primary.Addr, "default_pool_size = 3", "max_client_conn = 200")
	bouncer = started(t, bouncer, err)
	direct := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return primary.PostgresDSN() }}
	truth := direct.store(t, nil)
	for _, tt := range []struct {
		name, driver, parameters string
		right                    bool // the settings are those that docs/operations.md recommends
	}{
		{"pgx, exec", "pgx", "&default_query_exec_mode=exec", true},
		{"pgx, simple_protocol", "pgx", "&default_query_exec_mode=simple_protocol", true},
		{"pgx, cache_describe", "pgx", "&default_query_exec_mode=cache_describe", true},
		{"lib/pq, binary_parameters", "postgres", "&binary_parameters=yes", true},
		{"lib/pq", "postgres", "", false},
		{"pgx, as it comes", "pgx", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			through := sqlServer{"PostgreSQL", tt.driver, sqlstore.PostgreSQL, func(testing.TB) string { return bouncer.PostgresDSN() + tt.parameters }}
			store, err := sqlstore.New(through.open(t), sqlstore.PostgreSQL, nil)
			require.NoError(t, err)
			t.Cleanup(func() { _ = store.Close() })
			var acknowledged, failed atomic.Int64
			wrong := make(chan error, 1000)
			var wg sync.WaitGroup
			for range 24 {
				wg.Go(func() { behindPooler(t.Context(), truth, store, &acknowledged, &failed, wrong) })
			}
			wg.Wait()
			close(wrong)
			for err := range wrong {
				require.NoError(t, err)
			}
			if tt.right {
				require.Zero(t, failed.Load(), "calls that failed")
				require.Positive(t, acknowledged.Load())
			}
			findings, err := store.Doctor(t.Context())
			if failed.Load() > 0 && err == nil {
				require.Contains(t, fmt.Sprint(findings), "binary_parameters=yes")
			}
			t.Logf("acknowledged %d, failed %d", acknowledged.Load(), failed.Load())
			record("PostgreSQL", "revocations through PgBouncer", int(acknowledged.Load()))
		})
	}
}

// In statement mode there are no transactions. Sign-ins and changes are outages, and the
// error says why.
func TestPgBouncerStatementMode(t *testing.T) {
	t.Parallel()
	primary := privatePostgres(t, "fsync = off")
	bouncer, err := servers.NewPgBouncer(primary.Addr, "pool_mode = statement")
	bouncer = started(t, bouncer, err)
	direct := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return primary.PostgresDSN() }}
	u, r := signIn(t, direct.store(t, nil))
	through := sqlServer{"PostgreSQL", "pgx", sqlstore.PostgreSQL, func(testing.TB) string { return bouncer.PostgresDSN() + "&default_query_exec_mode=exec" }}
	store, err := sqlstore.New(through.open(t), sqlstore.PostgreSQL, nil)
	require.NoError(t, err)
	require.NoError(t, check(t, store, r, time.Hour))
	_, err = store.RevokeUser(t.Context(), u.ID, nil)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.ErrorContains(t, err, "transaction")
}

// behindPooler creates sessions and looks at them with truth, a store that does not use the
// pooler. All other calls go through the pooler.
func behindPooler(ctx context.Context, truth, store *sqlstore.Store, acknowledged, failed *atomic.Int64, wrong chan<- error) {
	report := func(format string, args ...any) {
		select {
		case wrong <- fmt.Errorf(format, args...):
		default:
		}
	}
	// answered reports whether a call has succeeded. It reports an error that is not an
	// outage as wrong.
	answered := func(doing string, err error) bool {
		if err == nil {
			return true
		}
		if !errors.Is(err, googlesession.ErrUnavailable) {
			report("%s: %w", doing, err)
		}
		failed.Add(1)
		return false
	}
	u := anyUser()
	u, err := truth.SignIn(ctx, googlesession.Identity{Subject: u.ID, Email: u.Email})
	if err != nil {
		report("preparing: %w", err)
		return
	}
	for range 8 {
		stays, err := truth.CreateSession(ctx, newSession(u))
		if err != nil {
			report("preparing: %w", err)
			return
		}
		goes, err := truth.CreateSession(ctx, newSession(u))
		if err != nil {
			report("preparing: %w", err)
			return
		}
		_, err = store.CheckSession(ctx, goes.Ref, 0)
		answered("check", err)
		list, err := store.Sessions(ctx, u.ID)
		if answered("list", err) && len(list) < 2 {
			report("list of %d", len(list))
		}
		got, err := store.User(ctx, u.ID)
		if answered("user", err) && got.ID != u.ID {
			report("user %s, want %s", got.ID, u.ID)
		}
		_, err = store.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: u.ID}, Limit: 1})
		answered("users", err)
		_, err = store.Purge(ctx, 10)
		answered("purge", err)
		for try := range 3 {
			ended, err := store.RevokeSession(ctx, goes.Ref)
			if !answered("revoke", err) {
				continue
			}
			acknowledged.Add(1)
			if _, err := truth.CheckSession(ctx, goes.Ref, time.Hour); !errors.Is(err, googlesession.ErrNoSession) {
				report("revocation acknowledged in try %d (%v), but the session is live: %v", try, ended, err)
			}
			if _, err := store.CheckSession(ctx, goes.Ref, time.Hour); err == nil {
				report("a revoked session is admitted")
			}
			break
		}
		if _, err := truth.CheckSession(ctx, stays.Ref, time.Hour); err != nil {
			report("the other session: %w", err)
		}
		if _, err := truth.RevokeSession(ctx, stays.Ref); err != nil {
			report("tidying up: %w", err)
		}
	}
}
