package conformance_test

import (
	"context"
	"crypto/sha1" //nolint:gosec // how Redis names scripts
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
	"github.com/googlesession/googlesession/storetest"
)

// openRedis returns a store with a client of its own.
func openRedis(tb testing.TB, url string, o *redisstore.Options, hooks ...redis.Hook) *redisstore.Store {
	tb.Helper()
	client, err := redisstore.Open(url)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = client.Close() })
	for _, hook := range hooks {
		client.AddHook(hook)
	}
	return newRedisStore(tb, client, o)
}

// A rewriter is a hook that changes the text of each script before it is sent.
type rewriter struct {
	commandRecorder

	change func(text string) string

	mu    sync.Mutex
	texts map[string]string // the scripts, by the hash that the store knows
}

func newRewriter(change func(string) string) *rewriter {
	return &rewriter{change: change, texts: make(map[string]string)}
}

func hashOf(text string) string {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // how Redis names scripts
	return hex.EncodeToString(sum[:])
}

// rewrite changes what a command sends.
func (r *rewriter) rewrite(cmd redis.Cmder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	args := cmd.Args()
	switch cmd.Name() {
	case "script":
		text := args[2].(string)
		r.texts[hashOf(text)] = text
		args[2] = r.change(text)
	case "eval":
		text := args[1].(string)
		r.texts[hashOf(text)] = text
		args[1] = r.change(text)
	case "evalsha":
		args[1] = hashOf(r.change(r.texts[args[1].(string)]))
	}
}

func (r *rewriter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		r.rewrite(cmd)
		return next(ctx, cmd)
	}
}

func (r *rewriter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			r.rewrite(cmd)
		}
		return next(ctx, cmds)
	}
}

// A redisClock moves the server's clock forward inside the scripts. The times to live of
// keys still follow the server's own clock, so they are never too short.
type redisClock struct{ offset atomic.Int64 } // in milliseconds

func (c *redisClock) shift(text string) string {
	const shifted = `(function(t)
		local micros = t[1] * 1e6 + t[2] + OFFSET * 1e3
		return {string.format('%.0f', math.floor(micros / 1e6)), string.format('%.0f', micros % 1e6)}
	end)(redis.call('TIME'))`
	return strings.Replace(text, "redis.call('TIME')", strings.Replace(shifted, "OFFSET", strconv.FormatInt(c.offset.Load(), 10), 1), 1)
}

// testRedisSessions runs the suites against a server whose clock it moves.
func testRedisSessions(t *testing.T, backend, url string) {
	t.Helper()
	clock := &redisClock{}
	hook := newRewriter(clock.shift)
	suite := storetest.SessionSuite{
		Open:    func(tb testing.TB) googlesession.SessionStore { return openRedis(tb, url, nil, hook) },
		Advance: func(d time.Duration) { clock.offset.Add(d.Milliseconds()) },
		Run:     recorded(backend, "session rules"),
	}
	storetest.TestSessions(t, suite)
	suite.Run = recorded(backend, "binding rules")
	storetest.TestBindings(t, suite)
}

func TestRedisSessions(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"Redis": redisURL, "Redis Cluster": clusterURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they are different servers
			testRedisSessions(t, name, url(t))
		})
	}
}

// recorded counts the rules that pass, for the table at the end.
func recorded(backend, suite string) func(*testing.T, func(*testing.T)) {
	return func(t *testing.T, rule func(*testing.T)) {
		rule(t)
		if !t.Failed() {
			record(backend, suite, 1)
		}
	}
}
