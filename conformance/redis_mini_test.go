package conformance_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
	"github.com/googlesession/googlesession/storetest"
)

// newMini returns a Redis in this process, whose clock is the bubble's.
func newMini() *miniredis.Miniredis {
	mini := miniredis.NewMiniRedis()
	mini.ClockTTL(true)
	return mini
}

// openMini returns a store with a client of its own, over connections in memory.
func openMini(tb testing.TB, mini *miniredis.Miniredis, o *redisstore.Options, hooks ...redis.Hook) *redisstore.Store {
	tb.Helper()
	client := redis.NewClient(&redis.Options{
		Addr:                  "192.0.2.1:6379", // never dialled, because of Dialer
		ContextTimeoutEnabled: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			conn, err := mini.Dial()
			return newBuffered(conn), err
		},
	})
	tb.Cleanup(func() { _ = client.Close() })
	for _, hook := range hooks {
		client.AddHook(hook)
	}
	return newRedisStore(tb, client, o)
}

// A buffered connection does not wait for the reader when it writes, as a socket does not.
// Over a bare pipe the commands of a pipeline and their replies would wait for each other.
type buffered struct {
	net.Conn

	writes chan []byte
	once   sync.Once
}

func newBuffered(conn net.Conn) net.Conn {
	b := &buffered{Conn: conn, writes: make(chan []byte, 100)}
	go func() {
		for data := range b.writes {
			_, _ = conn.Write(data) // Read notices a closed connection
		}
	}()
	return b
}

func (b *buffered) Write(data []byte) (int, error) {
	b.writes <- slices.Clone(data)
	return len(data), nil
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.writes) })
	return b.Conn.Close()
}

func newRedisStore(tb testing.TB, client redis.UniversalClient, o *redisstore.Options) *redisstore.Store {
	tb.Helper()
	store, err := redisstore.New(client, o)
	require.NoError(tb, err)
	return store
}

// The embedded Redis runs in a synctest bubble. Its clock and the times to live of its keys
// follow the bubble's time.
func TestMiniredisSessions(t *testing.T) {
	for name, o := range map[string]*redisstore.Options{
		"defaults": nil,
		"few":      {PerUser: 5, Prefix: "other:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			perUser := 0
			if o != nil {
				perUser = o.PerUser
			}
			var mini *miniredis.Miniredis
			suite := func(rules string) storetest.SessionSuite {
				return storetest.SessionSuite{
					Open:    func(tb testing.TB) googlesession.SessionStore { return openMini(tb, mini, o) },
					Advance: time.Sleep,
					PerUser: perUser,
					Run: func(t *testing.T, rule func(*testing.T)) {
						synctest.Test(t, func(t *testing.T) {
							mini = newMini()
							defer mini.Close()
							recorded("miniredis", rules)(t, rule)
						})
					},
				}
			}
			storetest.TestSessions(t, suite("session rules"))
			storetest.TestBindings(t, suite("binding rules"))
		})
	}
}
