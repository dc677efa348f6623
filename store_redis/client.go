package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// checkClient refuses clients under which a promise would not hold.
func checkClient(client redis.UniversalClient) error {
	switch c := client.(type) {
	case *redis.Ring:
		return fmt.Errorf("%w: a Ring moves users to other servers when one fails: use Sentinel or Cluster", ErrUnsafeClient)
	case *redis.AutoPipeliner:
		return fmt.Errorf("%w: an AutoPipeliner sends again by rules of its own: give New the client below it", ErrUnsafeClient)
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
	return fmt.Errorf("%w: none", ErrUnsafeClient)
}

// settings are what matters of a client's options.
type settings struct {
	known           bool // the type is
	readTimeout     time.Duration
	contextDeadline bool
	retries         int
	replicas        bool // reads may go to replicas
	cache           bool // on the client's side
}

func settingsOf(client redis.UniversalClient) settings {
	switch c := client.(type) {
	case *redis.Client:
		if c == nil {
			return settings{}
		}
		o := c.Options()
		return settings{
			known: true, readTimeout: o.ReadTimeout, contextDeadline: o.ContextTimeoutEnabled, retries: o.MaxRetries,
			cache: o.ClientSideCache != nil || o.ClientSideCacheConfig != nil,
		}
	case *redis.ClusterClient:
		if c == nil {
			return settings{}
		}
		o := c.Options()
		return settings{
			known: true, readTimeout: o.ReadTimeout, contextDeadline: o.ContextTimeoutEnabled, retries: o.MaxRetries,
			replicas: o.ReadOnly || o.RouteByLatency || o.RouteRandomly,
		}
	default:
		return settings{}
	}
}

// eachMaster calls f with a client of each master.
func eachMaster(ctx context.Context, client redis.UniversalClient, f func(context.Context, redis.UniversalClient) error) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return f(ctx, master) })
	}
	return f(ctx, client)
}

// sendConfirmed sends the command and waits, in the same round trip, for replicas to
// confirm it. WAIT has no key, so in a cluster both go to the key's master.
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
		// The slot is moving: nothing ran here. What follows the redirection cannot wait.
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
