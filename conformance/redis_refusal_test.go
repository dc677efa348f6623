package conformance_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// A redisRefusal is a state in which a server runs no scripts.
type redisRefusal struct {
	settings []string
	begin    func(*testing.T, *servers.Server, *redis.Client)
	says     string // begins the server's error reply
}

var redisRefusals = map[string]redisRefusal{
	"busy with a script": {[]string{"--lua-time-limit", "1"}, func(t *testing.T, s *servers.Server, _ *redis.Client) {
		t.Helper()
		ended := make(chan struct{})
		busy, other := redisClient(t, "redis://"+s.Addr+"?read_timeout=1m"), redisClient(t, "redis://"+s.Addr)
		go func() {
			defer close(ended)
			_ = busy.Eval(context.WithoutCancel(t.Context()), "while true do end", nil).Err()
		}()
		t.Cleanup(func() {
			require.NoError(t, other.ScriptKill(context.WithoutCancel(t.Context())).Err())
			<-ended
		})
		require.Eventually(t, func() bool {
			return redis.HasErrorPrefix(other.Get(t.Context(), "x").Err(), "BUSY")
		}, 10*time.Second, 10*time.Millisecond)
	}, "BUSY"},
	"failed snapshot": {[]string{"--save", "3600 1"}, func(t *testing.T, s *servers.Server, admin *redis.Client) {
		t.Helper()
		require.NoError(t, os.Chmod(s.Dir, 0o500))                       //nolint:gosec // a folder
		t.Cleanup(func() { require.NoError(t, os.Chmod(s.Dir, 0o700)) }) //nolint:gosec // a folder
		require.NoError(t, admin.BgSave(t.Context()).Err())
		require.Eventually(t, func() bool {
			return strings.Contains(admin.Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err")
		}, 10*time.Second, 10*time.Millisecond)
	}, "MISCONF"},
	"no replicas": {nil, func(t *testing.T, _ *servers.Server, admin *redis.Client) {
		t.Helper()
		require.NoError(t, admin.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
	}, "NOREPLICAS"},
	"replica without its primary": {[]string{"--replica-serve-stale-data", "no"}, func(t *testing.T, _ *servers.Server, admin *redis.Client) {
		t.Helper()
		require.NoError(t, admin.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
	}, "READONLY"},
	"no rights": {nil, func(t *testing.T, _ *servers.Server, admin *redis.Client) {
		t.Helper()
		require.NoError(t, admin.Do(t.Context(), "acl", "setuser", "default", "-evalsha", "-eval").Err())
	}, "NOPERM"},
	"loading": {[]string{"--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"}, func(t *testing.T, s *servers.Server, admin *redis.Client) {
		t.Helper()
		_, err := admin.Pipelined(t.Context(), func(p redis.Pipeliner) error { // loading them takes ten seconds at most
			for i := range 10_000 {
				p.Set(t.Context(), fmt.Sprint("filler", i), strings.Repeat("x", 100), 0)
			}
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, admin.Save(t.Context()).Err())
		s.Kill()
		started := make(chan error)
		go func() { started <- s.Start(context.WithoutCancel(t.Context())) }()
		other := redisClient(t, "redis://"+s.Addr)
		t.Cleanup(func() {
			require.NoError(t, other.ConfigSet(context.WithoutCancel(t.Context()), "key-load-delay", "0").Err())
			require.NoError(t, <-started)
		})
		require.Eventually(t, func() bool {
			return redis.HasErrorPrefix(other.Get(t.Context(), "x").Err(), "LOADING")
		}, 10*time.Second, 10*time.Millisecond)
	}, "LOADING"},
}

// A server that refuses to run scripts is an outage for each method, for a process that
// starts and for one that is running. Doctor reports the server's reason.
func TestRedisRefusals(t *testing.T) {
	for name, refusal := range redisRefusals {
		t.Run(name, func(t *testing.T) {
			s := privateRedis(t, refusal.settings...)
			url := "redis://" + s.Addr
			running, n := openRedis(t, url, nil), anySession(anyUser())
			mustCreate(t, running, n)
			refusal.begin(t, s, redisClient(t, url))
			for process, store := range map[string]*redisstore.Store{"running": running, "starting": openRedis(t, url, nil)} {
				for method, call := range storeCalls(store, n) {
					err := call(t.Context())
					require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s, %s", process, method)
					require.ErrorContains(t, err, refusal.says, "%s, %s", process, method)
				}
			}
			findings, err := running.Doctor(t.Context())
			require.NoError(t, err)
			require.Contains(t, texts(findings), "true: scripts do not run: "+refusal.says)
		})
	}
}
