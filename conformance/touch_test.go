package conformance_test

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A thousand requests of one process check a session at once when its use is to be
// recorded. One of them records it.
func TestTouchesAtOnce(t *testing.T) {
	const (
		requests   = 1000
		touchAfter = time.Minute
	)
	for _, backend := range touchCounters() {
		t.Run(backend.name, func(t *testing.T) {
			store, advance, writes := backend.open(t)
			n := anySession(anyUser())
			mustCreate(t, store, n)
			before := writes()
			for round := range int64(3) {
				advance(touchAfter)
				errs := make([]error, requests)
				var ready, wg sync.WaitGroup
				ready.Add(requests)
				for i := range errs {
					wg.Go(func() {
						ready.Done()
						ready.Wait()
						_, errs[i] = store.CheckSession(t.Context(), n.Ref, touchAfter)
					})
				}
				wg.Wait()
				require.NoError(t, errors.Join(errs...))
				require.Equal(t, before+round+1, writes(), "writes in round %d", round)
			}
			session, err := store.CheckSession(t.Context(), n.Ref, touchAfter)
			require.NoError(t, err)
			require.WithinRange(t, session.SeenAt, session.CreatedAt.Add(3*touchAfter), session.CreatedAt.Add(4*touchAfter))
			record(backend.name, "touches, 1000 at once", 3)
		})
	}
}

// A use is recorded after half of the session's idle timeout if touchAfter is longer, and
// never with NeverTouch.
func TestTouchOfShortIdleTimeout(t *testing.T) {
	for _, backend := range touchCounters() {
		t.Run(backend.name, func(t *testing.T) {
			store, advance, writes := backend.open(t)
			n := anySession(anyUser())
			n.IdleTimeout = time.Minute
			mustCreate(t, store, n)
			before := writes()
			for round := range int64(3) {
				for _, step := range []struct {
					wait, touchAfter time.Duration
					writes           int64
				}{
					{29 * time.Second, time.Hour, round},
					{time.Second, googlesession.NeverTouch, round},
					{0, time.Hour, round + 1},
					{0, time.Hour, round + 1},
				} {
					advance(step.wait)
					_, err := store.CheckSession(t.Context(), n.Ref, step.touchAfter)
					require.NoError(t, err)
					require.Equal(t, before+step.writes, writes(), "round %d, %+v", round, step)
				}
			}
		})
	}
}

// A touchCounter is a backend with a clock of its own.
type touchCounter struct {
	name string

	// open returns a store and two functions. The function advance moves the clock, and writes
	// returns how often the backend was told to record a use.
	open func(*testing.T) (store googlesession.SessionStore, advance func(time.Duration), writes func() int64)
}

func touchCounters() []touchCounter {
	all := []touchCounter{
		{"SQLite", func(t *testing.T) (googlesession.SessionStore, func(time.Duration), func() int64) {
			db, count := openCounted(t, newFile(t))
			store := newStore(t, db, nil)
			require.NoError(t, store.Migrate(t.Context()))
			return store, clock.advance, func() int64 { return count.writes.Load() }
		}},
		{"Redis", func(t *testing.T) (googlesession.SessionStore, func(time.Duration), func() int64) {
			server, err := servers.NewRedis() // private, because writes counts all commands of the server
			server = started(t, server, err)
			url, clock := "redis://"+server.Addr, &redisClock{}
			client := redisClient(t, url)
			return openRedis(t, url, nil, newRewriter(clock.shift)), func(d time.Duration) { clock.offset.Add(d.Milliseconds()) }, func() int64 { return redisWrites(t, client) }
		}},
	}
	for _, s := range sqlServers() {
		all = append(all, touchCounter{s.name, func(t *testing.T) (googlesession.SessionStore, func(time.Duration), func() int64) {
			clock := &sqlClock{}
			store := s.storeWith(t, clock, &sqlstore.Options{Prefix: s.newPrefix(t)})
			return store, clock.advance, clock.touches.Load
		}})
	}
	return all
}

var hsetCalls = regexp.MustCompile(`cmdstat_hset:calls=(\d+)`)

// redisWrites returns how many HSET commands the server has run, including those of
// scripts.
func redisWrites(t *testing.T, client *redis.Client) int64 {
	t.Helper()
	info, err := client.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	found := hsetCalls.FindStringSubmatch(info)
	require.NotNil(t, found, info)
	n, err := strconv.ParseInt(found[1], 10, 64)
	require.NoError(t, err)
	return n
}

// After an attempt to record a use has failed, the next check tries again.
func TestFailedTouchIsTriedAgain(t *testing.T) {
	file := newFile(t)
	store, other := openStore(t, file, nil), openDB(t, file)
	_, r := signIn(t, store)
	clock.advance(time.Minute)

	locked, err := other.Conn(t.Context())
	require.NoError(t, err)
	_, err = locked.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	session, err := store.CheckSession(ctx, r, time.Minute)
	require.NoError(t, err, "a check whose use cannot be recorded")
	require.Equal(t, session.CreatedAt, session.SeenAt)
	_, err = locked.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, locked.Close())

	session, err = store.CheckSession(t.Context(), r, time.Minute)
	require.NoError(t, err)
	require.Equal(t, session.CreatedAt.Add(time.Minute), session.SeenAt)
}

// A process records a use although another process has recorded an earlier one.
func TestTouchOfAnotherProcess(t *testing.T) {
	file := newFile(t)
	a, b := openStore(t, file, nil), openStore(t, file, nil)
	_, r := signIn(t, a)
	for range 5 {
		for _, s := range []*sqlstore.Store{a, b} {
			clock.advance(time.Minute)
			session, err := s.CheckSession(t.Context(), r, time.Minute)
			require.NoError(t, err)
			require.Equal(t, clock.millis.Load(), session.SeenAt.UnixMilli())
		}
	}
}

// Each session's use is recorded, although the store remembers only some recorded uses.
func TestTouchesOfManySessions(t *testing.T) {
	store := openStore(t, newFile(t), nil)
	var refs []googlesession.Ref
	for range 100 {
		u, r := signIn(t, store)
		refs = append(refs, r, create(t, store, u), create(t, store, u))
	}
	clock.advance(time.Minute)
	for _, r := range refs {
		session, err := store.CheckSession(t.Context(), r, time.Minute)
		require.NoError(t, err)
		require.Equal(t, clock.millis.Load(), session.SeenAt.UnixMilli())
	}
}
