package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// checkClient returns an error that wraps ErrUnsafeClient if client is nil or is of a type
// with which a promise of the store would not hold.
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
	known           bool // settingsOf knows the type of the client; if not, the other fields are zero
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

// eachMaster calls f with a client for each master of a cluster. These calls run
// concurrently. If client is not a cluster's, eachMaster calls f once, with client.
func eachMaster(ctx context.Context, client redis.UniversalClient, f func(context.Context, redis.UniversalClient) error) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return f(ctx, master) })
	}
	return f(ctx, client)
}

// sendConfirmed sends cmd and, in one round trip with it, a WAIT until replicas have
// confirmed cmd. It returns ErrUnconfirmed if fewer than [Options.Replicas] confirm cmd.
// WAIT has no key, so in a cluster sendConfirmed sends both commands to the master that
// has the key.
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
		// The slot is moving, so the server has not run cmd. Process follows the redirection,
		// but sends cmd without a WAIT, so the replicas do not confirm it.
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
