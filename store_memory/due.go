package memstore

import "container/heap"

// A dueHeap orders all records of a shard by dueAt. A use of a session changes only
// record.seen, so dueAt may be earlier than the session's deadline. When dueAt is reached,
// the sweep either removes the session or calls postpone.
//
// A dueHeap holds slots instead of pointers, so that the garbage collector does not look
// into it. A record knows its place in the heap, so that the record of a revoked session
// can be removed from the heap without a search.
type dueHeap struct {
	records *records
	slots   []uint32
}

func (h *dueHeap) insert(rec *record) {
	rec.dueAt = rec.expiresAt()
	heap.Push(h, rec)
}

func (h *dueHeap) remove(rec *record) { heap.Remove(h, int(rec.duePos)) }

// first returns the record with the earliest dueAt, or nil if no record is due by now.
func (h *dueHeap) first(now int64) *record {
	if len(h.slots) == 0 {
		return nil
	}
	if rec := h.records.at(h.slots[0]); rec.dueAt <= now {
		return rec
	}
	return nil
}

// postpone sets the record's dueAt to the session's present deadline.
func (h *dueHeap) postpone(rec *record) {
	rec.dueAt = rec.expiresAt()
	heap.Fix(h, int(rec.duePos))
}

// Len, Less, Swap, Push and Pop implement [heap.Interface].

func (h *dueHeap) Len() int { return len(h.slots) }

func (h *dueHeap) Less(i, j int) bool {
	return h.records.at(h.slots[i]).dueAt < h.records.at(h.slots[j]).dueAt
}

func (h *dueHeap) Swap(i, j int) {
	h.slots[i], h.slots[j] = h.slots[j], h.slots[i]
	h.records.at(h.slots[i]).duePos = uint32(i) //nolint:gosec // i is less than the number of sessions, which New limits to 2^31
	h.records.at(h.slots[j]).duePos = uint32(j) //nolint:gosec // j is less than the number of sessions, which New limits to 2^31
}

// Push appends the slot of x, which is a *record.
func (h *dueHeap) Push(x any) {
	rec := x.(*record)
	rec.duePos = uint32(len(h.slots)) //nolint:gosec // a slot for each session, and New limits sessions to 2^31
	h.slots = append(h.slots, rec.slot)
}

// Pop removes the last slot and returns its *record, because converting a pointer to any
// does not allocate.
func (h *dueHeap) Pop() any {
	last := len(h.slots) - 1
	rec := h.records.at(h.slots[last])
	h.slots = h.slots[:last]
	return rec
}
