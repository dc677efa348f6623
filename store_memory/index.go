package memstore

import "encoding/binary"

// An index finds a session by its ID. An ID is a hash: 32 bits of it say where to
// look, and the record has them all. A map of IDs would be half as large as the
// records. Its entries name the user as well, so that a look-up waits for memory once
// for both, not first for the record and then for the user that it names.
type index struct {
	entries []entry // a power of 2, or none
	used    int
}

// entry is empty if slot is 0, which is no session.
type entry struct{ bits, slot, user uint32 }

const minEntries = 16

func bitsOf(id *[32]byte) uint32 { return binary.LittleEndian.Uint32(id[:]) }

// look returns the session's slot and what the shard has of it; 0 if there is none.
func (sh *shard) look(id *[32]byte) (uint32, *record, *user) {
	entries, bits := sh.index.entries, bitsOf(id)
	if len(entries) == 0 {
		return 0, nil, nil
	}
	mask := len(entries) - 1
	for p := int(bits) & mask; entries[p].slot != 0; p = (p + 1) & mask {
		e := entries[p]
		if e.bits != bits {
			continue
		}
		if rec := sh.at(e.slot); rec.id == *id {
			return e.slot, rec, sh.owner(e.user)
		}
	}
	return 0, nil, nil
}

// put adds a session that is not in it.
func (x *index) put(id *[32]byte, slot, user uint32) {
	if x.used >= len(x.entries)/4*3 { // fuller, and the runs grow long
		old := x.entries
		x.entries = make([]entry, max(minEntries, 2*len(old)))
		for _, e := range old {
			if e.slot != 0 {
				x.place(e)
			}
		}
	}
	x.place(entry{bitsOf(id), slot, user})
	x.used++
}

func (x *index) place(e entry) {
	mask := len(x.entries) - 1
	p := int(e.bits) & mask
	for x.entries[p].slot != 0 {
		p = (p + 1) & mask
	}
	x.entries[p] = e
}

// remove takes out a session that is in it. What follows in its run moves up, unless
// that would be in front of where its own look-up begins: so a run has no gap.
func (x *index) remove(id *[32]byte, slot uint32) {
	mask := len(x.entries) - 1
	gap := int(bitsOf(id)) & mask
	for x.entries[gap].slot != slot {
		gap = (gap + 1) & mask
	}
	for p := (gap + 1) & mask; x.entries[p].slot != 0; p = (p + 1) & mask {
		begin := int(x.entries[p].bits) & mask
		if (p-begin)&mask >= (p-gap)&mask {
			x.entries[gap] = x.entries[p]
			gap = p
		}
	}
	x.entries[gap] = entry{}
	x.used--
}
