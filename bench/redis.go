package bench

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/boj/redistore"
	"github.com/redis/go-redis/v9"

	redisstore "github.com/googlesession/googlesession/store_redis"
)

const (
	oneGet     = "one GET"
	oneEvalsha = "one EVALSHA of the same script"
	oursKeys   = "ours:"
	atOnce     = 16 // how many requests wait for a server at the same time
)

// newRedis returns a new client, and a store that uses the client and has the sessions
// whose numbers are 0 to size-1. The other sites on Redis use that client too, except
// redistore, which has a client of its own.
func (r *Run) newRedis(name string, size int) (*redis.Client, *redisstore.Store) {
	client := must1(redisstore.Open(r.servers.Redis)).(*redis.Client)
	store := must1(redisstore.New(client, &redisstore.Options{Prefix: r.servers.keys + name}))
	fill(store, size, atOnce)
	return client, store
}

// getSite returns a site that sends one GET for each request. The site is the limit for
// every library that stores a session under a key.
func getSite(client *redis.Client, prefix string, headers []string) Site {
	return limit(oneGet, headers, func(r *http.Request, token string) (string, error) {
		return client.Get(r.Context(), recordKey(prefix, token)).Result()
	})
}

// fillRecords sets the values that the site of getSite reads. Each value is as long as a
// user record.
func fillRecords(client *redis.Client, prefix string, headers []string) {
	record := strings.Repeat("x", len(fmt.Sprint(userOf(0))))
	for _, header := range headers {
		must(client.Set(background, recordKey(prefix, tokenIn(header)), record, lifetime).Err())
	}
}

func recordKey(prefix, token string) string {
	id := hashToken(token)
	return prefix + string(id[:])
}

// evalshaSite returns the limit for redisstore. The site sends the script of redisstore
// with the arguments of redisstore, and does not parse the reply.
func (r *Run) evalshaSite(client *redis.Client, name string, headers []string) Site {
	var sha string
	prefix := r.servers.keys + name
	// The first 16 characters of a token are the user's tag, in base64url.
	key := func(token string) string { return prefix + "{" + token[:16] + "}" }
	known := make(map[string]string, len(headers)/perUser)
	for _, header := range headers {
		key := key(tokenIn(header))
		if known[key] == "" {
			known[key] = must1(client.HGet(background, key, "f").Result())
		}
	}
	// The hook is added to a client of its own, so that it does not slow down the measured
	// client.
	recordedClient, recordedStore := r.newRedis(name, 0)
	defer func() { must(recordedClient.Close()) }()
	recordedClient.AddHook(shaHook{&sha})
	_, ref := tokenOf(0)
	must1(recordedStore.CheckSession(background, ref, idle/2))
	return limit(oneEvalsha, headers, func(r *http.Request, token string) (string, error) {
		id := hashToken(token)
		key := key(token)
		reply, err := client.EvalSha(r.Context(), sha, []string{key}, id[:], (idle / 2).Milliseconds(), known[key]).Text()
		if err == nil && len(reply) == 1 {
			err = errNoSession
		}
		return reply, err
	})
}

// A shaHook notes the hash of the script that was run last.
type shaHook struct{ sha *string }

func (h shaHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h shaHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h shaHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			*h.sha, _ = cmd.Args()[1].(string)
		}
		return next(ctx, cmd)
	}
}

// A redisPool holds the connections of one round and the stores that use them.
type redisPool struct {
	client  *redis.Client
	store   *redisstore.Store
	scs     scs.Store
	gorilla *redistore.RediStore
}

func (r *Run) redisPool() redisPool {
	client, store := r.newRedis(oursKeys, 0)
	options := client.Options()
	gorilla := must1(redistore.NewRediStore(options.PoolSize, "tcp", options.Addr, "", "", []byte("0123456789abcdef0123456789abcdef")))
	gorilla.SetKeyPrefix(r.servers.keys + "gorilla:")
	return redisPool{client, store, goredisstore.NewWithPrefix(client, r.servers.keys+"scs:"), gorilla}
}

func (p redisPool) close() {
	must(p.gorilla.Close())
	must(p.client.Close())
}

// onRedis compares the sites that ask Redis.
func (r *Run) onRedis() {
	if r.servers.Redis == "" {
		r.skip("A request, Redis", "no redis-server is installed")
		return
	}
	size, records := r.pick(10_000, 100), r.servers.keys+"limit:"
	headers := cookies(size, size)
	pool := r.redisPool()
	fill(pool.store, size, atOnce)
	fillRecords(pool.client, records, headers)
	scsHeaders, gorillaHeaders := fillSCS(pool.scs, size), fillGorilla(pool.gorilla, size)
	pool.close()
	sites := func(pool redisPool) []Subject {
		return []Subject{
			getSite(pool.client, records, headers).Asking(),
			r.evalshaSite(pool.client, oursKeys, headers).Asking(),
			ours(pool.store, headers).Asking(),
		}
	}
	// Redis runs all commands in one thread, so it does not need more than one CPU.
	r.apart(r.servers.redis, func(how string) {
		r.connected(func() (Group, func()) {
			pool := r.redisPool()
			return Group{
				Title: "A request, Redis", Workers: atOnce, Text: sprint("%d sessions; %s.", size, how),
				Subjects: append(
					sites(pool),
					recording(pool.store, headers).Asking(),
					scsOn(pool.scs, scsHeaders, false).Asking(),
					scsOn(pool.scs, scsHeaders, true).Asking(),
					gorillaOn(pool.gorilla, gorillaHeaders).Asking(),
				),
				Targets: []Target{
					{Subject: "googlesession", Limit: oneEvalsha, Most: 1.15},
					{Subject: "googlesession", Limit: oneGet, Most: 1.4},
				},
			}, pool.close
		})
	})
	r.connected(func() (Group, func()) {
		pool := r.redisPool()
		return Group{
			Title: "The same, with client and server in turns on the same CPUs", Workers: atOnce,
			Text:     "A request takes as long as the work of client and server together.",
			Subjects: sites(pool), Limits: []string{oneEvalsha, oneGet},
		}, pool.close
	})
}
