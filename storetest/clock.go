package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/googlesession/googlesession"
)

// A clock is the store's: how to move it, and what timed rules count in.
type clock struct {
	move  func(time.Duration)
	waits bool // to move it takes as long
	unit  time.Duration
	units []time.Duration // to try one after the other, on a slow machine
}

func newClock(advance func(time.Duration)) clock {
	if advance == nil {
		units := []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second}
		return clock{time.Sleep, true, units[0], units} //nolint:forbidigo // for stores whose clock cannot be moved
	}
	return clock{advance, false, time.Minute, []time.Duration{time.Minute}}
}

// moveTo moves the clock until it shows t or later. It may be one that runs on
// by itself, and never shows t itself.
func (o *outcome) moveTo(c clock, t time.Time, now func() time.Time) {
	for range 100 {
		left := t.Sub(now())
		if o.failed() || left <= 0 {
			return
		}
		c.move(left)
	}
	o.expect(false, "the store's clock does not follow Advance")
}

// errLate ends an attempt in which a session may have expired before it was looked at. It
// says nothing about the store.
var errLate = errors.New("a call took longer than the session that it was about lives")

// timed runs an attempt that counts in e.unit. After an attempt that was late it counts in
// a larger one. If none is left, nothing is known about the store, which is a failure too.
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
			e.expect(false, "could not measure: the machine is too slow, or the store: in units of %v, %v", e.unit, errLate)
		}
	}
	e.unit = e.units[0]
}

// expired creates sessions and waits until they have expired. The attempt is late if the
// first one expired before the last one was there, because a store may clear away at a
// sign-in what has expired.
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
// end when they are done. Otherwise the attempt is late, whatever the steps found.
func (e *sessionEnv) within(ctx context.Context, end time.Time, steps func()) {
	if e.failed() {
		return
	}
	steps()
	found := e.err
	e.err = nil
	now := e.now(ctx)
	switch {
	case e.failed(): // the clock cannot be read, so nothing is known
	case !now.Before(end):
		e.err = errLate
	default:
		e.err = found
	}
}

// shortlyBefore looks as shortly before an instant, which look returns, as can be told. If
// the clock stands still between two calls of Advance, that is 1 ms. A clock that runs on
// may pass the instant before the look is done: then it looks again, with more time. The
// zero time is no instant: the attempt was late before.
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
