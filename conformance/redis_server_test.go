package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// What the documentation asks of whoever writes access rules.
const redisRights = "~gs:* &gs:* +evalsha +eval +script|load +time +hmget +hgetall +hset +hdel +pttl +pexpireat +ping +wait +info +hello"

// A user with these rights and no others is enough for everything.
func TestRedisRights(t *testing.T) {
	s := privateRedis(t)
	admin := redisClient(t, "redis://"+s.Addr)
	rule := append([]any{"acl", "setuser", "app", "on", ">secret", "resetkeys", "resetchannels", "-@all"}, fields(redisRights)...)
	require.NoError(t, admin.Do(t.Context(), rule...).Err())
	url := "redis://app:secret@" + s.Addr
	testRedisSessions(t, "Redis, few rights", url)
	keys := admin.DBSize(t.Context()).Val()
	findings, err := openRedis(t, url, nil).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "unknown, because CONFIG GET does not return it", "it says what it may not ask")

	require.NotContains(t, texts(findings), "refused")
	require.Equal(t, keys, admin.DBSize(t.Context()).Val(), "and leaves nothing")

	n := anySession(anyUser())
	require.NoError(t, admin.Do(t.Context(), "acl", "setuser", "app", "-hdel").Err())
	store := openRedis(t, url, nil)
	mustCreate(t, store, n)
	_, err = store.RevokeSession(t.Context(), n.Ref)
	require.ErrorIs(t, err, googlesession.ErrUnavailable, "a right that is missing is not silent")
}

// Each command of the scripts is missed where it is needed, and Doctor says so. Without
// the commands that the documentation calls optional everything works.
func TestRedisMissingRights(t *testing.T) {
	s := privateRedis(t)
	admin := redisClient(t, "redis://"+s.Addr)
	setUser := func(rules ...any) {
		t.Helper()
		require.NoError(t, admin.Do(t.Context(), append([]any{"acl", "setuser", "app"}, rules...)...).Err())
	}
	setUser(append([]any{"on", ">secret", "resetkeys", "resetchannels", "-@all"}, fields(redisRights)...)...)
	url := "redis://app:secret@" + s.Addr
	for _, needed := range []string{"time", "hmget", "hgetall", "hset", "hdel", "pttl", "pexpireat"} {
		setUser("-" + needed)
		store, n := openRedis(t, url, nil), anySession(anyUser())
		var missed int
		for method, call := range storeCalls(store, n) {
			if err := call(t.Context()); err != nil && !errors.Is(err, googlesession.ErrNoSession) {
				require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s without %s", method, needed)
				missed++
			}
		}
		require.NotZero(t, missed, needed)
		findings, err := store.Doctor(t.Context())
		require.NoError(t, err, needed)
		require.Contains(t, texts(findings), "true: a command of the scripts is refused: "+strings.ToUpper(needed))
		setUser("+" + needed)
	}
	setUser("-script|load", "-hello", "-info", "-ping", "-wait")
	store, n := openRedis(t, url, nil), anySession(anyUser())
	mustCreate(t, store, n)
	for method, call := range storeCalls(store, n) {
		err := call(t.Context())
		require.True(t, err == nil || method == "CheckSession" && errors.Is(err, googlesession.ErrNoSession), "%s: %v", method, err)
	}
	findings, err := store.Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "false: SCRIPT LOAD is refused")
	require.Contains(t, texts(findings), "false: unknown, because INFO does not return it")
	findings, err = openRedis(t, url, &redisstore.Options{Replicas: 1}).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "true: WAIT is refused")
	_, err = openRedis(t, url, &redisstore.Options{Replicas: 1}).RevokeSession(t.Context(), n.Ref)
	require.ErrorIs(t, err, redisstore.ErrUnconfirmed)
}

func fields(s string) (all []any) {
	for field := range strings.FieldsSeq(s) {
		all = append(all, field)
	}
	return all
}

func texts(findings []redisstore.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%v: %s", f.Severe, f.Text))
	}
	return strings.Join(all, "\n")
}

