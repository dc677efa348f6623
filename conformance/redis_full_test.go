package conformance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// A fullRedis is a server whose memory is full of other data, which it does not evict.
type fullRedis struct {
	url     string
	admin   *redis.Client
	fillers int // how many keys fill has tried to write
}

func newFullRedis(t *testing.T, settings ...string) *fullRedis {
	t.Helper()
	s := privateRedis(t, append([]string{"--maxmemory", "4mb"}, settings...)...)
	url := "redis://" + s.Addr
	return &fullRedis{url: url, admin: redisClient(t, url)}
}

// fill writes until the server refuses more. Connections take memory too and free it when
// they close, so a test fills the server again before each call.
func (f *fullRedis) fill(t *testing.T) {
	t.Helper()
	for size := 100_000; size > 50; {
		f.fillers++
		err := f.admin.Set(t.Context(), fmt.Sprint("filler", f.fillers), strings.Repeat("x", size), 0).Err()
		if err != nil {
			require.True(t, redis.HasErrorPrefix(err, "OOM"), "%v", err)
			size /= 4
		}
	}
	require.Error(t, f.admin.Set(t.Context(), "filler", strings.Repeat("x", 100_000), 0).Err(), "the memory is full")
}

// A coldStart is a way in which a store meets a server that does not have its scripts. To
// the store a restart of the server looks like a SCRIPT FLUSH.
type coldStart struct {
	name string
	open func(*testing.T) *redisstore.Store
}

func (f *fullRedis) coldStarts() []coldStart {
	flush := func(t *testing.T) {
		t.Helper()
		require.NoError(t, f.admin.ScriptFlush(t.Context()).Err())
	}
	return []coldStart{
		{"new store", func(t *testing.T) *redisstore.Store {
			t.Helper()
			flush(t)
			return openRedis(t, f.url, nil)
		}},
		{"store that has run its scripts", func(t *testing.T) *redisstore.Store {
			t.Helper()
			store := openRedis(t, f.url, nil)
			_, err := store.Sessions(t.Context(), anyUser().ID)
			require.NoError(t, err)
			flush(t)
			return store
		}},
		{"SCRIPT LOAD refused", func(t *testing.T) *redisstore.Store { // this is the last, because the right is not given back
			t.Helper()
			require.NoError(t, f.admin.Do(t.Context(), "acl", "setuser", "default", "-script|load").Err())
			flush(t)
			return openRedis(t, f.url, nil)
		}},
	}
}

// A server whose memory is full checks and revokes sessions, for a process that starts and
// for one that is running. It refuses sign-ins and bindings and stores nothing of them.
func TestRedisFullAndCold(t *testing.T) {
	f := newFullRedis(t, "--maxmemory-policy", "noeviction")
	sessions := make(map[string]googlesession.NewSession)
	for _, start := range f.coldStarts() {
		for method := range storeCalls(nil, googlesession.NewSession{}) {
			n := anySession(anyUser())
			mustCreate(t, openRedis(t, f.url, nil), n)
			sessions[start.name+method] = n
		}
	}
	f.fill(t)
	for _, start := range f.coldStarts() {
		t.Run(start.name, func(t *testing.T) {
			admits := func(store *redisstore.Store, n googlesession.NewSession) bool {
				_, err := store.CheckSession(t.Context(), n.Ref, 0)
				require.True(t, err == nil || errors.Is(err, googlesession.ErrNoSession), "%v", err)
				return err == nil
			}
			for method, run := range map[string]func(*redisstore.Store, googlesession.NewSession){
				"CheckSession": func(store *redisstore.Store, n googlesession.NewSession) {
					require.True(t, admits(store, n))
				},
				"Sessions": func(store *redisstore.Store, n googlesession.NewSession) {
					list, err := store.Sessions(t.Context(), n.User.ID)
					require.NoError(t, err)
					require.Len(t, list, 1)
				},
				"RevokeSession": func(store *redisstore.Store, n googlesession.NewSession) {
					ended, err := store.RevokeSession(t.Context(), n.Ref)
					require.NoError(t, err)
					require.True(t, ended)
					require.False(t, admits(store, n))
				},
				"RevokeUser": func(store *redisstore.Store, n googlesession.NewSession) {
					ended, err := store.RevokeUser(t.Context(), n.User.ID, nil)
					require.NoError(t, err)
					require.Equal(t, 1, ended)
					require.False(t, admits(store, n))
				},
				"PutUser": func(store *redisstore.Store, n googlesession.NewSession) {
					n.User.Version++
					n.User.Disabled = true
					applied, err := store.PutUser(t.Context(), n.User)
					require.NoError(t, err)
					require.True(t, applied)
					require.False(t, admits(store, n))
				},
				"SwapBinding": func(store *redisstore.Store, n googlesession.NewSession) {
					kept := f.admin.HGetAll(t.Context(), redisKey(n.User.ID)).Val()
					_, err := store.SwapBinding(t.Context(), n.Ref, "", "bound")
					require.ErrorIs(t, err, googlesession.ErrUnavailable)
					require.Equal(t, kept, f.admin.HGetAll(t.Context(), redisKey(n.User.ID)).Val())
				},
				"CreateSession": func(store *redisstore.Store, n googlesession.NewSession) {
					kept := f.admin.HGetAll(t.Context(), redisKey(n.User.ID)).Val()
					again, stranger := anySession(n.User), anySession(anyUser())
					again.User.Version++
					again.User.Disabled = true
					for _, refused := range []googlesession.NewSession{again, stranger} {
						_, err := store.CreateSession(t.Context(), refused)
						require.ErrorIs(t, err, googlesession.ErrUnavailable)
						require.False(t, admits(store, refused))
					}
					require.Equal(t, kept, f.admin.HGetAll(t.Context(), redisKey(n.User.ID)).Val())
					require.Zero(t, f.admin.Exists(t.Context(), redisKey(stranger.User.ID)).Val())
				},
			} {
				store := start.open(t)
				f.fill(t)
				run(store, sessions[start.name+method])
			}
		})
	}
	findings, err := openRedis(t, f.url, nil).Doctor(t.Context())
	require.NoError(t, err)
	require.Contains(t, texts(findings), "memory is full")
}

// A server that evicts keys, and has no more key to evict, still works for a process that
// starts.
func TestRedisFullAndNothingToEvict(t *testing.T) {
	for _, policy := range []string{"volatile-lru", "volatile-ttl", "allkeys-lru"} {
		t.Run(policy, func(t *testing.T) {
			f := newFullRedis(t, "--maxmemory-policy", "noeviction")
			n := anySession(anyUser())
			mustCreate(t, openRedis(t, f.url, nil), n)
			f.fill(t)
			require.NoError(t, f.admin.ConfigSet(t.Context(), "maxmemory-policy", policy).Err())
			for _, start := range f.coldStarts() {
				for method, call := range storeCalls(start.open(t), n) {
					err := call(t.Context())
					if method == "CreateSession" || method == "SwapBinding" {
						continue // its outcome depends on which keys the policy evicts
					}
					require.NotErrorIs(t, err, googlesession.ErrUnavailable, "%s, %s", start.name, method)
				}
			}
		})
	}
}
