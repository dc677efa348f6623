package memstore

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Held returns how many sessions the store counts.
func (s *Store) Held() int64 { return s.held.Load() }

// RequireConsistent requires that the index, the heap, the lists and the counts of every
// table have the same sessions. No other call may run.
func (s *Store) RequireConsistent(t *testing.T) {
	t.Helper()
	held := 0
	for i := range s.shards {
		s.shards[i].requireConsistent(t)
		held += s.shards[i].index.used
	}
	require.EqualValues(t, held, s.held.Load(), "sessions that the store counts")
}

func (t *table) requireConsistent(tb *testing.T) {
	tb.Helper()
	sessions := 0
	devices := make([]int, len(t.devices.entries))
	for id, u := range t.users {
		require.Equal(tb, id, u.ID)
		require.Same(tb, u, t.userAt(u.slot))
		count, newer := 0, uint32(0)
		for rec := range t.sessions(u) {
			found, owner := t.lookupID(&rec.id)
			require.Same(tb, rec, found, "the index finds the session of the list")
			require.Same(tb, u, owner)
			require.Same(tb, rec, t.records.at(rec.slot))
			require.Equal(tb, newer, rec.prev)
			require.Equal(tb, rec.slot, t.due.slots[rec.duePos])
			require.LessOrEqual(tb, rec.dueAt, rec.expiresAt())
			parent := t.records.at(t.due.slots[max(0, int(rec.duePos)-1)/2])
			require.LessOrEqual(tb, parent.dueAt, rec.dueAt)
			if rec.device != 0 {
				devices[rec.device]++
			}
			count, newer = count+1, rec.slot
		}
		require.Equal(tb, count, u.count, "sessions that the user counts")
		sessions += count
	}
	require.Equal(tb, sessions, t.index.used, "entries of the index")
	require.Len(tb, t.due.slots, sessions, "entries of the heap")
	for number, refs := range devices {
		require.Equal(tb, refs, t.devices.entries[number].refs, "sessions that a device counts")
	}
}
