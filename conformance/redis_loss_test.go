package conformance_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// untilOver lets clients work before, during and after the disturbance, and returns what
// they saw. In the end all clients get answers again.
func untilOver(t *testing.T, seed uint64, disturb func(), handles ...googlesession.SessionStore) *recorder {
	t.Helper()
	r := newRecorder(handles...)
	_, r.resends = handles[0].(*redisstore.Store)
	var over atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for r.length() < linearOps/4 {
			<-time.After(time.Millisecond)
		}
		disturb()
		over.Store(true)
	})
	r.run(t.Context(), seed, linearOps)
	for i := uint64(1); !over.Load(); i++ {
		r.run(t.Context(), seed+i, 10*linearClients)
	}
	wg.Wait()
	r.run(t.Context(), seed, linearOps/2)
	return r
}

// requireSound checks the history and logs how much the clients have seen of the
// disturbance.
func requireSound(t *testing.T, r *recorder, seed uint64) {
	t.Helper()
	took := requireLinearizable(t, r, seed)
	calls, changes := r.unknown()
	t.Logf("seed %d: %d operations, checked in %v; without an answer: %d, of these changes of each user: %v", seed, len(r.history), took, calls, changes)
}

// disturbances returns how often each kind of crash or failover is tried.
func disturbances() int {
	if long() {
		return 20
	}
	return 2
}

// With the append-only log and appendfsync=always a crash of the server loses no
// acknowledged change. With everysec a test would see the same, but Redis does not promise
// it, because it delays writing while an fsync takes long.
func TestRedisKilled(t *testing.T) {
	s := privateRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	url := "redis://" + s.Addr
	handles := []googlesession.SessionStore{openRedis(t, url, nil), openRedis(t, url, nil), openRedis(t, url, nil)}
	seed := firstSeed(t)
	for i := range disturbances() {
		var restarted error
		r := untilOver(t, seed+uint64(i), func() {
			s.Kill()
			restarted = s.Start(context.WithoutCancel(t.Context()))
		}, handles...)
		require.NoError(t, restarted)
		requireSound(t, r, seed+uint64(i))
		record("Redis", "kill -9 and restart", 1)
	}
}

// Without the append-only log a restart brings back the state of the last snapshot. The
// documentation says so. If this test fails, it can stop saying so.
func TestRedisSnapshotLoses(t *testing.T) {
	s := privateRedis(t)
	url := "redis://" + s.Addr
	store, n := openRedis(t, url, nil), anySession(anyUser())
	mustCreate(t, store, n)
	require.NoError(t, redisClient(t, url).Save(t.Context()).Err())
	_, err := store.RevokeSession(t.Context(), n.Ref)
	require.NoError(t, err)
	s.Kill()
	require.NoError(t, s.Start(t.Context()))
	require.Eventually(t, func() bool {
		_, err := store.CheckSession(t.Context(), n.Ref, 0)
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "the revoked session is back")
}

// A replica becomes the primary before it has received a revocation, and the revocation is
// lost. WAIT has reported that the replica did not confirm it. WAIT undoes nothing.
func TestRedisFailoverLoses(t *testing.T) {
	primary := privateRedis(t)
	behind := newProxy(t, primary.Addr)
	replica := privateRedis(t, "--replicaof", strings.ReplaceAll(behind.Addr(), ":", " "))
	store := openRedis(t, "redis://"+primary.Addr, &redisstore.Options{Replicas: 1, ReplicasTimeout: 200 * time.Millisecond})
	n := anySession(anyUser())
	mustCreate(t, store, n)
	other := redisClient(t, "redis://"+replica.Addr)
	require.Eventually(t, func() bool { return other.Exists(t.Context(), redisKey(n.User.ID)).Val() == 1 }, 20*time.Second, 10*time.Millisecond)

	confirmed := anySession(n.User)
	mustCreate(t, store, confirmed)
	require.Eventually(t, func() bool {
		_, err := store.RevokeSession(t.Context(), confirmed.Ref)
		return err == nil
	}, 20*time.Second, 10*time.Millisecond, "the replica confirms once it has caught up")

	behind.Freeze()
	_, err := store.RevokeSession(t.Context(), n.Ref)
	require.ErrorIs(t, err, redisstore.ErrUnconfirmed)
	_, err = store.CheckSession(t.Context(), n.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrNoSession, "the revocation is in force on the primary")

	require.NoError(t, other.ReplicaOf(t.Context(), "NO", "ONE").Err())
	promoted := openRedis(t, "redis://"+replica.Addr, nil)
	_, err = promoted.CheckSession(t.Context(), n.Ref, 0)
	require.NoError(t, err, "the revoked session is back")
	_, err = promoted.CheckSession(t.Context(), confirmed.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrNoSession, "the session whose revocation was confirmed is not back")
}

// A primary without replicas stops answering if min-replicas-to-write says so. This fences
// an old primary after a failover.
func TestRedisFencesOldPrimary(t *testing.T) {
	primary := privateRedis(t, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "2")
	behind := newProxy(t, primary.Addr)
	_ = privateRedis(t, "--replicaof", strings.ReplaceAll(behind.Addr(), ":", " "))
	store, n := openRedis(t, "redis://"+primary.Addr, nil), anySession(anyUser())
	require.Eventually(t, func() bool {
		_, err := store.CreateSession(t.Context(), n)
		return err == nil || errors.Is(err, googlesession.ErrExists)
	}, 20*time.Second, 50*time.Millisecond)
	_, err := store.CheckSession(t.Context(), n.Ref, time.Hour)
	require.NoError(t, err)
	behind.Freeze()
	require.Eventually(t, func() bool {
		_, err := store.CheckSession(t.Context(), n.Ref, time.Hour) // also a check that has nothing to write
		return errors.Is(err, googlesession.ErrUnavailable)
	}, 20*time.Second, 50*time.Millisecond)
}

// The primary crashes and the sentinels promote a replica. No acknowledged change is lost
// if every replica has to confirm each revocation.
func TestRedisSentinelFailover(t *testing.T) {
	for i := range 1 + disturbances()/20 {
		seed := firstSeed(t) + uint64(i)
		g, err := servers.StartSentinels(t.Context(), "--min-replicas-to-write", "1", "--min-replicas-max-lag", "10")
		skipWithout(t, err)
		url := "redis+sentinel://" + g.Addrs[0] + "?addr=" + strings.Join(g.Addrs[1:], "&addr=") + "&master_name=main"
		o := &redisstore.Options{Replicas: 2, ReplicasTimeout: 100 * time.Millisecond}
		first := openRedis(t, url, o)
		began := time.Now()
		var restarted error
		var promoted, recovered bool
		r := untilOver(t, seed, func() {
			g.Servers[0].Kill()
			promoted = worksAgain(func() error {
				_, err := first.CreateSession(t.Context(), anySession(anyUser()))
				return err
			})
			t.Logf("failover after %v", time.Since(began))
			// One replica is left and two have to confirm until the old primary is back.
			restarted = g.Servers[0].Start(context.WithoutCancel(t.Context()))
			recovered = worksAgain(func() error {
				_, err := first.PutUser(t.Context(), anyUser())
				return err
			})
			t.Logf("two replicas again after %v", time.Since(began))
		}, first, openRedis(t, url, o), openRedis(t, url, o))
		require.NoError(t, restarted)
		require.True(t, promoted)
		require.True(t, recovered)
		requireSound(t, r, seed)
		record("Redis Sentinel", "failover", 1)
		require.NoError(t, g.Remove())
	}
}

// worksAgain waits until the call succeeds, for 30 seconds at most.
func worksAgain(call func() error) bool {
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if call() == nil {
			return true
		}
		<-time.After(10 * time.Millisecond)
	}
	return false
}

