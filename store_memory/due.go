package memstore

import "container/heap"

// A dueHeap orders all records by dueAt. A use of a session changes only record.seen, so
// dueAt may be earlier than the session's deadline. When it is reached, the sweep either
// removes the session or calls postpone.
//
// It holds slots instead of pointers, so that the garbage collector does not look into it.
// A record knows its place in it, so that a session which is revoked leaves at once.
type dueHeap struct {
	records *records
	slots   []uint32
}

func (h *dueHeap) insert(rec *record) {
	rec.dueAt = rec.expiresAt()
	heap.Push(h, rec)
}

func (h *dueHeap) remove(rec *record) { heap.Remove(h, int(rec.duePos)) }

// first returns the record with the earliest dueAt, or nil if it is later than now.
func (h *dueHeap) first(now int64) *record {
	if len(h.slots) == 0 {
		return nil
	}
	if rec := h.records.at(h.slots[0]); rec.dueAt <= now {
		return rec
	}
	return nil
}

// postpone makes the record due at its present deadline.
func (h *dueHeap) postpone(rec *record) {
	rec.dueAt = rec.expiresAt()
	heap.Fix(h, int(rec.duePos))
}

// The methods of [heap.Interface].

func (h *dueHeap) Len() int { return len(h.slots) }

func (h *dueHeap) Less(i, j int) bool {
	return h.records.at(h.slots[i]).dueAt < h.records.at(h.slots[j]).dueAt
}

func (h *dueHeap) Swap(i, j int) {
	h.slots[i], h.slots[j] = h.slots[j], h.slots[i]
	h.records.at(h.slots[i]).duePos = uint32(i) //nolint:gosec // New bounds MaxSessions
	h.records.at(h.slots[j]).duePos = uint32(j) //nolint:gosec // New bounds MaxSessions
}

// Push appends a *record.
func (h *dueHeap) Push(x any) {
	rec := x.(*record)
	rec.duePos = uint32(len(h.slots)) //nolint:gosec // New bounds MaxSessions
	h.slots = append(h.slots, rec.slot)
}

// Pop removes the last record and returns it as a *record, which needs no allocation.
func (h *dueHeap) Pop() any {
	last := len(h.slots) - 1
	rec := h.records.at(h.slots[last])
	h.slots = h.slots[:last]
	return rec
}
