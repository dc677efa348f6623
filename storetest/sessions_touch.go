package storetest

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// touchRules returns the rules about when CheckSession records a use, and about what that
// changes.
func touchRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"use recorded when due", "CheckSession records the use, at the store's time, if the last recorded use is touchAfter or more ago, and so postpones the idle timeout", (*sessionEnv).touchWhenDue},
		{"use not recorded before due", "CheckSession records nothing if the last recorded use is less than touchAfter ago", (*sessionEnv).noTouchBefore},
		{"use recorded at half the idle timeout", "CheckSession records the use, however long touchAfter is, if the last recorded use is half of IdleTimeout or more ago, so that a session that is used again and again does not expire", (*sessionEnv).touchAtHalfIdle},
		{"use not recorded before half the idle timeout", "CheckSession records nothing if the last recorded use is less than touchAfter and less than half of IdleTimeout ago", (*sessionEnv).noTouchBeforeHalfIdle},
		{"NeverTouch", "CheckSession with NeverTouch records nothing, however long the session has not been used", (*sessionEnv).neverTouched},
		{"SeenAt never goes back", "no check moves SeenAt to an earlier time", (*sessionEnv).touchGoesForward},
		{"Touched", "Touched is true in the result of a check that has recorded the use, and in no other result", (*sessionEnv).touched},
		{"MaxLifetime is not extended", "recording a use never moves ExpiresAt past CreatedAt plus MaxLifetime", (*sessionEnv).touchEndsWithSession},
	}
}

func (e *sessionEnv) touchWhenDue(ctx context.Context) error {
	ns := newSession(newUser())
	s := e.create(ctx, ns)
	for range 3 {
		e.until(ctx, s.SeenAt.Add(2*e.unit))
		s = e.recorded(ctx, ns, 2*e.unit)
	}
	return e.err
}

// recorded checks the session with touchAfter and expects the use to be recorded. It
// returns the session after that.
func (e *sessionEnv) recorded(ctx context.Context, ns googlesession.NewSession, touchAfter time.Duration) googlesession.Session {
	from := e.now(ctx)
	e.use(ctx, e.first, ns.Ref, touchAfter, "due")
	to := e.now(ctx)
	s := e.live(ctx, e.first, ns.Ref, "touched")
	e.expect(!s.SeenAt.Before(from) && !s.SeenAt.After(to), "after a check that was due: got SeenAt %v, want the time of the check, %v to %v", s.SeenAt, from, to)
	e.timesAreRight(s, ns, "CheckSession")
	return s
}

func (e *sessionEnv) touchAtHalfIdle(ctx context.Context) error {
	e.timed(func() {
		ns := newSession(newUser())
		ns.IdleTimeout = 4 * e.unit
		s := e.create(ctx, ns)
		for range 3 {
			e.until(ctx, s.SeenAt.Add(ns.IdleTimeout/2))
			e.within(ctx, s.SeenAt.Add(ns.IdleTimeout), func() { s = e.recorded(ctx, ns, century) })
		}
	})
	return e.err
}

func (e *sessionEnv) noTouchBefore(ctx context.Context) error {
	return e.notRecordedBefore(ctx, func() (touchAfter, idle time.Duration) { return 2 * e.unit, 24 * time.Hour })
}

func (e *sessionEnv) noTouchBeforeHalfIdle(ctx context.Context) error {
	return e.notRecordedBefore(ctx, func() (touchAfter, idle time.Duration) { return century, 4 * e.unit })
}

// notRecordedBefore expects a check to record nothing until two units after the last
// recorded use. The function times returns the check's touchAfter and the session's idle
// timeout, in the unit in use.
func (e *sessionEnv) notRecordedBefore(ctx context.Context, times func() (touchAfter, idle time.Duration)) error {
	e.timed(func() {
		e.shortlyBefore(ctx, func(before time.Duration) time.Time {
			ns := newSession(newUser())
			touchAfter, idle := times()
			ns.IdleTimeout = idle
			s := e.create(ctx, ns)
			at := s.SeenAt.Add(2 * e.unit)
			e.until(ctx, at.Add(-before))
			e.within(ctx, at, func() { e.use(ctx, e.first, ns.Ref, touchAfter, "not due") })
			seen := e.live(ctx, e.first, ns.Ref, "not due").SeenAt
			e.expect(seen.Equal(s.SeenAt), "after a check that was not due: got SeenAt %v, want it unchanged, %v", seen, s.SeenAt)
			return at
		})
	})
	return e.err
}

func (e *sessionEnv) neverTouched(ctx context.Context) error {
	e.timed(func() {
		ns := newSession(newUser())
		ns.IdleTimeout = 4 * e.unit
		s := e.create(ctx, ns)
		e.until(ctx, s.SeenAt.Add(3*e.unit))
		e.within(ctx, s.SeenAt.Add(ns.IdleTimeout), func() {
			for range 2 {
				checked := e.use(ctx, e.first, ns.Ref, googlesession.NeverTouch, "unused")
				e.expect(checked.SeenAt.Equal(s.SeenAt) && !checked.Touched,
					"CheckSession with NeverTouch: got SeenAt %v and Touched %v, want SeenAt unchanged, %v", checked.SeenAt, checked.Touched, s.SeenAt)
			}
		})
	})
	return e.err
}

func (e *sessionEnv) touchGoesForward(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	for i := range 10 {
		e.use(ctx, e.first, s.Ref, 0, "in use")
		e.use(ctx, e.second, s.Ref, 0, "in use")
		seen := e.live(ctx, e.first, s.Ref, "in use").SeenAt
		e.expect(!seen.Before(s.SeenAt), "after use %d: got SeenAt %v, before that it was %v", i, seen, s.SeenAt)
		s.SeenAt = seen
		e.tick(ctx)
	}
	return e.err
}

func (e *sessionEnv) touched(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	e.expect(!s.Touched, "CreateSession: got Touched, want it from CheckSession only")
	for i := range 3 {
		e.tick(ctx)
		for _, after := range []time.Duration{googlesession.NeverTouch, 0, googlesession.NeverTouch} {
			checked := e.use(ctx, e.handle(i), s.Ref, after, "in use")
			moved := e.live(ctx, e.second, s.Ref, "used").SeenAt.After(s.SeenAt)
			e.expect(checked.Touched == moved, "CheckSession, touchAfter %v: got Touched %v, but SeenAt has changed: %v", after, checked.Touched, moved)
			e.expect(checked.Touched == (after == 0), "CheckSession, touchAfter %v: got Touched %v, want %v", after, checked.Touched, after == 0)
			s.SeenAt = checked.SeenAt
		}
		for _, listed := range e.list(ctx, s.User.ID, []googlesession.Ref{s.Ref}, "used") {
			e.expect(!listed.Touched, "Sessions: got Touched, want it from CheckSession only")
		}
	}
	return e.err
}

func (e *sessionEnv) touchEndsWithSession(ctx context.Context) error {
	e.timed(func() {
		ns := newSession(newUser())
		ns.MaxLifetime, ns.IdleTimeout = 6*e.unit, 4*e.unit
		created := e.create(ctx, ns).CreatedAt
		for _, after := range []time.Duration{e.unit, 3 * e.unit, 5 * e.unit} {
			e.until(ctx, created.Add(after))
			e.within(ctx, created.Add(min(after+2*e.unit, ns.MaxLifetime)), func() {
				e.touch(ctx, ns.Ref)
				e.timesAreRight(e.live(ctx, e.first, ns.Ref, "in use"), ns, "CheckSession")
			})
		}
	})
	return e.err
}
