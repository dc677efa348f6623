// Package memstore keeps sessions and users in memory: for one process, for tests
// and for trying things out. A restart ends all sessions and forgets all users.
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

// ErrFull says that the store holds [Options.MaxSessions] live sessions. It wraps
// [googlesession.ErrUnavailable].
var ErrFull = fmt.Errorf("%w: memstore: full", googlesession.ErrUnavailable)

const (
	defaultMax     = 1_000_000
	defaultPerUser = 100
)

// Options change what [New] makes. Nil and the zero value are the defaults.
type Options struct {
	_ struct{}

	// MaxSessions bounds the store. Zero means 1,000,000, some 200 MB. Live sessions
	// of others are never ended to make room: the store is full ([ErrFull]).
	MaxSessions int

	// PerUser is how many live sessions a user can have, if a sign-in does not bring a
	// lower [googlesession.NewSession.Max]; one that is being replaced does not count.
	// Zero means 100.
	PerUser int
}

// A Store is a [googlesession.SessionStore] and a [googlesession.UserStore] over
// the same maps. Make it with New; it is safe for concurrent use and starts no
// goroutine: what has expired is removed in small steps by CreateSession.
//
// Its clock does not follow steps of the wall clock. Users known only through
// PutUser and CreateSession, because the truth about them is elsewhere, are not
// shown by User and Users, and are forgotten [googlesession.SignInWindow] after
// their last session.
type Store struct {
	start   time.Time
	max     int64
	perUser int

	live   atomic.Int64 // records held, the expired ones included
	admins atomic.Int64 // enabled administrators
	access sync.Mutex   // held while deciding who is the last of them; before a shard's
	order  order        // of the users; its lock is taken last

	shards [shardCount]shard
}

// New returns an empty Store.
func New(o *Options) *Store {
	s := &Store{start: time.Now(), max: defaultMax, perUser: defaultPerUser}
	if o != nil && o.MaxSessions > 0 {
		s.max = min(int64(o.MaxSessions), 1<<31) // slots are numbered with 32 bits
	}
	if o != nil && o.PerUser > 0 {
		s.perUser = o.PerUser
	}
	for i := range s.shards {
		s.shards[i].init(s)
	}
	return s
}

// CreateSession implements [googlesession.SessionStore].
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.Session{}, done(err)
	}
	if err := storekit.CheckNewSession(n); err != nil {
		return googlesession.Session{}, invalid(err)
	}
	if s.live.Load() >= s.max {
		s.sweepAll()
	}
	sh := s.shard(n.Ref.Tag)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := s.now()
	sh.sweep(now, sweepSteps)
	if used, _, _ := sh.look(&n.Ref.ID); used != 0 {
		return googlesession.Session{}, googlesession.ErrExists
	}
	u, _ := sh.apply(n.User, n.Ref.Tag, now)
	if u.Disabled {
		sh.release(u, now)
		return googlesession.Session{}, googlesession.ErrUserDisabled
	}
	if storekit.IsStaleToken(n.TokenIssuedAt, u.User) {
		sh.release(u, now)
		return googlesession.Session{}, googlesession.ErrStaleToken
	}
	if !sh.makeRoom(u, n, now) {
		return googlesession.Session{}, googlesession.ErrTooManySessions
	}
	if s.live.Load() >= s.max {
		sh.release(u, now)
		return googlesession.Session{}, ErrFull
	}
	i := sh.insert(u, n, now)
	return u.session(sh.at(i), n.Device), nil
}

// CheckSession implements [googlesession.SessionStore]. The touch is a
// compare-and-swap under the read lock: removal takes the write lock, so a touch
// never meets a record that is gone.
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (session googlesession.Session, err error) {
	if err := ctx.Err(); err != nil {
		return session, done(err)
	}
	sh := s.shard(r.Tag)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	i, rec, u := sh.look(&r.ID)
	if i == 0 || u.tag != r.Tag {
		return session, googlesession.ErrNoSession
	}
	now := s.now()
	if !rec.alive(now) {
		return session, googlesession.ErrSessionExpired
	}
	if u.Disabled {
		return session, googlesession.ErrUserDisabled
	}
	session.Touched = rec.touch(now, touchAfter.Milliseconds())
	u.describe(rec, &session)
	return session, nil
}

// RevokeSession implements [googlesession.SessionStore].
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, done(err)
	}
	sh := s.shard(r.Tag)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i, ok := sh.find(r)
	if !ok {
		return false, nil
	}
	now := s.now()
	alive := sh.at(i).alive(now)
	sh.remove(i, now)
	return alive, nil
}

// RevokeUser implements [googlesession.SessionStore].
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, done(err)
	}
	sh := s.shard(googlesession.UserTag(userID))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	u := sh.users[userID]
	if u == nil {
		return 0, nil
	}
	return sh.end(u, keep, s.now()), nil
}

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, done(err)
	}
	if err := storekit.CheckUser(u); err != nil {
		return false, invalid(err)
	}
	tag := googlesession.UserTag(u.ID)
	sh := s.shard(tag)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := s.now()
	sh.sweep(now, sweepSteps)
	known, applied := sh.apply(u, tag, now)
	sh.release(known, now)
	return applied, nil
}

// Sessions implements [googlesession.SessionStore].
func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, done(err)
	}
	sh := s.shard(googlesession.UserTag(userID))
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	list := []googlesession.Session{}
	u := sh.users[userID]
	if u == nil {
		return list, nil
	}
	now := s.now()
	for i := u.head; i != 0; i = sh.at(i).next {
		if rec := sh.at(i); rec.alive(now) {
			list = append(list, u.session(rec, sh.devices.at(rec.device)))
		}
	}
	slices.SortFunc(list, func(a, b googlesession.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.Ref.String(), b.Ref.String()))
	})
	return list, nil
}

// now is Unix milliseconds by the monotonic clock.
func (s *Store) now() int64 { return s.start.UnixMilli() + time.Since(s.start).Milliseconds() }

func (s *Store) shard(tag [12]byte) *shard { return &s.shards[tag[0]%shardCount] }

// sweepAll takes a step in every shard, one lock at a time.
func (s *Store) sweepAll() {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		sh.sweep(s.now(), sweepSteps)
		sh.mu.Unlock()
	}
}

// done says that a context was over before anything was changed.
func done(err error) error {
	return fmt.Errorf("%w: memstore: %w", googlesession.ErrUnavailable, err)
}

// invalid says what is wrong with what the store was given.
func invalid(err error) error {
	return fmt.Errorf("%w: memstore: %w", googlesession.ErrUnavailable, err)
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
