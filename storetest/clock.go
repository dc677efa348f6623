package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/googlesession/googlesession"
)

// A clock moves the clock of the store under test, and has the unit of time
// in which timed rules count.
type clock struct {
	move  func(time.Duration)
	waits bool            // true if moving the clock by a second takes a second
	unit  time.Duration   // the unit in use, one of units
	units []time.Duration // timed tries these in order, because a machine may be slow
}

func newClock(advance func(time.Duration)) clock {
	if advance == nil {
		units := []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second}
		return clock{time.Sleep, true, units[0], units} //nolint:forbidigo // time.Sleep is the only way if the store's clock cannot be moved
	}
	return clock{advance, false, time.Minute, []time.Duration{time.Minute}}
}

// moveTo moves the clock until now returns t or later. If the clock runs on
// by itself, now may never return exactly t.
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

// errLate is the error of an attempt in which a session may have expired
// before it was checked. The error says nothing about the store.
var errLate = errors.New("a call took longer than its session lives")

// timed calls attempt, which counts time in e.unit. If the attempt ends with errLate,
// timed repeats it with the next larger unit. If the attempt with the largest unit is
// late too, the rule fails, because nothing is known about the store.
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

// expired creates sessions, waits until they have expired and returns their Refs.
// The attempt ends with errLate if the first session expired before the last
// session was created, because a store may delete expired sessions at a sign-in.
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

// within calls steps, whose outcome counts only if the store's clock shows a
// time before end after the steps. If the clock shows end or later, the
// attempt ends with errLate, whatever the outcome was.
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

// shortlyBefore calls look, which checks the store as shortly before an instant as
// it can. The function look chooses the instant and returns it. If the clock
// stands still between two calls of Advance, the check is 1 ms before the instant.
// A clock that runs on may pass the instant before the check is done, and then
// shortlyBefore calls look again with more time. The function look returns the
// zero time if the attempt was late before look could choose an instant.
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
