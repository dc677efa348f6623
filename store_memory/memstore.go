// Package memstore keeps sessions and users in the memory of one process. It is for tests,
// for trying things out, and for applications that run as a single process. A restart ends
// all sessions and forgets all users.
//
// [New] makes a [Store], which serves a [googlesession.Manager] as SessionStore and as
// UserStore:
//
//	m, err := googlesession.New(googlesession.Config{
//		Sessions: memstore.New(nil),
//		Verifier: verifier,
//	})
package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// ErrFull reports that CreateSession cannot add a session, because the store holds
// [Options.MaxSessions] sessions. It wraps [googlesession.ErrUnavailable].
var ErrFull = fmt.Errorf("%w: memstore: full", googlesession.ErrUnavailable)

const (
	defaultMaxSessions = 1_000_000
	defaultPerUser     = 100
)

// Options are the settings of [New]. Nil and the zero value mean the defaults.
type Options struct {
	_ struct{}

	// MaxSessions is how many live sessions the store holds at most. CreateSession never
	// ends a live session of another user to make room; it returns [ErrFull] instead. Zero
	// or less means 1,000,000 sessions, which take some 200 MB.
	MaxSessions int

	// PerUser is how many live sessions a user can have, if the sign-in does not bring a
	// lower [googlesession.NewSession.Max]. The session in
	// [googlesession.NewSession.Replaces] does not count. Zero or less means 100.
	PerUser int
}

// A Store is both a [googlesession.BindingStore] and a [googlesession.UserStore], over one
// set of data. Make it with [New]. It is safe for concurrent use and starts no goroutine.
// Each call of CreateSession or PutUser removes a few expired sessions and a few users that
// the Store no longer needs.
//
// The Store's clock does not follow steps of the system's clock.
//
// If the application has another UserStore, users come to this Store by PutUser and
// CreateSession only. User and Users do not return such a user, and the Store forgets the
// user [googlesession.SignInWindow] after the last session, or somewhat later.
type Store struct {
	start       time.Time
	maxSessions int64
	perUser     int

	held   atomic.Int64 // number of sessions in all shards, including expired sessions
	admins atomic.Int64 // number of enabled administrators among the users of the UserStore

	directory directory // finds the users of the UserStore by a query

	// access is held while a call decides whether a user is the last administrator. A call
	// locks access first, then a shard, then directory.
	access sync.Mutex

	shards [shardCount]shard
}

// New returns an empty Store. It does not fail, and o may be nil.
func New(o *Options) *Store {
	s := &Store{start: time.Now(), maxSessions: defaultMaxSessions, perUser: defaultPerUser}
	if o != nil && o.MaxSessions > 0 {
		s.maxSessions = min(int64(o.MaxSessions), 1<<31) // the slot of a session has 32 bits
	}
	if o != nil && o.PerUser > 0 {
		s.perUser = o.PerUser
	}
	for i := range s.shards {
		s.shards[i].store = s
		s.shards[i].init()
	}
	return s
}

// CreateSession implements [googlesession.SessionStore].
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckNewSession(n)); err != nil {
		return googlesession.Session{}, unavailable(err)
	}
	if s.held.Load() >= s.maxSessions {
		s.sweepAll()
	}
	shard := s.shard(n.Ref.Tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := s.now()
	shard.sweep(now)
	if existing, _ := shard.lookupID(&n.Ref.ID); existing != nil {
		return googlesession.Session{}, googlesession.ErrExists
	}
	u, _ := shard.apply(n.User, n.Ref.Tag, now)
	if err := shard.prepare(u, n, now); err != nil {
		shard.scheduleForget(u, now)
		return googlesession.Session{}, err
	}
	session := googlesession.Session{Device: n.Device, Label: n.Label}
	shard.describe(&session, u, shard.create(u, n, now))
	return session, nil
}

