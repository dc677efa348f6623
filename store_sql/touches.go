package sqlstore

import "sync"

// touches holds the uses of sessions that this process has recorded last, or is
// recording. If many requests of one session find at the same time that its use has to be
// recorded, only one request records it. Each request still checks the session itself,
// because it needs an answer of its own. A use that is not recorded does no harm.
//
// The table does not grow, so sessions that share a slot displace each other. Then a use
// may be sent twice, and the second statement changes nothing.
type touches struct {
	mu    sync.Mutex
	slots [256]recordedUse
}

type recordedUse struct {
	id [32]byte
	at int64 // Unix milliseconds of the database's clock.
}

func (t *touches) slot(id *[32]byte) *recordedUse { return &t.slots[id[0]] }

// claim reports whether the caller has to record the use of a session. A caller that has
// to, and fails, calls release.
func (t *touches) claim(id *[32]byte, now, after int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := t.slot(id)
	if slot.id == *id && now-slot.at < after {
		return false
	}
	*slot = recordedUse{*id, now}
	return true
}

// release lets the next request of the session record its use.
func (t *touches) release(id *[32]byte, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slot := t.slot(id); *slot == (recordedUse{*id, now}) {
		*slot = recordedUse{}
	}
}
