package conformance_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// A lister goes through the pages of all sessions and notes what it has seen.
type lister struct {
	store   *redisstore.Store
	limit   int
	patient bool // asks again for a page that is an outage, as while the nodes of a cluster disagree
	next    string
	pages   int
	seen    map[googlesession.Ref]googlesession.Session
}

func newLister(store *redisstore.Store, limit int) *lister {
	return &lister{store: store, limit: limit, seen: make(map[googlesession.Ref]googlesession.Session)}
}

// page reads the next page, and reports whether more pages follow.
func (l *lister) page(t *testing.T) bool {
	t.Helper()
	page, next, err := l.store.AllSessions(t.Context(), l.next, l.limit)
	if l.patient && err != nil {
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
		worksAgain(func() error {
			page, next, err = l.store.AllSessions(t.Context(), l.next, l.limit)
			return err
		})
	}
	require.NoError(t, err)
	require.LessOrEqual(t, len(next), 512)
	require.False(t, strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r > '~' }), next)
	for _, session := range page {
		l.seen[session.Ref] = session
	}
	l.next = next
	l.pages++
	require.Less(t, l.pages, 10_000)
	return next != ""
}

// rest reads all pages that follow.
func (l *lister) rest(t *testing.T) {
	t.Helper()
	for l.page(t) {
	}
}

// requireSeen expects that the lister has seen each of these sessions, and no others.
func (l *lister) requireSeen(t *testing.T, want map[googlesession.Ref]googlesession.Session) {
	t.Helper()
	missing := 0
	for ref := range want {
		if _, ok := l.seen[ref]; !ok {
			missing++
		}
	}
	require.Zero(t, missing, "missing sessions of %d, in %d pages", len(want), l.pages)
	require.Equal(t, want, l.seen)
}

// signInMany creates a session for each of n users, and returns the sessions as lists have
// them.
func signInMany(tb testing.TB, store *redisstore.Store, n int) map[googlesession.Ref]googlesession.Session {
	tb.Helper()
	all := make(map[googlesession.Ref]googlesession.Session)
	for range n {
		session := mustCreate(tb, store, anySession(anyUser()))
		all[session.Ref] = session
	}
	return all
}

// addForeign writes keys of another program, a few of which look like the store's.
func addForeign(tb testing.TB, client redis.UniversalClient, n int) {
	tb.Helper()
	for from := 0; from < n; from += 10_000 {
		_, err := client.Pipelined(tb.Context(), func(p redis.Pipeliner) error {
			for i := from; i < min(n, from+10_000); i++ {
				p.Set(tb.Context(), fmt.Sprint("foreign", i), "x", time.Hour)
			}
			return nil
		})
		require.NoError(tb, err)
	}
}

// All live sessions of a database are listed, with any limit, and nothing else.
func TestRedisAllSessions(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"Redis": redisURL, "Redis Cluster": clusterURL} {
		t.Run(name, func(t *testing.T) {
			client, err := redisstore.Open(url(t))
			require.NoError(t, err)
			t.Cleanup(func() { _ = client.Close() })
			prefix := `*[a-z]?\^` + strings.TrimPrefix(anyUser().ID, "user-")
			store := newRedisStore(t, client, &redisstore.Options{Prefix: prefix})
			signInMany(t, newRedisStore(t, client, &redisstore.Options{Prefix: "x" + prefix}), 5)
			signInMany(t, newRedisStore(t, client, &redisstore.Options{Prefix: strings.ReplaceAll(prefix, "*", "xy")}), 5)
			addForeign(t, client, 5000)
			for _, key := range []string{"{x}", "{AAAAAAAAAAAAAAA=}", "{AAAAAAAAAAAAAAAA}x"} {
				require.NoError(t, client.HSet(t.Context(), prefix+key, "p", "x").Err())
			}
			require.NoError(t, client.Set(t.Context(), prefix+"{AAAAAAAAAAAAAAAA}", "x", time.Hour).Err())

			newLister(store, 10).rest(t)
			want := signInMany(t, store, 300)
			for range 20 {
				n, token := anySession(anyUser()), time.UnixMilli(1_764_000_000_000).UTC()
				n.TokenIssuedAt = token
				n.Device, n.Label = googlesession.Device{IP: "192.0.2.1", UserAgent: "curl/8.5.0"}, "backup of \x1e\U0001F4BC"
				n.Kind, n.PublicID = googlesession.KindIssued, googlesession.PublicID{1}
				session := mustCreate(t, store, n)
				require.Equal(t, n.Label, session.Label)
				want[session.Ref] = session
				second := mustCreate(t, store, anySession(n.User))
				_, err := store.RevokeSession(t.Context(), second.Ref)
				require.NoError(t, err)
				third := anySession(n.User)
				third.MaxLifetime = time.Millisecond
				mustCreate(t, store, third)

				disabled := anySession(anyUser())
				mustCreate(t, store, disabled)
				disabled.User.Version, disabled.User.Disabled = 2, true
				_, err = store.PutUser(t.Context(), disabled.User)
				require.NoError(t, err)
			}
			time.Sleep(2 * time.Millisecond) //nolint:forbidigo // a real server's clock
			for _, limit := range []int{1, 30, 1000, math.MaxInt} {
				l := newLister(store, limit)
				l.rest(t)
				l.requireSeen(t, want)
			}
			_, _, err = store.AllSessions(t.Context(), "x", 10)
			require.ErrorIs(t, err, googlesession.ErrNotFound)
			require.NotErrorIs(t, err, googlesession.ErrUnavailable)
			page, next, err := store.AllSessions(t.Context(), "", 0)
			require.NoError(t, err)
			require.Empty(t, page)
			require.Empty(t, next)
		})
	}
}