// prepare makes room for the session n within the user's limit. If the user cannot have n,
// it returns the error for CreateSession to return.
func (s *shard) prepare(u *user, n googlesession.NewSession, now int64) error {
	switch {
	case u.disabled():
		return googlesession.ErrUserDisabled
	case u.isStale(n.TokenIssuedAt):
		return googlesession.ErrStaleToken
	case !s.makeRoom(u, n, now):
		return googlesession.ErrTooManySessions
	case s.store.held.Load() >= s.store.maxSessions:
		return ErrFull
	}
	return nil
}

// CheckSession implements [googlesession.SessionStore]. Checks do not wait for each other.
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (session googlesession.Session, err error) {
	if err := ctx.Err(); err != nil {
		return session, unavailable(err)
	}
	shard := s.shard(r.Tag)
	// The read lock is enough, because a use is recorded with a compare-and-swap and a
	// session is removed under the write lock.
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	now := s.now()
	rec, u, err := shard.admit(r, now)
	if err != nil {
		return session, err
	}
	idle := time.Duration(rec.idleTimeout) * time.Millisecond
	session.Touched = rec.touch(now, storekit.TouchAfter(touchAfter, idle).Milliseconds())
	shard.describe(&session, u, rec)
	return session, nil
}

// SwapBinding implements [googlesession.BindingStore].
func (s *Store) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckBinding(old, next)); err != nil {
		return false, unavailable(err)
	}
	shard := s.shard(r.Tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	rec, _, err := shard.admit(r, s.now())
	if err != nil {
		return false, err
	}
	var swapped bool
	rec.details, swapped = shard.details.swapBinding(rec.details, r.PublicID(), old, next)
	return swapped, nil
}

// RevokeSession implements [googlesession.SessionStore].
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, unavailable(err)
	}
	shard := s.shard(r.Tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	rec, _ := shard.lookup(r)
	if rec == nil {
		return false, nil
	}
	now := s.now()
	wasLive := rec.live(now)
	shard.endSession(rec, now)
	return wasLive, nil
}

// RevokeUser implements [googlesession.SessionStore].
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, unavailable(err)
	}
	shard := s.shardOf(userID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	u := shard.users[userID]
	if u == nil {
		return 0, nil
	}
	kept := shard.sessionOf(u, keep)
	return shard.endSessions(u, s.now(), func(rec *record) bool { return rec != kept }), nil
}

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckUser(u)); err != nil {
		return false, unavailable(err)
	}
	tag := googlesession.UserTag(u.ID)
	shard := s.shard(tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := s.now()
	shard.sweep(now)
	known, applied := shard.apply(u, tag, now)
	shard.scheduleForget(known, now)
	return applied, nil
}

// Sessions implements [googlesession.SessionStore].
func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	shard := s.shardOf(userID)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	list := []googlesession.Session{}
	u := shard.users[userID]
	if u == nil {
		return list, nil
	}
	now := s.now()
	for rec := range shard.sessions(u) {
		if rec.live(now) {
			var session googlesession.Session
			shard.describeAll(&session, u, rec)
			list = append(list, session)
		}
	}
	slices.SortFunc(list, func(a, b googlesession.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.Ref.String(), b.Ref.String()))
	})
	return list, nil
}

// now returns the store's time in Unix milliseconds, from a monotonic clock.
func (s *Store) now() int64 { return s.start.UnixMilli() + time.Since(s.start).Milliseconds() }

// shard returns the shard of the users with this tag.
func (s *Store) shard(tag [12]byte) *shard { return &s.shards[tag[0]%shardCount] }

func (s *Store) shardOf(userID string) *shard { return s.shard(googlesession.UserTag(userID)) }

// sweepAll sweeps every shard once. It holds the lock of one shard at a time.
func (s *Store) sweepAll() {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		shard.sweep(s.now())
		shard.mu.Unlock()
	}
}

// unavailable wraps err in ErrUnavailable. err is the error of a context, or says why the
// store refuses a call.
func unavailable(err error) error {
	return fmt.Errorf("%w: memstore: %w", googlesession.ErrUnavailable, err)
}
