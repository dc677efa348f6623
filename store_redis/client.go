package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// checkClient refuses clients with which a promise of the store would not hold.
func checkClient(client redis.UniversalClient) error {
	switch c := client.(type) {
	case *redis.Ring:
		return fmt.Errorf("%w: a Ring moves users to other servers when a server fails; use Sentinel or Cluster", ErrUnsafeClient)
	case *redis.AutoPipeliner:
		return fmt.Errorf("%w: an AutoPipeliner sends commands again by its own rules; give New the client that it wraps", ErrUnsafeClient)
	case *redis.Client:
		if c != nil {
			return nil
		}
	case *redis.ClusterClient:
		if c != nil {
			return nil
		}
	default:
		if c != nil {
			return nil
		}
	}
	return fmt.Errorf("%w: client is nil", ErrUnsafeClient)
}

// clientSettings are the options of a client that matter to the store.
type clientSettings struct {
	known           bool // whether settingsOf knows this client type; if not, the rest is zero
	readTimeout     time.Duration
	contextDeadline bool // a call ends at the deadline of its context
	retries         int
	replicas        bool // reads may go to replicas
	cache           bool // the client caches replies
}

func settingsOf(client redis.UniversalClient) clientSettings {
	switch c := client.(type) {
	case *redis.Client:
		if c == nil {
			return clientSettings{}
		}
		o := c.Options()
		return clientSettings{
			known: true, readTimeout: o.ReadTimeout, contextDeadline: o.ContextTimeoutEnabled, retries: o.MaxRetries,
			cache: o.ClientSideCache != nil || o.ClientSideCacheConfig != nil,
		}
	case *redis.ClusterClient:
		if c == nil {
			return clientSettings{}
		}
		o := c.Options()
		return clientSettings{
			known: true, readTimeout: o.ReadTimeout, contextDeadline: o.ContextTimeoutEnabled, retries: o.MaxRetries,
			replicas: o.ReadOnly || o.RouteByLatency || o.RouteRandomly,
		}
	default:
		return clientSettings{}
	}
}

// eachMaster calls f with a client for each master. The calls run concurrently.
func eachMaster(ctx context.Context, client redis.UniversalClient, f func(context.Context, redis.UniversalClient) error) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return f(ctx, master) })
	}
	return f(ctx, client)
}

// sendConfirmed sends the command and, in the same round trip, a WAIT for replicas to
// confirm it. It returns ErrUnconfirmed if too few confirm. WAIT has no key, so in a
// cluster both commands are sent to the key's master.
func (s *Store) sendConfirmed(ctx context.Context, key string, cmd redis.Cmder) error {
	master := s.client
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, key)
		if err != nil {
			return err
		}
		master = node
	}
	wait := redis.NewIntCmd(ctx, "wait", s.opts.Replicas, s.opts.ReplicasTimeout.Milliseconds())
	_, _ = master.Pipelined(ctx, func(p redis.Pipeliner) error {
		_ = p.Process(ctx, cmd)
		return p.Process(ctx, wait)
	})
	switch err := cmd.Err(); {
	case redis.HasErrorPrefix(err, "MOVED"), redis.HasErrorPrefix(err, "ASK"):
		// The slot is moving, so this server has not run the command. The client follows
		// the redirection with the command alone, so nothing waits for replicas.
		if err := s.client.Process(ctx, cmd); err != nil {
			return err
		}
		return ErrUnconfirmed
	case err != nil:
		return err
	case wait.Err() != nil || wait.Val() < int64(s.opts.Replicas):
		return ErrUnconfirmed
	}
	return nil
}
