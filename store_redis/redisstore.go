// Package redisstore keeps sessions in Redis 7.0 or newer, or Valkey: one server,
// Sentinel or Cluster. Users are kept elsewhere, for example in a SQL database; the
// store holds a copy of the newest record of each user who has a session.
//
// Everything about one user is one hash, so one key in one slot; each method is one
// script on it, and so one round trip and one atomic step. The scripts are declared
// as writers, so a replica refuses them, and no cache of the client answers them. A
// replica that accepts writes does not refuse them. The scripts ask for the server's
// role, except for checks that have no use to record.
//
// # What is kept
//
// Sessions are kept by the hash of their cookie's value: a copy of the database
// signs nobody in. Every key has a time to live and goes with the last session of its
// user, but not within [googlesession.SignInWindow] of a PutUser. Times are the
// server's clock, in whole milliseconds. A [Store] remembers the records of up to 16384
// users, so that checks need not be sent them; whether one is still what Redis holds,
// Redis says with each check.
//
// # What a server has to do
//
// A revocation is exact as long as Redis keeps what it has acknowledged. It does not
// if it restarts from a snapshot (appendonly no), and may not if a replica takes over:
// replication is asynchronous. [Options.Replicas] makes that loss rarer, not
// impossible. [Store.Doctor] looks at the settings that matter. The maxmemory-policy has
// to be noeviction, because an eviction signs users out, and may forget that a user is
// disabled while a sign-in is in flight. When memory is full, sign-ins are refused, and
// checks and revocations go on.
package redisstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/googlesession/googlesession"
)

// ErrUnconfirmed says that a revocation is in force on the primary, but that fewer than
// [Options.Replicas] replicas have confirmed it in time, so that a failover may undo it.
// Repeating the call waits for them again. It wraps [googlesession.ErrUnavailable].
var ErrUnconfirmed = fmt.Errorf("%w: redisstore: not confirmed by enough replicas", googlesession.ErrUnavailable)

// ErrUnsafeClient says that New was given a client under which a promise would not hold.
var ErrUnsafeClient = errors.New("redisstore: unsafe client")

// Options are what [New] can be told. The zero value is the default.
type Options struct {
	_ struct{}

	// Prefix begins every key. It is printable ASCII without blanks and braces, at
	// most 64 bytes. "" means "gs:".
	Prefix string

	// PerUser is how many live sessions a user can have, if a sign-in does not bring a
	// lower [googlesession.NewSession.Max]; one that is being replaced does not count.
	// One more ends the least recently used, or is refused. A check does not depend on
	// it, the other operations take time for each session of the user. Zero means 100.
	PerUser int

	// Replicas is how many replicas must confirm RevokeSession, RevokeUser and
	// PutUser before they return nil; otherwise they return [ErrUnconfirmed]. It
	// costs no round trip more, but the replicas' time. Zero does not wait.
	Replicas int

	// ReplicasTimeout is how long to wait for them, in whole milliseconds, less than
	// the client's ReadTimeout. Zero means 500 ms.
	ReplicasTimeout time.Duration
}

// A Store is safe for concurrent use by many goroutines. Stores in many processes
// may share a database. Errors are those of [googlesession.SessionStore].
type Store struct {
	client redis.UniversalClient
	opts   Options

	// loaded is nil until the servers have been given the scripts.
	loaded atomic.Pointer[scripts]

	users users
}

var _ googlesession.SessionStore = (*Store)(nil)

// New returns a store on the client, without any I/O. The client is borrowed: its
// settings are left alone and it is never closed. A nil o means the defaults.
//
// A [redis.Ring] and a [redis.AutoPipeliner] are [ErrUnsafeClient]: the one moves
// users to other servers when one fails, the other decides by itself what to send
// again. [Store.Doctor] says what it thinks of any other client.
func New(client redis.UniversalClient, o *Options) (*Store, error) {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	if err := errors.Join(checkClient(client), opts.complete(client)); err != nil {
		return nil, err
	}
	return &Store{client: client, opts: opts}, nil
}

// complete fills in defaults and joins everything that is wrong.
func (o *Options) complete(client redis.UniversalClient) error {
	var errs []error
	if o.Prefix == "" {
		o.Prefix = "gs:"
	}
	if len(o.Prefix) > 64 || strings.ContainsFunc(o.Prefix, func(r rune) bool { return r <= ' ' || r > '~' || r == '{' || r == '}' }) {
		errs = append(errs, fmt.Errorf("redisstore: prefix %q is not printable ASCII without blanks and braces, at most 64 bytes", o.Prefix))
	}
	if o.PerUser == 0 {
		o.PerUser = 100
	}
	if o.PerUser < 0 {
		errs = append(errs, fmt.Errorf("redisstore: PerUser %d is negative", o.PerUser))
	}
	if o.Replicas < 0 {
		errs = append(errs, fmt.Errorf("redisstore: Replicas %d is negative", o.Replicas))
	}
	if o.ReplicasTimeout == 0 {
		o.ReplicasTimeout = 500 * time.Millisecond
	}
	if o.ReplicasTimeout < 0 || o.ReplicasTimeout%time.Millisecond != 0 {
		errs = append(errs, fmt.Errorf("redisstore: ReplicasTimeout %v is not a positive number of milliseconds", o.ReplicasTimeout))
	}
	if limit := settingsOf(client).readTimeout; o.Replicas > 0 && limit > 0 && o.ReplicasTimeout >= limit {
		errs = append(errs, fmt.Errorf("redisstore: ReplicasTimeout %v is not less than the client's ReadTimeout %v", o.ReplicasTimeout, limit))
	}
	return errors.Join(errs...)
}

// key is the user's hash. What stands in braces decides the slot in a cluster.
func (s *Store) key(tag [12]byte) string {
	var buf [96]byte // on the stack, for the longest prefix too
	key := append(append(buf[:0], s.opts.Prefix...), '{')
	return string(append(base64.RawURLEncoding.AppendEncode(key, tag[:]), '}'))
}

// classify lets the errors of the contract through, and calls the others
// unavailable.
func classify(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	for _, verdict := range []error{
		googlesession.ErrNoSession, googlesession.ErrUserDisabled, googlesession.ErrExists, googlesession.ErrStaleToken,
		googlesession.ErrTooManySessions, ErrUnconfirmed,
	} {
		if errors.Is(err, verdict) {
			return err
		}
	}
	// The client reports a deadline as a network timeout, and a moment before ctx does.
	done := ctx.Err()
	if at, ok := ctx.Deadline(); done == nil && ok && !time.Now().Before(at) {
		done = context.DeadlineExceeded
	}
	if done != nil && !errors.Is(err, done) {
		err = fmt.Errorf("%w: %w", done, err)
	}
	return fmt.Errorf("%w: redisstore: %s: %w", googlesession.ErrUnavailable, doing, err)
}
