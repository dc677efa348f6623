// Package redisstore keeps sessions in Redis 7.0 or newer, or in Valkey: on one server,
// behind Sentinel or in a Cluster. Users are kept elsewhere, for example in an SQL database
// (package sqlstore). This store holds a copy of the newest record of each user who has a
// session. [New] makes a [Store] from a client, and the Config has both stores:
//
//	m, err := googlesession.New(googlesession.Config{
//		Sessions: sessions, // a *redisstore.Store
//		Users:    users,    // a *sqlstore.Store, for example
//		Verifier: verifier,
//	})
//
// Everything about one user is one hash, so it has one key in one slot. Each method but
// AllSessions is one script on that hash, so it takes one round trip and is one atomic step.
// [Store.AllSessions] goes through the keys of all masters. The scripts
// are declared as writers, so that a replica refuses them and no cache of the client
// answers them. A replica that accepts writes (replica-read-only no) does not refuse them,
// so the scripts ask for the server's role. The script of CheckSession asks only if it has
// a use to record.
//
// # What is kept
//
// A session is kept under the hash of its cookie's value, so no cookie can be made from a
// copy of the database. Every key has a time to live. A key expires with the last session
// of its user, but no sooner than [googlesession.SignInWindow] after a PutUser. Times are
// those of the server's clock, in whole milliseconds.
//
// A [Store] caches the records of up to 16384 users, so that a check need not fetch them.
// That takes about 8 MB, or 25 MB if each user has 1 KiB of Data. With each check the server
// confirms that the cached record is still the one that the server holds.
//
// # What the server has to guarantee
//
// A revocation is exact as long as Redis keeps what it has acknowledged. Redis loses
// acknowledged writes if it restarts from a snapshot (appendonly no). It may lose them
// if a replica takes over, because replication is asynchronous. [Options.Replicas] makes
// that loss rarer, but not impossible. [Store.Doctor] examines the settings that matter.
//
// The maxmemory-policy has to be noeviction. An eviction signs users out, and if it happens
// during a sign-in, Redis may no longer know that the user is disabled. If memory is full,
// sign-ins and bindings are refused, and checks and revocations go on.
//
// # Tests
//
// The scripts are tested on real servers in the module conformance of this repository, by
// the suite of package storetest and by tests for Redis alone. The tests in this folder
// need no server.
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

// ErrUnconfirmed reports that RevokeSession, RevokeUser, PutUser or SwapBinding has taken
// effect on the primary, but that fewer than [Options.Replicas] replicas have confirmed this
// in time. A failover may undo the change. Repeating the call waits for the replicas again.
// ErrUnconfirmed wraps [googlesession.ErrUnavailable].
var ErrUnconfirmed = fmt.Errorf("%w: redisstore: not confirmed by enough replicas", googlesession.ErrUnavailable)

// ErrUnsafeClient reports that [New] was given a client with which a promise of the store
// would not hold.
var ErrUnsafeClient = errors.New("redisstore: unsafe client")

// Options configure a [Store]. The zero value means the defaults.
type Options struct {
	_ struct{}

	// Prefix begins every key. It is printable ASCII without spaces and braces, at
	// most 64 bytes. "" means "gs:".
	Prefix string

	// PerUser is the maximum number of live sessions of a user, if a sign-in does not
	// bring a lower [googlesession.NewSession.Max]. The session in
	// [googlesession.NewSession.Replaces] does not count. A sign-in over the maximum
	// ends the least recently used session, or is refused if
	// [googlesession.NewSession.RefuseOverMax] is set. The time of a check does not
	// depend on PerUser. The other operations take time for each session of the user.
	// Zero means 100. A negative number is an error.
	PerUser int

	// Replicas is the number of replicas that have to confirm RevokeSession, RevokeUser,
	// PutUser and SwapBinding before these methods return a nil error. If fewer confirm, the
	// methods return [ErrUnconfirmed]. Waiting does not take another round trip, only the time of
	// the replicas. Zero means that the methods do not wait for replicas.
	Replicas int

	// ReplicasTimeout is how long a method waits for the replicas at most. It must be a
	// whole number of milliseconds and less than the client's ReadTimeout. Zero means
	// 500 ms.
	ReplicasTimeout time.Duration
}

// A Store is a [googlesession.BindingStore] in Redis. Make it with [New]. It is safe for
// concurrent use, and Stores in many processes may share a database. Its methods return the
// errors of BindingStore, and [ErrUnconfirmed].
type Store struct {
	client redis.UniversalClient
	opts   Options

	// loaded is nil if the next call has to load the scripts into the servers.
	loaded atomic.Pointer[scripts]

	users userCache
}

var _ googlesession.BindingStore = (*Store)(nil)

// New returns a store that uses the client. It does no I/O. New does not change the
// client's settings, and the store never closes the client. A nil o means the defaults. The
// error joins everything that is wrong with the client and the options.
//
// New refuses a nil client, a [redis.Ring] and a [redis.AutoPipeliner] with
// [ErrUnsafeClient]. A Ring moves users to other servers when a server fails, and an
// AutoPipeliner decides by itself which commands it sends again. [Store.Doctor] examines
// the settings of any other client.
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

// complete sets the fields that are zero to their defaults. The error joins everything that
// is wrong with the options.
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

// key returns the key of the hash of the user with this tag. In a cluster the part in
// braces decides the slot.
func (s *Store) key(tag [12]byte) string {
	var buf [96]byte // holds the longest possible key, so that the key is built on the stack
	key := append(append(buf[:0], s.opts.Prefix...), '{')
	return string(append(base64.RawURLEncoding.AppendEncode(key, tag[:]), '}'))
}

// contractError returns err itself if it is nil, ErrUnconfirmed or one of the errors that a
// method of SessionStore may return. It wraps any other error in ErrUnavailable, and the
// text then says what the store was doing.
func contractError(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	for _, verdict := range []error{
		googlesession.ErrNoSession, googlesession.ErrUserDisabled, googlesession.ErrExists, googlesession.ErrStaleToken,
		googlesession.ErrTooManySessions, googlesession.ErrNotFound, ErrUnconfirmed,
	} {
		if errors.Is(err, verdict) {
			return err
		}
	}
	// The client reports a passed deadline as a network timeout, and may do so a moment
	// before ctx.Err reports the deadline. So the clock is looked at too.
	done := ctx.Err()
	if at, ok := ctx.Deadline(); done == nil && ok && !time.Now().Before(at) {
		done = context.DeadlineExceeded
	}
	if done != nil && !errors.Is(err, done) {
		err = fmt.Errorf("%w: %w", done, err)
	}
	return fmt.Errorf("%w: redisstore: %s: %w", googlesession.ErrUnavailable, doing, err)
}
