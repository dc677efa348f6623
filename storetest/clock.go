package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/googlesession/googlesession"
)

// A clock moves the store's clock, and says in which unit timed rules count.
type clock struct {
	move  func(time.Duration)
	waits bool            // whether move takes as long as it moves the clock
	unit  time.Duration   // the current one of units
	units []time.Duration // to try one after the other, on a slow machine
}

func newClock(advance func(time.Duration)) clock {
	if advance == nil {
		units := []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second}
		return clock{time.Sleep, true, units[0], units} //nolint:forbidigo // for stores whose clock cannot be moved
	}
	return clock{advance, false, time.Minute, []time.Duration{time.Minute}}
}

// moveTo moves the clock until it shows t or later. A clock that runs on by itself may
// never show exactly t.
func (o *outcome) moveTo(c clock, t time.Time, now func() time.Time) {
	for range 100 {
		left := t.Sub(now())
		if o.failed() || left <= 0 {
			return
		}
		c.move(left)
	}
	o.expect(false, "Advance does not move the store's clock")
}

// errLate ends an attempt in which a session may have expired before it was checked. It
// says nothing about the store.
var errLate = errors.New("a call took longer than its session lives")

// timed runs an attempt that counts in e.unit. If the attempt was late, timed repeats it
// with a larger unit. If the attempt with the largest unit was late too, the rule fails,
// because nothing is known about the store.
func (e *sessionEnv) timed(attempt func()) {
	if e.failed() {
		return
	}
	for _, e.unit = range e.units {
		if attempt(); !errors.Is(e.err, errLate) {
			break
		}
		e.err = nil
		if e.unit == e.units[len(e.units)-1] {
			e.expect(false, "could not measure, because the machine or the store is too slow: with units of %v, %v", e.unit, errLate)
		}
	}
	e.unit = e.units[0]
}

// expired creates sessions and waits until they have expired. The attempt is late if the
// first session expired before the last one was created, because a store may delete
// expired sessions at a sign-in.
func (e *sessionEnv) expired(ctx context.Context, sessions []googlesession.NewSession) []googlesession.Ref {
	var refs []googlesession.Ref
	first := e.create(ctx, sessions[0])
	last := first
	e.within(ctx, first.ExpiresAt, func() {
		refs = append(refs, first.Ref)
		for _, ns := range sessions[1:] {
			last = e.create(ctx, ns)
			refs = append(refs, last.Ref)
		}
	})
	e.until(ctx, last.ExpiresAt)
	return refs
}

// within runs steps whose outcome counts only if the store's clock shows a time before
// end after them. If not, the attempt is late, whatever the steps found.
func (e *sessionEnv) within(ctx context.Context, end time.Time, steps func()) {
	if e.failed() {
		return
	}
	steps()
	found := e.err
	e.err = nil
	now := e.now(ctx)
	switch {
	case e.failed(): // The clock cannot be read, so nothing is known.
	case !now.Before(end):
		e.err = errLate
	default:
		e.err = found
	}
}

// shortlyBefore calls look to check the store as shortly before an instant as it can. Look
// chooses the instant and returns it. If the clock stands still between two calls of
// Advance, the check is 1 ms before the instant. A clock that runs on may pass the instant
// before the check is done, and then shortlyBefore calls look again with more time. Look
// returns the zero time if the attempt was late before it could choose an instant.
func (e *sessionEnv) shortlyBefore(ctx context.Context, look func(before time.Duration) time.Time) {
	for before := time.Millisecond; !e.failed(); {
		at := look(before)
		if !errors.Is(e.err, errLate) || at.IsZero() {
			return
		}
		e.err = nil
		took := e.now(ctx).Sub(at.Add(-before))
		if before = max(2*before, took+took/2); before > e.unit+e.unit/2 {
			e.err = errLate
		}
	}
}
