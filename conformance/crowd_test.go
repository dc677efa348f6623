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

// A user signs in 800 times at once. These calls hold few of the twenty connections, so
// checks of another user are not delayed. Disabling the user does not wait for them
// either.
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
		_, err := store.SetAccess(ctx, mallory.ID, googlesession.AccessChange{Disabled: &yes})
		disabled := time.Since(at)
		inUse := db.Stats().InUse
		cancel()
		wg.Wait()
		require.NoError(t, failed, "a check of another user")
		require.NoError(t, err, "disabling the user")
		require.Less(t, disabled, time.Second)
		slices.Sort(took)
		require.Less(t, took[len(took)/2], 200*time.Millisecond)
		require.Less(t, inUse, 10, "connections in use")
		t.Logf("check: median %v, slowest %v; disabled after %v", took[len(took)/2], took[len(took)-1], disabled)
		record(s.name, "sign-ins of one user at once", 800)
	})
}

// Users become administrators and lose that right at once while all of them sign in. No
// call fails, and none is rolled back because of a deadlock.
func TestAdministratorsAtOnce(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		o := &sqlstore.Options{Prefix: s.newPrefix(t)}
		stores := []*sqlstore.Store{s.store(t, o), s.store(t, o)}
		// The administrator who stays is the last in the order of IDs.
		ids := []string{"z", "a", "b", "c", "d", "e", "f"}
		yes, no := true, false
		for _, id := range ids {
			_, err := stores[0].SignIn(t.Context(), googlesession.Identity{Subject: id})
			require.NoError(t, err)
			_, err = stores[0].SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &yes})
			require.NoError(t, err)
		}
		const workers, rounds = 16, 40
		errs := make(chan error, workers*rounds)
		var wg sync.WaitGroup
		for worker := range workers {
			wg.Go(func() {
				store := stores[worker%2]
				for i := range rounds {
					id := ids[1+(worker*5+i*i)%(len(ids)-1)]
					switch (worker + i) % 4 {
					case 0, 1:
						_, err := store.SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &yes, Disabled: &no})
						errs <- err
					case 2:
						_, err := store.SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &no})
						errs <- err
					case 3:
						u, err := store.SignIn(t.Context(), googlesession.Identity{Subject: id})
						if err == nil {
							_, err = store.CreateSession(t.Context(), newSession(u))
						}
						errs <- err
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		record(s.name, "calls on administrators at once", workers*rounds)
	})
}

// No call fails if the server's default isolation level is stricter than READ COMMITTED.
// Here revocations meet recorded uses of the same session, which conflict with them.
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
