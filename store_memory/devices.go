package memstore

import "github.com/googlesession/googlesession"

// devices stores each different Device once and gives it a number, because many sessions
// come from few browsers. A record has the number instead of the texts, because it must not
// contain pointers. Number 0 is the empty Device.
type devices struct {
	numbers map[googlesession.Device]uint32
	entries []deviceEntry
	free    []uint32
}

type deviceEntry struct {
	googlesession.Device
	refs int // number of sessions that have this Device
}

func (t *devices) init() {
	t.numbers = map[googlesession.Device]uint32{}
	t.entries = make([]deviceEntry, 1)
}

// device returns the Device with this number.
func (t *devices) device(number uint32) googlesession.Device { return t.entries[number].Device }

// intern returns the number of d, and counts one more session that has d.
func (t *devices) intern(d googlesession.Device) uint32 {
	if d == (googlesession.Device{}) {
		return 0
	}
	number, ok := t.numbers[d]
	if !ok {
		if n := len(t.free); n > 0 {
			number, t.free = t.free[n-1], t.free[:n-1]
		} else {
			number = uint32(len(t.entries)) //nolint:gosec // there are no more Devices than sessions, and New limits sessions to 2^31
			t.entries = append(t.entries, deviceEntry{})
		}
		t.entries[number] = deviceEntry{Device: d}
		t.numbers[d] = number
	}
	t.entries[number].refs++
	return number
}

// release counts one session less that has the Device with this number. It forgets the
// Device when no session has it. The table calls release once for each call of intern.
func (t *devices) release(number uint32) {
	if number == 0 {
		return
	}
	entry := &t.entries[number]
	if entry.refs--; entry.refs == 0 {
		delete(t.numbers, entry.Device)
		*entry = deviceEntry{}
		t.free = append(t.free, number)
	}
}
