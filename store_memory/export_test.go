package memstore

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Sizes returns how many bytes a session's record and a user's record take.
func Sizes() (ofSession, ofUser uintptr) { return unsafe.Sizeof(record{}), unsafe.Sizeof(user{}) }

// Held returns how many sessions the store counts.
func (s *Store) Held() int64 { return s.held.Load() }

// LockDirectory makes every call wait that changes the directory, until unlock is called.
func (s *Store) LockDirectory() (unlock func()) {
	s.directory.mu.Lock()
	return s.directory.mu.Unlock
}

// RequireConsistent requires that the index, the heap, the lists and the counts of every
// table have the same sessions. No other call may run.
func (s *Store) RequireConsistent(t *testing.T) {
	t.Helper()
	held, owned := 0, map[uint32]profile{}
	for i := range s.shards {
		s.shards[i].requireConsistent(t)
		held += s.shards[i].index.used
		for _, u := range s.shards[i].users {
			if u.owned {
				owned[u.listed] = u.profile
			}
		}
	}
	s.directory.requireConsistent(t, owned)
	require.EqualValues(t, held, s.held.Load(), "sessions that the store counts")
}

func (t *table) requireConsistent(tb *testing.T) {
	tb.Helper()
	sessions, extras := uint32(0), 0
	devices := make([]uint32, len(t.details.devices.entries))
	for id, u := range t.users {
		require.Equal(tb, id, u.id())
		require.Same(tb, u, t.userAt(u.slot))
		count, newer := uint32(0), uint32(0)
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
			device := rec.details
			if extra := t.details.extra(rec.details); extra != nil {
				device = extra.device
				extras++
			}
			if device != 0 {
				devices[device]++
			}
			count, newer = count+1, rec.slot
		}
		require.Equal(tb, count, u.count, "sessions that the user counts")
		sessions += count
	}
	require.EqualValues(tb, sessions, t.index.used, "entries of the index")
	require.Len(tb, t.due.slots, int(sessions), "entries of the heap")
	for number, refs := range devices {
		require.Equal(tb, refs, t.details.devices.entries[number].refs, "sessions that a device counts")
	}
	require.Equal(tb, extras, len(t.details.extras.entries)-len(t.details.extras.free), "extras")
}

// requireConsistent requires that each list of the directory is sorted, and has the numbers
// of those users of the UserStore who have its class. owned are these users' profiles.
func (d *directory) requireConsistent(t *testing.T, owned map[uint32]profile) {
	t.Helper()
	require.Equal(t, len(owned), int(d.used)-len(d.free), "profiles of the directory")
	for o := range orderCount {
		listed := 0
		for c := range classCount {
			var last *profile
			for _, run := range d.lists[o][c].runs {
				require.NotEmpty(t, run)
				require.LessOrEqual(t, len(run), maxRun)
				for _, number := range run {
					p := d.at(number)
					require.Equal(t, owned[number], *p, "the profile of the user")
					require.Equal(t, c, p.class)
					require.True(t, last == nil || o.of(last).compare(o.of(p)) < 0, "sorted")
					last = p
					listed++
				}
			}
		}
		require.Equal(t, len(owned), listed, "users of an order")
	}
}
