package sqlstore

import "sync"

// touches knows which uses this process has recorded last, or is recording. Requests
// of one session at once all see that a touch is due: one of them sends it. Checks
// are never joined like this; a touch that is left out harms nobody.
//
// The table does not grow. Sessions that share a slot displace each other, and then
// a touch is sent twice, the second time to change nothing.
type touches struct {
	mu    sync.Mutex
	slots [256]recordedUse
}

type recordedUse struct {
	id [32]byte
	at int64 // on the database's clock
}

func (t *touches) slot(id *[32]byte) *recordedUse { return &t.slots[id[0]] }

// claim reports whether the caller is to record its use. Then it does, or calls
// release.
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

// release lets the next request try that finds a touch due.
func (t *touches) release(id *[32]byte, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slot := t.slot(id); *slot == (recordedUse{*id, now}) {
		*slot = recordedUse{}
	}
}