func TestRedisDoctor(t *testing.T) {
	good := []string{"--appendonly", "yes", "--appendfsync", "always", "--hash-max-listpack-value", "1024"}
	for name, tt := range map[string]struct {
		settings []string
		want     string // "": nothing is found
	}{
		"as recommended":     {nil, ""},
		"no append-only log": {[]string{"--appendonly", "no"}, "true: appendonly is no"},
		"a second may go":    {[]string{"--appendfsync", "everysec"}, "false: appendfsync is everysec"},
		"evicts":             {[]string{"--maxmemory-policy", "volatile-lru"}, "false: maxmemory-policy is volatile-lru"},
		"small lists":        {[]string{"--hash-max-listpack-value", "64"}, "false: hash-max-listpack-value is 64"},
		"a replica":          {[]string{"--replicaof", "127.0.0.1 1"}, "true: role is slave"},
		"would be believed":  {[]string{"--replica-read-only", "no"}, "false: replica-read-only is no"},
		"impatient":          {[]string{"--lua-time-limit", "5"}, "false: lua-time-limit is 5 ms"},
		"needs replicas":     {[]string{"--min-replicas-to-write", "1"}, "true: scripts do not run: NOREPLICAS"},
	} {
		s := privateRedis(t, append(slices.Clone(good), tt.settings...)...)
		findings, err := openRedis(t, "redis://"+s.Addr, nil).Doctor(t.Context())
		require.NoError(t, err, name)
		if tt.want == "" {
			require.Empty(t, findings, name)
			continue
		}
		require.Contains(t, texts(findings), tt.want, name)
	}

	s := privateRedis(t, good...)
	client := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: 5, Protocol: 3, ClientSideCacheConfig: &redis.ClientSideCacheConfig{}})
	t.Cleanup(func() { _ = client.Close() })
	findings, err := newRedisStore(t, client, nil).Doctor(t.Context())
	require.NoError(t, err)
	for _, want := range []string{"ContextTimeoutEnabled", "MaxRetries is 5", "caches replies"} {
		require.Contains(t, texts(findings), "false: client: ")
		require.Contains(t, texts(findings), want)
	}
	findings, err = newRedisStore(t, wrapped{client}, nil).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "true: client is of an unknown type")

	findings, err = openRedis(t, "redis://"+s.Addr, &redisstore.Options{Replicas: 1}).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "true: Options.Replicas is 1, but 0 replicas are connected")

	s.Kill()
	_, err = openRedis(t, "redis://"+s.Addr, nil).Doctor(t.Context())
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
}

// A wrapped client may do anything.
type wrapped struct{ redis.UniversalClient }

// miniredis is no server to recommend, and Doctor can say why.
func TestMiniredisDoctor(t *testing.T) {
	findings, err := openRedis(t, "redis://"+miniredis.RunT(t).Addr(), nil).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "unknown, because INFO does not return it")
}

// E14: no memory is left. Checks and revocations go on, sign-ins are refused.
func TestRedisOutOfMemory(t *testing.T) {
	s := privateRedis(t, "--maxmemory-policy", "noeviction")
	url := "redis://" + s.Addr
	admin, store := redisClient(t, url), openRedis(t, url, nil)
	n, other := anySession(anyUser()), anySession(anyUser())
	mustCreate(t, store, n)
	mustCreate(t, store, other)
	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())

	_, err := store.CheckSession(t.Context(), n.Ref, 0)
	require.NoError(t, err, "with its use to record")
	_, err = store.CreateSession(t.Context(), anySession(n.User))
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	ended, err := store.RevokeSession(t.Context(), n.Ref)
	require.NoError(t, err)
	require.True(t, ended)
	other.User.Disabled, other.User.Version = true, 2
	applied, err := store.PutUser(t.Context(), other.User)
	require.NoError(t, err)
	require.True(t, applied)
	_, err = store.CheckSession(t.Context(), other.Ref, 0)
	require.Error(t, err)
	require.NotErrorIs(t, err, googlesession.ErrUnavailable)
}

// E13: what an eviction takes, it takes away: a revoked session does not come back.
func TestRedisEviction(t *testing.T) {
	s := privateRedis(t, "--maxmemory-policy", "allkeys-random")
	url := "redis://" + s.Addr
	admin, store := redisClient(t, url), openRedis(t, url, nil)
	var revoked []googlesession.Ref
	for range 300 {
		n := anySession(anyUser())
		mustCreate(t, store, n)
		_, err := store.RevokeSession(t.Context(), n.Ref)
		require.NoError(t, err)
		revoked = append(revoked, n.Ref)
	}
	before := admin.DBSize(t.Context()).Val()
	used, err := admin.InfoMap(t.Context(), "memory").Result()
	require.NoError(t, err)
	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", used["Memory"]["used_memory"]).Err())
	for i := range 2000 {
		require.NoError(t, admin.Set(t.Context(), fmt.Sprint("filler", i), strings.Repeat("x", 1000), 0).Err())
	}
	require.Less(t, admin.DBSize(t.Context()).Val(), before+2000, "something was evicted")
	for _, ref := range revoked {
		_, err := store.CheckSession(t.Context(), ref, 0)
		require.ErrorIs(t, err, googlesession.ErrNoSession)
	}
}
