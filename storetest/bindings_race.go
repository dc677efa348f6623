package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/googlesession/googlesession"
)

// bindingRaceRules returns the rules about SwapBinding with other calls in flight. As in
// raceRules, a correct store never fails by chance.
func bindingRaceRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"swaps at once", "of many calls of SwapBinding at once with one old and different next, exactly one returns true, and its next is the Binding", (*sessionEnv).swapsAtOnce},
		{"equal swaps at once", "of many calls of SwapBinding at once with one old and one next, all return true", (*sessionEnv).equalSwapsAtOnce},
		{"revoke during swaps", "once RevokeSession has returned, the session has ended, whatever calls of SwapBinding were in flight", (*sessionEnv).revokeDuringSwaps},
		{"revoke user during swaps", "once RevokeUser has returned, the sessions that it ended have ended, whatever calls of SwapBinding were in flight", (*sessionEnv).revokeUserDuringSwaps},
		{"disable during swaps", "once PutUser of a disabled User has returned, the user's sessions have ended, whatever calls of SwapBinding were in flight", (*sessionEnv).disableDuringSwaps},
		{"swap during uses", "SwapBinding and checks that record a use do not undo each other", (*sessionEnv).swapDuringUses},
		{"swap during changes", "SwapBinding and PutUser do not undo each other", (*sessionEnv).swapDuringChanges},
	}
}

func (e *sessionEnv) swapsAtOnce(ctx context.Context) error {
	const swaps = 6
	s := e.signIn(ctx, newUser())
	old := ""
	for round := range rounds {
		if round%10 == 0 {
			s, old = e.signIn(ctx, newUser()), ""
		}
		var nexts [swaps]string
		for i := range nexts {
			nexts[i] = newBinding()
		}
		if e.failed() {
			break
		}
		verdicts := race(swaps, func(i int) verdict {
			swapped, err := swapBinding(ctx, e.handle(i), s.Ref, old, nexts[i])
			return verdict{swapped, err}
		})
		n := e.yes(verdicts, "SwapBinding")
		e.expect(n == 1, "SwapBinding at once: got true %d times, want once", n)
		if e.failed() {
			break
		}
		old = nexts[slices.IndexFunc(verdicts, func(v verdict) bool { return v.yes })]
		e.bound(ctx, s, old, "the next of the call that returned true")
	}
	return e.err
}

func (e *sessionEnv) equalSwapsAtOnce(ctx context.Context) error {
	const swaps = 6
	s := e.signIn(ctx, newUser())
	old := ""
	for range rounds {
		next := newBinding()
		if e.failed() {
			break
		}
		n := e.yes(race(swaps, func(i int) verdict {
			swapped, err := swapBinding(ctx, e.handle(i), s.Ref, old, next)
			return verdict{swapped, err}
		}), "SwapBinding")
		e.expect(n == swaps, "equal calls of SwapBinding at once: got true %d times, want %d times", n, swaps)
		e.bound(ctx, s, next, "equal calls at once")
		old = next
	}
	return e.err
}

func (e *sessionEnv) revokeDuringSwaps(ctx context.Context) error {
	return e.duringSwaps(ctx, func(st googlesession.SessionStore, s googlesession.Session) error {
		ended, err := st.RevokeSession(ctx, s.Ref)
		if err == nil && !ended {
			return errors.New("RevokeSession: got false, want true")
		}
		return err
	})
}

func (e *sessionEnv) revokeUserDuringSwaps(ctx context.Context) error {
	return e.duringSwaps(ctx, func(st googlesession.SessionStore, s googlesession.Session) error {
		n, err := st.RevokeUser(ctx, s.User.ID, nil)
		if err == nil && n != 1 {
			return fmt.Errorf("RevokeUser: got %d, want 1", n)
		}
		return err
	})
}

func (e *sessionEnv) disableDuringSwaps(ctx context.Context) error {
	return e.duringSwaps(ctx, func(st googlesession.SessionStore, s googlesession.Session) error {
		_, err := st.PutUser(ctx, next(s.User, disabled))
		return err
	})
}

