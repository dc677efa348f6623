package memstore

import (
	"sync"
	"sync/atomic"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

const (
	shardCount  = 64
	slabSize    = 128
	userSlabLen = 16
)

// A shard holds everything of the users whose tags lead to it. Its lock is their
// serialization point.
type shard struct {
	store *Store

	mu      sync.RWMutex
	users   map[string]*user
	owners  []*[userSlabLen]user // by record.user
	owned   uint32               // how many of owners were ever in use
	vacant  []uint32             // and which of them are free
	index   index
	slabs   []*[slabSize]record
	free    uint32   // list of free slots, by record.next
	due     []uint32 // heap of slots by record.due
	devices deviceTable
	idle    []idleUser // users to forget, oldest first
}

// record is a session. It holds no pointer, so that the garbage collector does not
// look at a million of them. Slot 0 is no session.
type record struct {
	id      [32]byte
	created int64        // Unix ms
	abs     int64        // deadline
	timeout int64        // ms after seen
	token   int64        // Unix ms, when Google issued the sign-in's token; 0 if unknown
	due     int64        // when to look whether it has expired
	seen    atomic.Int64 // Unix ms; touched under the read lock
	user    uint32
	next    uint32 // of the user's list, or of the free one
	prev    uint32
	device  uint32
	pos     uint32 // in the heap
}

// user is what the shard knows of one.
type user struct {
	googlesession.User
	tag    [12]byte
	index  uint32
	head   uint32 // sessions
	count  int
	known  bool  // came by SignIn: the truth about this user is here
	gone   bool  // not known, and TokensAfter is remembered for TokenWindow
	queued bool  // in idle
	until  int64 // remembered at least so long
}

func (sh *shard) init(s *Store) {
	sh.store = s
	sh.users = map[string]*user{}
	sh.devices.init()
}

func (sh *shard) at(i uint32) *record { return &sh.slabs[i/slabSize][i%slabSize] }

func (sh *shard) owner(i uint32) *user { return &sh.owners[i/userSlabLen][i%userSlabLen] }

// find returns the slot of a session whose user has the tag of r.
func (sh *shard) find(r googlesession.Ref) (uint32, bool) {
	i, _, u := sh.look(&r.ID)
	if i == 0 || u.tag != r.Tag {
		return 0, false
	}
	return i, true
}

func (r *record) alive(now int64) bool {
	seen := r.seen.Load()
	now = max(now, seen)
	return now < r.abs && now < seen+r.timeout
}

// touch reports whether it has recorded the use. It never moves backwards.
func (r *record) touch(now, after int64) bool {
	for {
		seen := r.seen.Load()
		if now <= seen || now-seen < after {
			return false
		}
		if r.seen.CompareAndSwap(seen, now) {
			return true
		}
	}
}

// end is the deadline that comes first.
func (r *record) end() int64 { return min(r.abs, r.seen.Load()+r.timeout) }

// insert makes a live session; the caller has seen that there is room.
func (sh *shard) insert(u *user, n googlesession.NewSession, now int64) uint32 {
	i := sh.slot()
	*sh.at(i) = record{
		id:      n.Ref.ID,
		created: now,
		abs:     now + n.MaxLifetime.Milliseconds(),
		timeout: n.IdleTimeout.Milliseconds(),
		token:   storekit.TokenUnixMilli(n.TokenIssuedAt),
		user:    u.index,
		next:    u.head,
		device:  sh.devices.take(n.Device),
	}
	sh.at(i).seen.Store(now)
	if u.head != 0 {
		sh.at(u.head).prev = i
	}
	u.head = i
	u.count++
	sh.index.put(&n.Ref.ID, i, u.index)
	sh.at(i).due = sh.at(i).end()
	sh.push(i)
	sh.store.live.Add(1)
	return i
}

func (sh *shard) slot() uint32 {
	if sh.free == 0 {
		first := uint32(len(sh.slabs) * slabSize) //nolint:gosec // New bounds MaxSessions
		sh.slabs = append(sh.slabs, new([slabSize]record))
		for i := first + slabSize - 1; i > first; i-- {
			sh.at(i).next = sh.free
			sh.free = i
		}
		if first > 0 { // slot 0 stays out
			sh.at(first).next = sh.free
			sh.free = first
		}
	}
	i := sh.free
	sh.free = sh.at(i).next
	return i
}

// remove ends a session. Its slot may be used again: whoever reads holds the lock.
func (sh *shard) remove(i uint32, now int64) {
	rec := sh.at(i)
	u := sh.owner(rec.user)
	if rec.prev != 0 {
		sh.at(rec.prev).next = rec.next
	} else {
		u.head = rec.next
	}
	if rec.next != 0 {
		sh.at(rec.next).prev = rec.prev
	}
	u.count--
	sh.index.remove(&rec.id, i)
	sh.devices.give(rec.device)
	sh.pull(rec.pos)
	*rec = record{next: sh.free}
	sh.free = i
	sh.store.live.Add(-1)
	sh.release(u, now)
}

// end ends a user's sessions but keep, and returns how many were live.
func (sh *shard) end(u *user, keep *googlesession.Ref, now int64) (n int) {
	return sh.endIf(u, now, func(r *record) bool {
		return keep == nil || keep.Tag != u.tag || keep.ID != r.id
	})
}

// endIf ends the user's sessions that match, and returns how many were live.
func (sh *shard) endIf(u *user, now int64, match func(*record) bool) (n int) {
	for i := u.head; i != 0; {
		rec := sh.at(i)
		next := rec.next
		if match(rec) {
			if rec.alive(now) {
				n++
			}
			sh.remove(i, now)
		}
		i = next
	}
	return n
}

// makeRoom reports whether there is room for one more session, next to the one that it
// replaces: expired sessions go first, then the least recently seen, unless the caller
// wants none to go.
func (sh *shard) makeRoom(u *user, n googlesession.NewSession, now int64) bool {
	limit := storekit.SessionLimit(n, sh.store.perUser)
	for i := u.head; u.count >= limit && i != 0; {
		rec := sh.at(i)
		next := rec.next
		if !rec.alive(now) {
			sh.remove(i, now)
		}
		i = next
	}
	replaced := uint32(0)
	if n.Replaces != nil && n.Replaces.Tag == u.tag {
		replaced, _ = sh.find(*n.Replaces)
	}
	if replaced != 0 {
		limit++
	}
	if u.count >= limit && n.RefuseOverMax {
		return false
	}
	for u.count >= limit {
		sh.remove(sh.leastSeen(u, replaced), now)
	}
	return true
}

// leastSeen returns the least recently seen of a user's sessions but one. There is one.
func (sh *shard) leastSeen(u *user, but uint32) (least uint32) {
	for i := u.head; i != 0; i = sh.at(i).next {
		// The list has the newest first: of equals the older one goes.
		if i != but && (least == 0 || sh.at(i).seen.Load() <= sh.at(least).seen.Load()) {
			least = i
		}
	}
	return least
}

// session is a copy of what the shard holds.
func (u *user) session(rec *record, d googlesession.Device) googlesession.Session {
	s := googlesession.Session{Device: d}
	u.describe(rec, &s)
	return s
}

// describe writes into s what the shard holds, but for the device.
func (u *user) describe(rec *record, s *googlesession.Session) {
	seen := rec.seen.Load()
	s.Ref = googlesession.Ref{Tag: u.tag, ID: rec.id}
	s.User = u.User
	s.CreatedAt = fromUnixMilli(rec.created)
	s.SeenAt = fromUnixMilli(seen)
	s.ExpiresAt = fromUnixMilli(min(rec.abs, seen+rec.timeout))
	s.TokenIssuedAt = storekit.TokenTime(rec.token)
}
