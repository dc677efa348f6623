package memstore

import (
	"strings"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// details holds the texts of the sessions and what few sessions have. A record has a number
// instead, because it must not contain pointers.
//
// The number of most sessions is that of a Device. Each different Device is stored once,
// because many sessions come from few browsers. Number 0 is the empty Device. A number from
// firstExtra on is that of an extra.
type details struct {
	numbers map[googlesession.Device]uint32
	devices slab[deviceEntry]
	extras  slab[extra]
}

// firstExtra is greater than the number of every Device, because New limits sessions to
// 2^31.
const firstExtra = 1 << 31

type deviceEntry struct {
	googlesession.Device
	refs uint32 // number of sessions and extras that have this Device
}

// An extra has the details of one session that has a label, a PublicID other than that of
// its Ref, or another kind than KindCookie, or that is or was bound.
type extra struct {
	texts    string // the label, and after it the Binding
	publicID googlesession.PublicID
	kind     googlesession.SessionKind
	labelLen uint8 // bytes of the label, of which CheckNewSession allows 100
	device   uint32
}

func (e *extra) label() string   { return e.texts[:e.labelLen] }
func (e *extra) binding() string { return e.texts[e.labelLen:] }

func (d *details) init() {
	d.numbers = map[googlesession.Device]uint32{}
	d.devices.entries = make([]deviceEntry, 1)
}

// intern returns the number of the details of n. The table calls release once for each
// call of intern.
func (d *details) intern(n googlesession.NewSession) uint32 {
	device, publicID := d.internDevice(n.Device), storekit.PublicID(n)
	if n.Label == "" && n.Kind == googlesession.KindCookie && publicID == n.Ref.PublicID() {
		return device
	}
	labelLen := uint8(len(n.Label)) //nolint:gosec // CheckNewSession allows 100 bytes
	return firstExtra + d.extras.add(extra{strings.Clone(n.Label), publicID, n.Kind, labelLen, device})
}

func (d *details) internDevice(device googlesession.Device) uint32 {
	if device == (googlesession.Device{}) {
		return 0
	}
	number, ok := d.numbers[device]
	if !ok {
		device = googlesession.Device{IP: strings.Clone(device.IP), UserAgent: strings.Clone(device.UserAgent)}
		number = d.devices.add(deviceEntry{Device: device})
		d.numbers[device] = number
	}
	d.devices.entries[number].refs++
	return number
}

// extra returns the extra with this number, or nil if the number is that of a Device.
func (d *details) extra(number uint32) *extra {
	if number < firstExtra {
		return nil
	}
	return &d.extras.entries[number-firstExtra]
}

func (d *details) device(number uint32) googlesession.Device {
	if extra := d.extra(number); extra != nil {
		number = extra.device
	}
	return d.devices.entries[number].Device
}

func (d *details) label(number uint32) string {
	if extra := d.extra(number); extra != nil {
		return extra.label()
	}
	return ""
}

// swapBinding replaces the Binding of the session with this number by next if it is old. It
// returns the number that the session has then, and whether the Binding is next. plain is
// the PublicID of a session whose number is that of a Device.
func (d *details) swapBinding(number uint32, plain googlesession.PublicID, old, next string) (uint32, bool) {
	binding := ""
	if extra := d.extra(number); extra != nil {
		binding = extra.binding()
	}
	switch {
	case binding == next:
		return number, true
	case binding != old:
		return number, false
	}
	if number < firstExtra {
		number = firstExtra + d.extras.add(extra{publicID: plain, device: number})
	}
	extra := d.extra(number)
	extra.texts = string(append([]byte(extra.label()), next...)) // a copy also if the label is empty
	return number, true
}

// release forgets an extra, and counts one session less that has the Device. It forgets the
// Device when no session has it.
func (d *details) release(number uint32) {
	if extra := d.extra(number); extra != nil {
		device := extra.device
		d.extras.remove(number - firstExtra)
		number = device
	}
	if number == 0 {
		return
	}
	entry := &d.devices.entries[number]
	if entry.refs--; entry.refs == 0 {
		delete(d.numbers, entry.Device)
		d.devices.remove(number)
	}
}

// A slab is a slice in which an entry keeps its place until it is removed.
type slab[T any] struct {
	entries []T
	free    []uint32 // places of removed entries
}

func (s *slab[T]) add(entry T) (place uint32) {
	if n := len(s.free); n > 0 {
		place, s.free = s.free[n-1], s.free[:n-1]
		s.entries[place] = entry
		return place
	}
	s.entries = append(s.entries, entry)
	return uint32(len(s.entries) - 1) //nolint:gosec // there are no more entries than sessions, and New limits sessions to 2^31
}

// remove clears the entry, so that the next session with this place gets nothing of it.
func (s *slab[T]) remove(place uint32) {
	var none T
	s.entries[place] = none
	s.free = append(s.free, place)
}