// duringSwaps calls end, which ends a session, while other goroutines swap its Binding. It
// expects that no SwapBinding that starts after end has returned finds the session, and that the
// session is not live afterwards.
func (e *sessionEnv) duringSwaps(ctx context.Context, end func(googlesession.SessionStore, googlesession.Session) error) error {
	const swappers = 4
	for round := range rounds {
		s := e.signIn(ctx, newUser())
		if e.failed() {
			break
		}
		var over atomic.Bool
		swap := func(st googlesession.SessionStore, old, next string) error {
			late := over.Load()
			swapped, err := swapBinding(ctx, st, s.Ref, old, next)
			switch {
			case late && err == nil:
				return fmt.Errorf("SwapBinding, started after the end: got %v, <nil>, want ErrNoSession", swapped)
			case err != nil && !isNotAdmitted(err):
				return fmt.Errorf("SwapBinding: got %w, want ErrNoSession, or no error", err)
			}
			return nil
		}
		e.all(race(swappers+1, func(i int) error {
			first, second := newBinding(), newBinding()
			if i < swappers {
				return errors.Join(swap(e.handle(i), "", first), swap(e.handle(i+1), first, second), swap(e.handle(i), second, first))
			}
			for range round % 3 {
				_ = swap(e.handle(i), "", first)
			}
			if err := end(e.handle(round), s); err != nil {
				return err
			}
			over.Store(true)
			return errors.Join(swap(e.first, "", first), swap(e.second, first, second))
		}))
		e.noneAdmitted(ctx, []googlesession.Ref{s.Ref}, "ended during swaps, and all of them returned")
		e.put(ctx, next(next(s.User, disabled), enabled), true, "newer")
		e.gone(ctx, s.Ref, "ended during swaps, and the user enabled")
		e.list(ctx, s.User.ID, nil, "ended during swaps, and the user enabled")
	}
	return e.err
}

func (e *sessionEnv) swapDuringUses(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	return e.duringCalls(ctx, s, func(st googlesession.SessionStore, _ int) error {
		_, err := st.CheckSession(ctx, s.Ref, 0)
		return err
	}, func(before, after googlesession.Session) {
		e.expect(after.SeenAt.After(before.SeenAt), "used during a swap: got SeenAt %v, want it later than before, %v", after.SeenAt, before.SeenAt)
	})
}

func (e *sessionEnv) swapDuringChanges(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	version := s.User.Version
	return e.duringCalls(ctx, s, func(st googlesession.SessionStore, call int) error {
		u := s.User
		u.Version = version + int64(call)
		_, err := st.PutUser(ctx, u)
		return err
	}, func(before, after googlesession.Session) {
		e.expect(after.User.Version > before.User.Version, "user changed during a swap: got Version %d, want more than before, %d", after.User.Version, before.User.Version)
	})
}

// duringCalls swaps the Binding of the session, in many rounds, while other goroutines make
// calls, each with its own number. It expects every swap to return true and to last. changed gets
// the session as it was before and after the round.
func (e *sessionEnv) duringCalls(
	ctx context.Context, s googlesession.Session, call func(st googlesession.SessionStore, number int) error,
	changed func(before, after googlesession.Session),
) error {
	const callers = 4
	old := ""
	for round := range rounds {
		before := e.live(ctx, e.first, s.Ref, "before the round")
		e.tick(ctx)
		if e.failed() {
			break
		}
		nexts := []string{newBinding(), newBinding()}
		e.all(race(callers+1, func(i int) error {
			if i < callers {
				return call(e.handle(i), 1+round*callers+i)
			}
			for _, next := range nexts {
				swapped, err := swapBinding(ctx, e.handle(round), s.Ref, old, next)
				if err != nil {
					return fmt.Errorf("SwapBinding: %w", err)
				}
				if !swapped {
					return errors.New("SwapBinding: got false, want true")
				}
				old = next
			}
			return nil
		}))
		e.bound(ctx, s, old, "swapped during other calls, and all of them returned")
		if after := e.live(ctx, e.second, s.Ref, "after the round"); !e.failed() {
			changed(before, after)
		}
	}
	return e.err
}
