package conformance_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/faults"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// viaProxy returns a store behind a proxy. Its client has go-redis's default settings, so
// it sends a command again that got no answer.
func viaProxy(tb testing.TB, url string, change func(*redis.Options)) (*faults.Proxy, *redisstore.Store) {
	tb.Helper()
	o, err := redis.ParseURL(url)
	require.NoError(tb, err)
	p := newProxy(tb, o.Addr)
	o.Addr = p.Addr()
	if change != nil {
		change(o)
	}
	client := redis.NewClient(o)
	tb.Cleanup(func() { _ = client.Close() })
	return p, newRedisStore(tb, client, nil)
}

// Once the server has the scripts, each method is one round trip. A check that records its
// use is one round trip too.
func TestRedisRoundTrips(t *testing.T) {
	p, store := viaProxy(t, redisURL(t), func(o *redis.Options) { o.PoolSize = 1 })
	n := anySession(anyUser())
	mustCreate(t, store, n)
	p.RoundTrips()
	for range 10 {
		_, err := store.CheckSession(t.Context(), n.Ref, time.Hour)
		require.NoError(t, err)
	}
	require.Equal(t, 10, p.RoundTrips(), "checks")
	for range 10 {
		_, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err)
	}
	require.Equal(t, 10, p.RoundTrips(), "checks that record the use")
	for _, binding := range []string{"first", "second"} {
		_, err := store.SwapBinding(t.Context(), n.Ref, map[string]string{"second": "first"}[binding], binding)
		require.NoError(t, err)
		require.Equal(t, 1, p.RoundTrips(), "SwapBinding")
		for range 10 {
			session, err := store.CheckSession(t.Context(), n.Ref, time.Hour)
			require.NoError(t, err)
			require.Equal(t, binding, session.Binding)
		}
		require.Equal(t, 10, p.RoundTrips(), "checks of a bound session")
	}
	calls := storeCalls(store, n)
	delete(calls, "AllSessions") // it needs several
	for name, call := range calls {
		_ = call(t.Context())
		require.Equal(t, 1, p.RoundTrips(), name)
	}
	record("Redis", "round trips of a check", 1)
}

// The answer to a sign-in is lost. The client would send the command again, but the store
// prevents that. So the call is an outage and has created at most one session.
func TestRedisSendsOnce(t *testing.T) {
	url := redisURL(t)
	p, store := viaProxy(t, url, nil)
	direct := openRedis(t, url, nil)
	n := anySession(anyUser())
	mustCreate(t, store, n)
	connected := func() { // so that the next answer on the connection belongs to the next call
		_, err := store.Sessions(t.Context(), n.User.ID)
		require.NoError(t, err)
	}

	again := anySession(n.User)
	connected()
	p.DropAnswer()
	_, err := store.CreateSession(t.Context(), again)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.NotErrorIs(t, err, googlesession.ErrExists, "the command was sent a second time")
	_, err = direct.CheckSession(t.Context(), again.Ref, 0)
	require.NoError(t, err, "the command has arrived")

	connected()
	p.DropAnswer()
	_, err = store.RevokeUser(t.Context(), n.User.ID, nil)
	require.ErrorIs(t, err, googlesession.ErrUnavailable, "if it were sent again it would end a later sign-in")

	connected()
	p.DropAnswer()
	_, err = store.CheckSession(t.Context(), n.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrNoSession, "a check is sent again")

	bound := anySession(n.User)
	mustCreate(t, direct, bound)
	connected()
	p.DropAnswer()
	swapped, err := store.SwapBinding(t.Context(), bound.Ref, "", "bound")
	require.NoError(t, err, "SwapBinding is sent again")
	require.True(t, swapped)
}

// A sign-in is stuck in the network and its browser gives up. A second sign-in is revoked,
// and then the packet of the first one arrives. No browser has a cookie for the session
// that it makes. The session is listed and can be revoked.
func TestRedisStuckSignIn(t *testing.T) {
	url := redisURL(t)
	p, store := viaProxy(t, url, func(o *redis.Options) { o.ContextTimeoutEnabled = true })
	direct := openRedis(t, url, nil)
	u := anyUser()
	first := anySession(u)
	mustCreate(t, store, first)
	_, err := store.RevokeSession(t.Context(), first.Ref)
	require.NoError(t, err)

	// Each attempt has a session token of its own, as with the Manager.
	stuck, retried := anySession(u), anySession(u)
	held := p.HoldRequest()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = store.CreateSession(ctx, stuck)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	mustCreate(t, direct, retried)
	_, err = direct.RevokeSession(t.Context(), retried.Ref)
	require.NoError(t, err)
	ended, err := direct.RevokeSession(t.Context(), stuck.Ref)
	require.NoError(t, err)
	require.False(t, ended, "the session does not exist yet")
	held.Release()
	require.Eventually(t, func() bool {
		sessions, err := direct.Sessions(t.Context(), u.ID)
		return err == nil && len(sessions) == 1
	}, 10*time.Second, 10*time.Millisecond, "the packet has arrived")
	_, err = direct.CheckSession(t.Context(), retried.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrNoSession, "the revoked session stays ended")
	ended, err = direct.RevokeSession(t.Context(), stuck.Ref)
	require.NoError(t, err)
	require.True(t, ended)
}

