package conformance_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// An account signs in 800 times at once. It holds one connection of twenty: checks of
// another user go on, and disabling the account does not wait for its crowd.
func TestCrowdOfOneUser(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		db := s.open(t)
		db.SetMaxOpenConns(20)
		db.SetMaxIdleConns(20)
		store := s.migrated(t, db, &sqlstore.Options{Prefix: s.newPrefix(t)})
		mallory, _ := signIn(t, store)
		_, r := signIn(t, store)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		var began sync.WaitGroup
		for range 800 {
			began.Add(1)
			wg.Go(func() {
				began.Done()
				u, err := store.SignIn(ctx, googlesession.Identity{Subject: mallory.ID})
				if err == nil {
					_, _ = store.CreateSession(ctx, newSession(u))
				}
			})
		}
		began.Wait()
		var took []time.Duration
		var failed error
		for range 50 {
			at := time.Now()
			limit, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			if _, err := store.CheckSession(limit, r, time.Hour); err != nil {
				failed = err
			}
			cancel()
			took = append(took, time.Since(at))
		}
		yes := true
		at := time.Now()
		_, err := store.SetAccess(ctx, mallory.ID, googlesession.Access{Disabled: &yes})
		disabled := time.Since(at)
		inUse := db.Stats().InUse
		cancel()
		wg.Wait()
		require.NoError(t, failed, "a check of another user")
		require.NoError(t, err, "disabling the account")
		require.Less(t, disabled, time.Second)
		slices.Sort(took)
		require.Less(t, took[len(took)/2], 200*time.Millisecond)
		require.Less(t, inUse, 10, "connections in use")
		t.Logf("check: median %v, slowest %v; disabled after %v", took[len(took)/2], took[len(took)-1], disabled)
		record(s.name, "sign-ins of one user at once", 800)
	})
}

// Administrators are made, demoted, disabled and deleted at once, while all of them and
// others sign in: no call fails, and none is the victim of a deadlock.
func TestAdministratorsAtOnce(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		o := &sqlstore.Options{Prefix: s.newPrefix(t)}
		stores := []*sqlstore.Store{s.store(t, o), s.store(t, o)}
		yes, no := true, false
		var users []googlesession.User
		for range 8 {
			u, _ := signIn(t, stores[0])
			_, err := stores[0].SetAccess(t.Context(), u.ID, googlesession.Access{Admin: &yes})
			require.NoError(t, err)
			users = append(users, u)
		}
		var calls atomic.Int64
		errs := make(chan error, 10000)
		var wg sync.WaitGroup
		for worker := range 16 {
			wg.Go(func() {
				store := stores[worker%2]
				for i := range 30 {
					u := users[(worker*7+i*3)%len(users)]
					var err error
					switch (worker + i) % 8 {
					case 0, 1:
						_, err = store.SetAccess(t.Context(), u.ID, googlesession.Access{Admin: &no})
					case 2:
						_, err = store.SetAccess(t.Context(), u.ID, googlesession.Access{Admin: &yes, Disabled: &no})
					case 3:
						_, err = store.SetAccess(t.Context(), u.ID, googlesession.Access{Disabled: &yes})
					case 4:
						if i%10 == 4 {
							err = store.DeleteUser(t.Context(), u.ID)
						} else {
							_, err = store.RevokeUser(t.Context(), u.ID, nil)
						}
					default:
						var now googlesession.User
						now, err = store.SignIn(t.Context(), googlesession.Identity{Subject: u.ID, IssuedAt: time.Now().Add(time.Minute)})
						if err == nil {
							n := newSession(now)
							n.TokenIssuedAt = time.Now().Add(time.Minute)
							_, err = store.CreateSession(t.Context(), n)
							if err == nil && i%2 == 0 {
								_, err = store.RevokeSession(t.Context(), n.Ref)
							}
						}
					}
					calls.Add(1)
					errs <- err
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NotErrorIs(t, err, googlesession.ErrUnavailable)
		}
		record(s.name, "calls on administrators at once", int(calls.Load()))
	})
}

// A server's stricter default of isolation fails no call: a revocation beside recorded
// uses, of which each may be in its way.
func TestPostgresIsolation(t *testing.T) {
	for _, driver := range []string{"pgx", "postgres"} {
		for _, level := range []string{"repeatable%20read", "serializable"} {
			t.Run(driver+" "+level, func(t *testing.T) {
				t.Parallel()
				s := sqlServer{"PostgreSQL", driver, sqlstore.PostgreSQL, func(tb testing.TB) string {
					return postgresDSN(tb) + "&default_transaction_isolation=" + level
				}}
				o := &sqlstore.Options{Prefix: s.newPrefix(t)}
				store, other := s.store(t, o), s.store(t, o)
				errs := make(chan error, 1000)
				var wg sync.WaitGroup
				for range 8 {
					u, _ := signIn(t, store)
					wg.Go(func() {
						for range 10 {
							session, err := store.CreateSession(t.Context(), newSession(u))
							errs <- err
							var touching sync.WaitGroup
							var over atomic.Bool
							for _, by := range []*sqlstore.Store{store, other} {
								touching.Go(func() {
									for !over.Load() {
										_, err := by.CheckSession(t.Context(), session.Ref, 0)
										if err != nil {
											errs <- err
											return
										}
									}
								})
							}
							_, err = other.Sessions(t.Context(), u.ID)
							errs <- err
							_, err = store.RevokeSession(t.Context(), session.Ref)
							errs <- err
							over.Store(true)
							touching.Wait()
						}
					})
				}
				wg.Wait()
				close(errs)
				for err := range errs {
					require.NotErrorIs(t, err, googlesession.ErrUnavailable)
				}
			})
		}
	}
}
