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

// redisRights are the rights that the documentation lists for the store's user.
const redisRights = "~gs:* &gs:* +evalsha +eval +script|load +time +hmget +hgetall +hset +hdel +pttl +pexpireat +scan +ping +wait +info +hello"

// A Redis user with redisRights and no other rights is enough for the whole suite.
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
	require.Contains(t, texts(findings), "unknown, because CONFIG GET does not return it", "Doctor reports what it may not ask")
	require.NotContains(t, texts(findings), "refused")
	require.Equal(t, keys, admin.DBSize(t.Context()).Val(), "Doctor leaves no keys")

	n := anySession(anyUser())
	require.NoError(t, admin.Do(t.Context(), "acl", "setuser", "app", "-hdel").Err())
	store := openRedis(t, url, nil)
	mustCreate(t, store, n)
	_, err = store.RevokeSession(t.Context(), n.Ref)
	require.ErrorIs(t, err, googlesession.ErrUnavailable, "a missing right is an error")
}

// If the right to a command of the scripts is missing, the methods that need it are
// outages, and Doctor reports the command. All methods work without the commands that the
// documentation calls optional.
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
		var refused int
		for method, call := range storeCalls(store, n) {
			if err := call(t.Context()); err != nil && !errors.Is(err, googlesession.ErrNoSession) {
				require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s without %s", method, needed)
				refused++
			}
		}
		require.NotZero(t, refused, needed)
		findings, err := store.Doctor(t.Context())
		require.NoError(t, err, needed)
		require.Contains(t, texts(findings), "true: a command of the scripts is refused: "+strings.ToUpper(needed))
		setUser("+" + needed)
	}
	setUser("-scan")
	for method, call := range storeCalls(openRedis(t, url, nil), anySession(anyUser())) {
		err := call(t.Context())
		if method == "AllSessions" {
			require.ErrorIs(t, err, googlesession.ErrUnavailable)
			continue
		}
		require.True(t, err == nil || errors.Is(err, googlesession.ErrNoSession), "%s without SCAN: %v", method, err)
	}
	findings, err := openRedis(t, url, nil).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "false: SCAN is refused")
	setUser("+scan")

	setUser("-script|load", "-hello", "-info", "-ping", "-wait")
	store, n := openRedis(t, url, nil), anySession(anyUser())
	mustCreate(t, store, n)
	for method, call := range storeCalls(store, n) {
		err := call(t.Context())
		require.True(t, err == nil || findsSession(method) && errors.Is(err, googlesession.ErrNoSession), "%s: %v", method, err)
	}
	findings, err = store.Doctor(t.Context())
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

// Doctor reports each setting that differs from the recommended ones.
func TestRedisDoctor(t *testing.T) {
	good := []string{"--appendonly", "yes", "--appendfsync", "always", "--hash-max-listpack-value", "1024"}
	for name, tt := range map[string]struct {
		settings []string
		want     string // "" if Doctor finds nothing
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

// A wrapped client is of a type that the store does not know.
type wrapped struct{ redis.UniversalClient }

// On miniredis, which lacks commands, Doctor reports what it cannot find out.
func TestMiniredisDoctor(t *testing.T) {
	findings, err := openRedis(t, "redis://"+miniredis.RunT(t).Addr(), nil).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "unknown, because INFO does not return it")
}

// When the server has no memory left, checks and revocations work and sign-ins are outages.
func TestRedisOutOfMemory(t *testing.T) {
	s := privateRedis(t, "--maxmemory-policy", "noeviction")
	url := "redis://" + s.Addr
	admin, store := redisClient(t, url), openRedis(t, url, nil)
	n, other := anySession(anyUser()), anySession(anyUser())
	mustCreate(t, store, n)
	mustCreate(t, store, other)
	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())

	_, err := store.CheckSession(t.Context(), n.Ref, 0)
	require.NoError(t, err, "a check whose use is to be recorded")
	_, err = store.CreateSession(t.Context(), anySession(n.User))
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	_, err = store.SwapBinding(t.Context(), n.Ref, "", "bound")
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

// Evicted keys do not bring back a revoked session.
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
