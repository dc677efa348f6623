package memstore

import "encoding/binary"

// An index finds a session by its ID. It is a hash table with open addressing and linear
// probing. An ID is a SHA-256, so its first 4 bytes serve as the hash. The record has the
// whole ID.
//
// An entry takes 12 bytes, but one of a map with IDs as keys takes 50. An entry has the
// user's slot too, so that the processor fetches the record and the user at the same time.
// With a million sessions neither is in the processor's cache.
type index struct {
	entries []indexEntry // the length is 0 or a power of 2
	used    int
}

// An indexEntry has the slots of a session and of its user. It is empty if slot is 0.
type indexEntry struct{ hash, slot, user uint32 }

const minIndexEntries = 16

func hashOf(id *[32]byte) uint32 { return binary.LittleEndian.Uint32(id[:]) }

// lookupID returns the session with this ID and its user, or nil and nil.
func (t *table) lookupID(id *[32]byte) (*record, *user) {
	entries, hash := t.index.entries, hashOf(id)
	if len(entries) == 0 {
		return nil, nil
	}
	mask := len(entries) - 1
	for i := int(hash) & mask; entries[i].slot != 0; i = (i + 1) & mask {
		e := entries[i]
		if e.hash != hash {
			continue
		}
		if rec := t.records.at(e.slot); rec.id == *id {
			return rec, t.userAt(e.user)
		}
	}
	return nil, nil
}

// insert adds a session. The caller has checked that no session in the index has the ID.
func (x *index) insert(id *[32]byte, slot, user uint32) {
	if x.used >= len(x.entries)/4*3 { // double the length, because probing takes long in a fuller table
		old := x.entries
		x.entries = make([]indexEntry, max(minIndexEntries, 2*len(old)))
		for _, e := range old {
			if e.slot != 0 {
				x.place(e)
			}
		}
	}
	x.place(indexEntry{hashOf(id), slot, user})
	x.used++
}

// place puts e into the first empty entry from the place of e.hash on.
func (x *index) place(e indexEntry) {
	mask := len(x.entries) - 1
	i := int(e.hash) & mask
	for x.entries[i].slot != 0 {
		i = (i + 1) & mask
	}
	x.entries[i] = e
}

// remove removes a session, which must be in the index. An entry behind the gap moves into
// it if a probe for that entry passes the gap, so that lookupID may stop at an empty entry.
func (x *index) remove(id *[32]byte, slot uint32) {
	mask := len(x.entries) - 1
	gap := int(hashOf(id)) & mask
	for x.entries[gap].slot != slot {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; x.entries[i].slot != 0; i = (i + 1) & mask {
		home := int(x.entries[i].hash) & mask
		if (i-home)&mask >= (i-gap)&mask {
			x.entries[gap] = x.entries[i]
			gap = i
		}
	}
	x.entries[gap] = indexEntry{}
	x.used--
}
