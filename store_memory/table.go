package memstore

import (
	"iter"
	"sync/atomic"

	"github.com/googlesession/googlesession"
)

// A table holds the users and sessions of one shard. It finds them and links them. Its
// caller decides which of them may exist, and holds the shard's lock.
//
//	users      map: user's ID -> *user
//	userSlabs  arrays of 16 users; a user's slot is its place in them
//	records    arrays of 128 records; slot 0 stays unused, so that 0 means no record
//	index      open addressing: 4 bytes of a session's ID, its slot, its user's slot
//	due        heap of slots; the record that may be the next to expire comes first
//	devices    one entry for all sessions that have the same Device; 0 is the empty one
//	a user's sessions  linked list: user.newest, then record.next, back by record.prev
//	free slots         linked list: records.free, then record.next; users: freeUsers
//
// A record is 104 bytes and has no pointer. Therefore the garbage collector does not look
// into the slabs of records, which matters at a million sessions. Slabs never move, so a
// *record and a *user stay valid until they are removed.
type table struct {
	users     map[string]*user
	userSlabs []*[userSlabSize]user
	usedUsers uint32   // slots of userSlabs that were ever in use
	freeUsers []uint32 // those of them that are free

	records records
	index   index
	due     dueHeap
	devices devices
}

// userSlabSize is smaller than recordSlabSize, because a shard may have few users.
const userSlabSize = 16

// A user is what a shard knows about a user, with the links of the table.
type user struct {
	account

	tag    [12]byte // UserTag of the ID
	slot   uint32   // in userSlabs
	newest uint32   // slot of the user's newest session, or 0
	count  int      // of the user's sessions, including those that have expired
}

// A record is a session. Its times are in Unix milliseconds.
type record struct {
	id [32]byte
	times
	seen   atomic.Int64 // last recorded use; written under the shard's read lock
	dueAt  int64        // the deadline by which due is ordered; not after expiresAt
	duePos uint32       // place in due
	slot   uint32       // in records
	user   uint32       // slot of the user
	next   uint32       // next older session of the user, or next free slot; or 0
	prev   uint32       // next newer session of the user, or 0
	device uint32
}

// times are the times of a session that never change.
type times struct {
	created     int64
	absoluteEnd int64
	idleTimeout int64 // milliseconds after the last recorded use
	tokenIssued int64 // as of storekit.TokenUnixMilli
}

func (t *table) init() {
	t.users = map[string]*user{}
	t.due.records = &t.records
	t.devices.init()
}

// addUser adds a user with a new ID.
func (t *table) addUser(id string, tag [12]byte) *user {
	var slot uint32
	if n := len(t.freeUsers); n > 0 {
		slot, t.freeUsers = t.freeUsers[n-1], t.freeUsers[:n-1]
	} else {
		slot = t.usedUsers
		t.usedUsers++
		if slot%userSlabSize == 0 {
			t.userSlabs = append(t.userSlabs, new([userSlabSize]user))
		}
	}
	u := t.userAt(slot)
	*u = user{account: account{User: googlesession.User{ID: id}}, tag: tag, slot: slot}
	t.users[id] = u
	return u
}

// removeUser removes a user without sessions.
func (t *table) removeUser(u *user) {
	delete(t.users, u.ID)
	t.freeUsers = append(t.freeUsers, u.slot)
	*u = user{} // so that its texts can be collected
}

func (t *table) userAt(slot uint32) *user {
	return &t.userSlabs[slot/userSlabSize][slot%userSlabSize]
}

// insert adds a session of u, which was last used when it was created. No session of the
// table has the ID.
func (t *table) insert(u *user, id *[32]byte, when times, d googlesession.Device) *record {
	rec := t.records.alloc()
	*rec = record{
		id:     *id,
		times:  when,
		slot:   rec.slot,
		user:   u.slot,
		next:   u.newest,
		device: t.devices.intern(d),
	}
	rec.seen.Store(when.created)
	if u.newest != 0 {
		t.records.at(u.newest).prev = rec.slot
	}
	u.newest = rec.slot
	u.count++
	t.index.insert(id, rec.slot, u.slot)
	t.due.insert(rec)
	return rec
}

// remove removes a session and returns its user. The next session may take its place in
// memory, so the caller must not use rec any more.
func (t *table) remove(rec *record) *user {
	u := t.userAt(rec.user)
	if rec.prev != 0 {
		t.records.at(rec.prev).next = rec.next
	} else {
		u.newest = rec.next
	}
	if rec.next != 0 {
		t.records.at(rec.next).prev = rec.prev
	}
	u.count--
	t.index.remove(&rec.id, rec.slot)
	t.due.remove(rec)
	t.devices.release(rec.device)
	t.records.release(rec)
	return u
}

// sessions returns the user's sessions, the newest first. The loop may remove the session
// that it was given.
func (t *table) sessions(u *user) iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for slot := u.newest; slot != 0; {
			rec := t.records.at(slot)
			slot = rec.next
			if !yield(rec) {
				return
			}
		}
	}
}

// lookup returns the session that r names and its user. Both are nil if there is none, or
// if r has the tag of another user.
func (t *table) lookup(r googlesession.Ref) (*record, *user) {
	rec, u := t.lookupID(&r.ID)
	if rec == nil || u.tag != r.Tag {
		return nil, nil
	}
	return rec, u
}

// live reports whether the session has not expired. A clock that is behind the last
// recorded use counts as that use.
func (r *record) live(now int64) bool {
	seen := r.seen.Load()
	now = max(now, seen)
	return now < r.absoluteEnd && now < seen+r.idleTimeout
}

// expiresAt returns the deadline that comes first.
func (r *record) expiresAt() int64 { return min(r.absoluteEnd, r.seen.Load()+r.idleTimeout) }

// touch records a use, if the last recorded one is touchAfter milliseconds or more ago,
// and reports whether it did. It never moves the last use back.
func (r *record) touch(now, touchAfter int64) bool {
	for {
		seen := r.seen.Load()
		if now <= seen || now-seen < touchAfter {
			return false
		}
		if r.seen.CompareAndSwap(seen, now) {
			return true
		}
	}
}

// recordSlabSize is how many records are allocated at once.
const recordSlabSize = 128

// records allocates records in slabs.
type records struct {
	slabs []*[recordSlabSize]record
	free  uint32 // first free slot, or 0
}

func (r *records) at(slot uint32) *record { return &r.slabs[slot/recordSlabSize][slot%recordSlabSize] }

// alloc returns a record that has only its slot. The caller sets it as a whole.
func (r *records) alloc() *record {
	if r.free == 0 {
		r.grow()
	}
	rec := r.at(r.free)
	r.free = rec.next
	return rec
}

// release makes the record's slot free.
func (r *records) release(rec *record) {
	*rec = record{slot: rec.slot, next: r.free}
	r.free = rec.slot
}

// grow adds a slab. Its slots become free, except slot 0.
func (r *records) grow() {
	first := uint32(len(r.slabs) * recordSlabSize) //nolint:gosec // New bounds MaxSessions
	r.slabs = append(r.slabs, new([recordSlabSize]record))
	for slot := first + recordSlabSize - 1; slot > 0 && slot >= first; slot-- {
		rec := r.at(slot)
		rec.slot = slot
		r.release(rec)
	}
}
