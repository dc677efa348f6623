package conformance_test

import (
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	redisstore "github.com/googlesession/googlesession/store_redis"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A backend is a kind of store with the server that it needs.
type backend struct {
	name string

	// start prepares data for one test and returns a function that opens a handle on it.
	// Each handle has connections of its own, as if it were in another process.
	start func(testing.TB) func(testing.TB) googlesession.SessionStore
}

func backends() []backend {
	all := []backend{
		{"memory", func(testing.TB) func(testing.TB) googlesession.SessionStore {
			store := memstore.New(nil)
			return func(testing.TB) googlesession.SessionStore { return store }
		}},
		{"SQLite", func(tb testing.TB) func(testing.TB) googlesession.SessionStore {
			file := newFile(tb)
			return func(tb testing.TB) googlesession.SessionStore { return openStore(tb, file, nil) }
		}},
		{"miniredis", func(tb testing.TB) func(testing.TB) googlesession.SessionStore {
			mini := miniredis.RunT(tb)
			return func(tb testing.TB) googlesession.SessionStore {
				return openRedis(tb, "redis://"+mini.Addr()+"?read_timeout=30s", nil)
			}
		}},
		{"Redis", func(tb testing.TB) func(testing.TB) googlesession.SessionStore { return redisBackend(redisURL(tb)) }},
		{"Redis Cluster", func(tb testing.TB) func(testing.TB) googlesession.SessionStore { return redisBackend(clusterURL(tb)) }},
	}
	for _, s := range sqlServers() {
		all = append(all, backend{s.name, func(tb testing.TB) func(testing.TB) googlesession.SessionStore {
			o := &sqlstore.Options{Prefix: s.newPrefix(tb)}
			return func(tb testing.TB) googlesession.SessionStore { return s.store(tb, o) }
		}})
	}
	return all
}

func redisBackend(url string) func(testing.TB) googlesession.SessionStore {
	return func(tb testing.TB) googlesession.SessionStore {
		return openRedis(tb, url, &redisstore.Options{Prefix: "test:"})
	}
}

// onEach runs the test on every backend, each as a subtest.
func onEach(t *testing.T, test func(t *testing.T, b backend)) {
	t.Helper()
	for _, b := range backends() {
		t.Run(strings.ReplaceAll(b.name, " ", ""), func(t *testing.T) { test(t, b) })
	}
}

// mustBind binds a session that is not bound.
func mustBind(tb testing.TB, store googlesession.BindingStore, r googlesession.Ref, binding string) {
	tb.Helper()
	swapped, err := store.SwapBinding(tb.Context(), r, "", binding)
	require.NoError(tb, err)
	require.True(tb, swapped)
}
