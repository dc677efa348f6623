package conformance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// A replica has the session, but the store on it is an outage.
func TestRedisReplicaRefuses(t *testing.T) {
	primary := privateRedis(t)
	replica := privateRedis(t, "--replicaof", strings.ReplaceAll(primary.Addr, ":", " "))
	n := anySession(anyUser())
	demoted := openRedis(t, "redis://"+primary.Addr, nil)
	mustCreate(t, demoted, n)
	client := redisClient(t, "redis://"+replica.Addr)
	require.Eventually(t, func() bool {
		return client.Exists(t.Context(), redisKey(n.User.ID)).Val() == 1
	}, 20*time.Second, 10*time.Millisecond, "the replica has it")
	refuses := func(store *redisstore.Store) {
		for name, call := range storeCalls(store, n) {
			require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
		}
		_, err := store.CheckSession(t.Context(), n.Ref, time.Hour) // nothing to write
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
	}
	refuses(openRedis(t, "redis://"+replica.Addr, nil))

	// The same holds for a server that was the primary when the store connected.
	require.NoError(t, client.ReplicaOf(t.Context(), "NO", "ONE").Err())
	host, port, _ := strings.Cut(replica.Addr, ":")
	require.NoError(t, redisClient(t, "redis://"+primary.Addr).ReplicaOf(t.Context(), host, port).Err())
	refuses(demoted)
}

// replicaOf makes the client's server a replica of primary, or a primary itself if primary
// is nil.
func replicaOf(t *testing.T, client *redis.Client, primary *servers.Server) {
	t.Helper()
	host, port := "NO", "ONE"
	if primary != nil {
		host, port, _ = strings.Cut(primary.Addr, ":")
	}
	require.NoError(t, client.ReplicaOf(t.Context(), host, port).Err())
}

// A replica that accepts writes may answer from old data and loses what is written to it.
// A store that starts does not believe it. A store that knew it as a primary does not
// believe it once it has revoked, recorded or listed something.
func TestRedisWritableReplica(t *testing.T) {
	primary := privateRedis(t)
	server := privateRedis(t, "--replica-read-only", "no")
	url := "redis://" + server.Addr
	admin, demoted := redisClient(t, url), openRedis(t, url, nil)
	n := anySession(anyUser())
	mustCreate(t, openRedis(t, "redis://"+primary.Addr, nil), n)
	for method, call := range storeCalls(demoted, n) {
		replicaOf(t, admin, nil)
		require.Eventually(t, func() bool {
			_, err := demoted.Sessions(t.Context(), n.User.ID)
			return err == nil
		}, 10*time.Second, 10*time.Millisecond, "a primary is believed again")
		replicaOf(t, admin, primary)
		require.Eventually(t, func() bool { return admin.Exists(t.Context(), redisKey(n.User.ID)).Val() == 1 }, 20*time.Second, 10*time.Millisecond)
		require.NoError(t, admin.Set(t.Context(), "x", "y", time.Minute).Err(), "it accepts writes")

		before := admin.HGetAll(t.Context(), redisKey(n.User.ID)).Val()
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, method)
		_, err := demoted.CheckSession(t.Context(), n.Ref, time.Hour)
		require.ErrorIs(t, err, googlesession.ErrUnavailable, "a check that has nothing to write, after %s", method)
		for method, call := range storeCalls(openRedis(t, url, nil), n) {
			require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, "%s of a process that starts", method)
		}
		require.Equal(t, before, admin.HGetAll(t.Context(), redisKey(n.User.ID)).Val(), "nothing is written: %s", method)
	}
	findings, err := openRedis(t, url, nil).Doctor(t.Context())
	require.NoError(t, err)
	for _, want := range []string{"true: scripts do not run: the server is a replica", "true: role is slave", "true: replica-read-only is no"} {
		require.Contains(t, texts(findings), want)
	}

	// Without the right to send INFO the store cannot recognise a replica.
	require.NoError(t, admin.Do(t.Context(), "acl", "setuser", "default", "-info").Err())
	_, err = openRedis(t, url, nil).CheckSession(t.Context(), n.Ref, 0)
	require.NoError(t, err)
}