// A sign-in is stuck in the network with an old user record. Meanwhile the user is
// disabled or the token is refused. When the sign-in arrives within SignInWindow, it makes
// no session.
func TestRedisStuckSignInOfRefusedUser(t *testing.T) {
	url := redisURL(t)
	p, store := viaProxy(t, url, func(o *redis.Options) { o.ContextTimeoutEnabled = true })
	direct := openRedis(t, url, nil)
	for name, change := range map[string]func(*googlesession.User, time.Time){
		"disabled":       func(u *googlesession.User, _ time.Time) { u.Disabled = true },
		"tokens refused": func(u *googlesession.User, token time.Time) { u.TokensAfter = token },
	} {
		stuck := anySession(anyUser())
		stuck.TokenIssuedAt = stuck.User.CreatedAt.Truncate(time.Second)
		_, err := store.Sessions(t.Context(), stuck.User.ID) // so that the next request is the sign-in
		require.NoError(t, err, name)
		held := p.HoldRequest()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err = store.CreateSession(ctx, stuck)
		cancel()
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
		u := stuck.User
		u.Version++
		change(&u, stuck.TokenIssuedAt)
		_, err = direct.PutUser(t.Context(), u)
		require.NoError(t, err, name)
		held.Release()
		require.Never(t, func() bool {
			_, err := direct.CheckSession(t.Context(), stuck.Ref, time.Hour)
			return err == nil
		}, 200*time.Millisecond, 20*time.Millisecond, name)
	}
}

// With the settings of redisstore.Open a server that stalls is an outage at the caller's
// deadline.
func TestRedisStalls(t *testing.T) {
	p, _ := viaProxy(t, redisURL(t), nil)
	store := openRedis(t, "redis://"+p.Addr(), nil)
	n := anySession(anyUser())
	mustCreate(t, store, n)
	p.Freeze()
	for name, call := range storeCalls(store, n) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		err := call(ctx)
		cancel()
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		require.Less(t, time.Since(began), 2*time.Second, name)
	}
	p.Thaw()
	require.Eventually(t, func() bool {
		_, err := store.Sessions(t.Context(), n.User.ID)
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "the store works again without a restart")
}

// An outage of the network is an outage of the store and ends with it.
func TestRedisOutage(t *testing.T) {
	p, _ := viaProxy(t, redisURL(t), nil)
	store := openRedis(t, "redis://"+p.Addr(), nil)
	n := anySession(anyUser())
	mustCreate(t, store, n)
	p.Down()
	for name, call := range storeCalls(store, n) {
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
	}
	p.Up()
	_, err := store.CheckSession(t.Context(), n.Ref, 0)
	require.NoError(t, err, "the session is live after the outage")
}

// All connections of the pool are in use. The next call is an outage at its deadline.
func TestRedisPoolExhausted(t *testing.T) {
	p, store := viaProxy(t, redisURL(t), func(o *redis.Options) { o.PoolSize, o.ContextTimeoutEnabled = 1, true })
	n := anySession(anyUser())
	mustCreate(t, store, n)
	p.Freeze()
	busy := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := store.CheckSession(ctx, n.Ref, 0)
		busy <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := store.CheckSession(ctx, n.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	p.Thaw()
	require.NoError(t, <-busy)
}

// A client with client-side caching does not answer a check from its cache, because checks
// are scripts.
func TestRedisClientSideCache(t *testing.T) {
	url := redisURL(t)
	o, err := redis.ParseURL(url)
	require.NoError(t, err)
	o.Protocol, o.ClientSideCacheConfig = 3, &redis.ClientSideCacheConfig{}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	caching, other := newRedisStore(t, client, nil), openRedis(t, url, nil)
	for range 100 {
		n := anySession(anyUser())
		mustCreate(t, caching, n)
		_, err := caching.CheckSession(t.Context(), n.Ref, time.Hour)
		require.NoError(t, err)
		_, err = other.RevokeSession(t.Context(), n.Ref)
		require.NoError(t, err)
		_, err = caching.CheckSession(t.Context(), n.Ref, time.Hour)
		require.ErrorIs(t, err, googlesession.ErrNoSession)
	}
}

// A cluster client that reads from replicas sends no check and no list to a replica.
func TestRedisClusterReplicasAnswerNothing(t *testing.T) {
	addrs := strings.Split(clusterService.get(t), ",")
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ReadOnly: true, RouteRandomly: true})
	t.Cleanup(func() { _ = client.Close() })
	store := newRedisStore(t, client, nil)
	calls := func() int64 {
		var n atomic.Int64
		require.NoError(t, client.ForEachSlave(t.Context(), func(ctx context.Context, replica *redis.Client) error {
			info := replica.Info(ctx, "commandstats").Val()
			n.Add(int64(strings.Count(info, "cmdstat_evalsha:") + strings.Count(info, "cmdstat_eval:")))
			return nil
		}))
		return n.Load()
	}
	before := calls()
	for range 100 {
		n := anySession(anyUser())
		mustCreate(t, store, n)
		_, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err)
		_, _, err = store.AllSessions(t.Context(), "", 10)
		require.NoError(t, err)
	}
	require.Equal(t, before, calls(), "scripts that ran on replicas")
}