// Slots of a cluster move while clients use them. No call fails and no change is lost.
func TestRedisClusterReshard(t *testing.T) {
	url := clusterURL(t)
	handles := []googlesession.SessionStore{openRedis(t, url, nil), openRedis(t, url, nil), openRedis(t, url, nil)}
	seed := firstSeed(t)
	slots := 200
	if long() {
		slots = 2000
	}
	var kept []googlesession.Ref
	for range 300 {
		n := anySession(anyUser())
		mustCreate(t, handles[0], n)
		kept = append(kept, n.Ref)
	}
	node, _, _ := strings.Cut(clusterService.get(t), ",")
	var moved error
	r := untilOver(t, seed, func() { moved = servers.Reshard(context.WithoutCancel(t.Context()), node, slots) }, handles...)
	require.NoError(t, moved)
	require.Empty(t, r.errs, "failed calls, although go-redis follows redirections")
	requireSound(t, r, seed)
	for _, ref := range kept {
		_, err := handles[1].CheckSession(t.Context(), ref, 0)
		require.NoError(t, err)
	}
	t.Logf("seed %d: %d slots moved under %d operations", seed, slots, len(r.history))
	record("Redis Cluster", "reshard under load", 1)
}

// In a planned failover of a cluster the primary waits for its replica. No acknowledged
// change is lost.
func TestRedisClusterFailover(t *testing.T) {
	g, err := servers.StartRedisCluster(t.Context(), false)
	skipWithout(t, err)
	t.Cleanup(func() { require.NoError(t, g.Remove()) })
	url := "redis+cluster://" + g.Addrs[0] + "?addr=" + strings.Join(g.Addrs[1:], "&addr=")
	handles := []googlesession.SessionStore{openRedis(t, url, nil), openRedis(t, url, nil), openRedis(t, url, nil)}
	seed := firstSeed(t)
	promoted := 0
	r := untilOver(t, seed, func() {
		for _, replica := range g.Addrs[3:] { // redis-cli makes the first three addresses masters
			if worksAgain(func() error { return takeOver(replica) }) {
				promoted++
			}
		}
	}, handles...)
	require.Equal(t, 3, promoted)
	requireSound(t, r, seed)
	record("Redis Cluster", "planned failover", 1)

	// The rights that the documentation lists are enough for a cluster too.
	for _, addr := range g.Addrs {
		rule := "ACL SETUSER app on >secret -@all +cluster +command " + redisRights
		answer, err := servers.Redis(t.Context(), addr, strings.Fields(rule)...)
		require.NoError(t, err)
		require.Equal(t, "OK", answer)
	}
	store, n := openRedis(t, strings.Replace(url, "://", "://app:secret@", 1), nil), anySession(anyUser())
	mustCreate(t, store, n)
	for method, call := range storeCalls(store, n) {
		err := call(t.Context())
		require.True(t, err == nil || findsSession(method) && errors.Is(err, googlesession.ErrNoSession), "%s: %v", method, err)
	}
}

// takeOver asks a replica to become the master. It returns an error if that has not
// happened yet.
func takeOver(replica string) error {
	_, _ = servers.Redis(context.Background(), replica, "CLUSTER", "FAILOVER") // a master refuses
	<-time.After(300 * time.Millisecond)
	role, err := servers.Redis(context.Background(), replica, "ROLE")
	if err == nil && !strings.HasPrefix(role, "master") {
		err = errors.New(role)
	}
	return err
}
