package memstore

import (
	"iter"
	"sync/atomic"

	"github.com/googlesession/googlesession"
)

// A table holds, finds and links the users and sessions of one shard. The caller decides
// which users and sessions may exist, and holds the shard's lock.
//
//	users      map from a user's ID to the *user
//	userSlabs  arrays of 16 users; a user's slot is the user's place in these arrays
//	records    arrays of 128 records; slot 0 stays unused, so that 0 means no record
//	index      hash table; an entry has 4 bytes of a session's ID, its slot, its user's slot
//	due        heap of slots; the record that may be the next to expire comes first
//	details    one entry for all sessions that have the same Device and nothing else; one
//	           for each session with a label, with a PublicID, with a Binding or of another
//	           kind
//	a user's sessions  linked list from user.newest on by record.next, back by record.prev
//	free records       linked list from records.free on by record.next
//	free users         slice of slots, freeUsers
//
// A record is 104 bytes and has no pointer. Therefore the garbage collector does not look
// into the slabs of records, which matters at a million sessions. Slabs never move, so a
// *record and a *user stay valid until the record or user is removed.
type table struct {
	users     map[string]*user
	userSlabs []*[userSlabSize]user
	usedUsers uint32   // number of slots of userSlabs that were ever in use
	freeUsers []uint32 // slots of userSlabs that were in use and are free now

	records records
	index   index
	due     dueHeap
	details details
}

// userSlabSize is how many users are allocated at once. It is smaller than recordSlabSize,
// because a shard may have few users.
const userSlabSize = 16

// A user is an account, with the user's place and links in the table.
type user struct {
	account

	tag    [12]byte // UserTag of the ID
	slot   uint32   // place of the user in userSlabs
	newest uint32   // slot of the user's newest session, or 0
	count  uint32   // number of the user's sessions, including expired sessions
	listed uint32   // number of the user's profile in the directory, or 0

	browsers string // the bytes of the user's BrowserIDs, the most recent first
}

// A record holds a session. Its times are in Unix milliseconds.
type record struct {
	id [32]byte
	times
	seen    atomic.Int64 // last recorded use; checks write it under the shard's read lock
	dueAt   int64        // the heap due is ordered by dueAt, which is never after expiresAt
	duePos  uint32       // place of the record in due
	slot    uint32       // place of the record in records
	user    uint32       // slot of the user
	next    uint32       // slot of the user's next older session, or of the next free record, or 0
	prev    uint32       // slot of the user's next newer session, or 0
	details uint32       // number of the Device, the label and so on in details
}

// times holds those times of a session that never change, in Unix milliseconds.
type times struct {
	created     int64
	absoluteEnd int64
	idleTimeout int64 // milliseconds after the last recorded use
	tokenIssued int64 // issue time of the token, as storekit.TokenUnixMilli returns it
}

func (t *table) init() {
	t.users = map[string]*user{}
	t.due.records = &t.records
	t.details.init()
}

// addUser adds a user with this profile and without a version. The caller has checked that
// no user of the table has the ID.
func (t *table) addUser(p profile, tag [12]byte) *user {
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
	*u = user{account: account{profile: p}, tag: tag, slot: slot}
	t.users[p.id()] = u
	return u
}

// removeUser removes u. The caller has checked that u has no sessions, because u's slot
// will be reused.
func (t *table) removeUser(u *user) {
	delete(t.users, u.id())
	t.freeUsers = append(t.freeUsers, u.slot)
	*u = user{} // so that the user's texts can be collected
}

func (t *table) userAt(slot uint32) *user {
	return &t.userSlabs[slot/userSlabSize][slot%userSlabSize]
}

// insert adds a session of u and records its creation as its last use. The caller has
// checked that no session of the table has the ID, and has got details from t.details.
func (t *table) insert(u *user, id *[32]byte, when times, details uint32) *record {
	rec := t.records.alloc()
	*rec = record{
		id:      *id,
		times:   when,
		slot:    rec.slot,
		user:    u.slot,
		next:    u.newest,
		details: details,
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

// remove removes a session and returns its user. The next session that is inserted may use
// the memory of rec, so the caller must not use rec any more.
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
	t.details.release(rec.details)
	t.records.release(rec)
	return u
}

// sessions returns the user's sessions, the newest first. The body of the loop may remove
// the session that the iterator has just yielded.
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

// lookup returns the session that r names and the session's user. Both are nil if there is
// no such session, or if r has the tag of another user.
func (t *table) lookup(r googlesession.Ref) (*record, *user) {
	rec, u := t.lookupID(&r.ID)
	if rec == nil || u.tag != r.Tag {
		return nil, nil
	}
	return rec, u
}

// admit returns the session that r names and the session's user. If the session is not
// admitted, it returns the error for CheckSession to return.
func (t *table) admit(r googlesession.Ref, now int64) (*record, *user, error) {
	rec, u := t.lookup(r)
	switch {
	case rec == nil:
		return nil, nil, googlesession.ErrNoSession
	case !rec.live(now):
		return nil, nil, googlesession.ErrSessionExpired
	case u.disabled():
		return nil, nil, googlesession.ErrUserDisabled
	}
	return rec, u, nil
}

// live reports whether the session has not expired. If now is before the last recorded use,
// live takes the time of that use as now.
func (r *record) live(now int64) bool {
	seen := r.seen.Load()
	now = max(now, seen)
	return now < r.absoluteEnd && now < seen+r.idleTimeout
}

// expiresAt returns the absolute or the idle deadline, whichever comes first.
func (r *record) expiresAt() int64 { return min(r.absoluteEnd, r.seen.Load()+r.idleTimeout) }

// touch records a use if the last recorded use is touchAfter milliseconds or more ago, and
// reports whether it has recorded the use. It never moves the last recorded use back.
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

// len returns the number of slots, including free ones.
func (r *records) len() int { return len(r.slabs) * recordSlabSize }

func (r *records) at(slot uint32) *record { return &r.slabs[slot/recordSlabSize][slot%recordSlabSize] }

// alloc takes a free record. The caller must overwrite all fields except slot.
func (r *records) alloc() *record {
	if r.free == 0 {
		r.grow()
	}
	rec := r.at(r.free)
	r.free = rec.next
	return rec
}

// release clears the record and makes its slot free.
func (r *records) release(rec *record) {
	*rec = record{slot: rec.slot, next: r.free}
	r.free = rec.slot
}

// grow adds a slab and makes its slots free, except slot 0, which stays unused.
func (r *records) grow() {
	first := uint32(len(r.slabs) * recordSlabSize) //nolint:gosec // New limits sessions to 2^31, so slots fit in 32 bits
	r.slabs = append(r.slabs, new([recordSlabSize]record))
	for slot := first + recordSlabSize - 1; slot > 0 && slot >= first; slot-- {
		rec := r.at(slot)
		rec.slot = slot
		r.release(rec)
	}
}