// A scanCounter is a hook that counts the scripts without a key.
type scanCounter struct {
	commandRecorder

	scans int
}

func (l *scanCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" && cmd.Args()[2] == any(0) {
			l.scans++
		}
		return next(ctx, cmd)
	}
}

// A page with a limit has about as many users, and takes a bounded number of commands in a
// database that is full of other programs' keys.
func TestRedisAllSessionsCost(t *testing.T) {
	s := privateRedis(t)
	client := redisClient(t, "redis://"+s.Addr)
	counter := &scanCounter{}
	store := openRedis(t, "redis://"+s.Addr, nil, counter)
	want := signInMany(t, store, 2000)
	page, next, err := store.AllSessions(t.Context(), "", 50)
	require.NoError(t, err)
	require.NotEmpty(t, next)
	require.InDelta(t, 50, len(page), 45)

	addForeign(t, client, 300_000)
	few := openRedis(t, "redis://"+s.Addr, &redisstore.Options{Prefix: "few:"}, counter)
	for _, tt := range []struct {
		store *redisstore.Store
		want  map[googlesession.Ref]googlesession.Session
	}{{store, want}, {few, signInMany(t, few, 3)}} {
		l := newLister(tt.store, 50)
		for more := true; more; {
			counter.scans = 0
			more = l.page(t)
			require.NotZero(t, counter.scans)
			require.LessOrEqual(t, counter.scans, 20)
		}
		l.requireSeen(t, tt.want)
		t.Logf("%d sessions among 302,000 keys: %d pages", len(tt.want), l.pages)
		require.Less(t, l.pages, 100)
	}
}

// A server that restarts between two pages orders its keys anew. No session is missed.
func TestRedisAllSessionsRestart(t *testing.T) {
	s := privateRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	store := openRedis(t, "redis://"+s.Addr, nil)
	want := signInMany(t, store, 1000)
	l := newLister(store, 100)
	for range 3 {
		l.page(t)
		l.page(t)
		s.Kill()
		require.NoError(t, s.Start(context.WithoutCancel(t.Context())))
	}
	l.rest(t)
	l.requireSeen(t, want)
}

// A replica that takes over between two pages has the keys in an order of its own. No session
// is missed. Before that it answers nothing, and it would have answered with an empty page.
func TestRedisAllSessionsFailover(t *testing.T) {
	primary := privateRedis(t)
	replica := privateRedis(t)
	store := openRedis(t, "redis://"+primary.Addr, nil)
	want := signInMany(t, store, 1000)
	admin, promoted := redisClient(t, "redis://"+replica.Addr), openRedis(t, "redis://"+replica.Addr, nil)
	l := newLister(store, 100)
	for range 5 {
		require.True(t, l.page(t))
	}
	_, _, err := promoted.AllSessions(t.Context(), "", 10)
	require.NoError(t, err, "it is a primary")
	replicaOf(t, admin, primary)
	for _, after := range []string{"", l.next} {
		_, _, err := promoted.AllSessions(t.Context(), after, 10)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
	}
	require.Eventually(t, func() bool { return admin.DBSize(t.Context()).Val() == 1000 }, 20*time.Second, 10*time.Millisecond)
	_, _, err = promoted.AllSessions(t.Context(), l.next, 10)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	replicaOf(t, admin, nil)
	l.store = promoted
	l.rest(t)
	l.requireSeen(t, want)
}

// Without the right to send INFO all sessions are listed as long as the server stays the
// same.
func TestRedisAllSessionsWithoutInfo(t *testing.T) {
	s := privateRedis(t)
	store := openRedis(t, "redis://"+s.Addr, nil)
	want := signInMany(t, store, 500)
	require.NoError(t, redisClient(t, "redis://"+s.Addr).Do(t.Context(), "acl", "setuser", "default", "-info").Err())
	l := newLister(store, 20)
	l.rest(t)
	l.requireSeen(t, want)
	require.Greater(t, l.pages, 5)
}
