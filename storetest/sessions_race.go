package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
)

// raceRules returns the rules about calls that overlap. Each rule plays many
// rounds. It expects only what holds for every order of the calls, so a
// correct store never fails by chance.
func raceRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"revoke during uses", "once RevokeSession has returned, no check that starts later admits the session, whatever calls were in flight", (*sessionEnv).revokeDuringUses},
		{"revoke user during uses", "once RevokeUser has returned, no check that starts later admits a session that it ended", (*sessionEnv).revokeUserDuringUses},
		{"disable during uses", "once PutUser of a disabled User has returned, no check that starts later admits a session of the user", (*sessionEnv).disableDuringUses},
		{"cap during uses", "uses in flight do not bring back a session that a sign-in has ended to make room", (*sessionEnv).capDuringUses},
		{"uses at once", "of many checks at once, one records the use, and another one only if it is touchAfter later", (*sessionEnv).usesAtOnce},
		{"revoke at once", "of many calls of RevokeSession at once, exactly one returns true", (*sessionEnv).revokeAtOnce},
		{"revoke user during sign-ins", "each session is either ended and counted by RevokeUser, or live", (*sessionEnv).revokeUserDuringSignIns},
		{"disable during sign-ins", "a disabled User, from PutUser or from a sign-in, wins against every sign-in in flight with an older version", (*sessionEnv).disableDuringSignIns},
		{"sign-ins at once with one Ref", "of many calls of CreateSession at once with one Ref, exactly one succeeds", (*sessionEnv).signInsWithOneRef},
		{"cap during sign-ins", "many sign-ins at once keep to the cap", (*sessionEnv).capDuringSignIns},
		{"versions at once", "of many versions of a User that are put at once, the newest wins", (*sessionEnv).versionsAtOnce},
		{"disable among versions at once", "of many versions that are put at once, a disabled one ends the sessions if and only if it is applied", (*sessionEnv).disableAmongVersions},
	}
}

const rounds = 50

// handle returns the handle for the i-th goroutine, which is the second one if i is odd.
func (e *sessionEnv) handle(i int) googlesession.SessionStore {
	if i%2 == 0 {
		return e.first
	}
	return e.second
}

// race runs f(0) to f(n-1) at once and returns what they returned. It starts
// them in random order, because schedulers tend to run goroutines in one order.
func race[T any](n int, f func(i int) T) []T {
	order := rand.Perm(n)
	results := make([]T, n)
	atOnce(n, func(i int) struct{} {
		results[order[i]] = f(order[i])
		return struct{}{}
	})
	return results
}

func (e *sessionEnv) revokeDuringUses(ctx context.Context) error {
	return e.duringUses(ctx, func(st googlesession.SessionStore, s googlesession.Session) error {
		ended, err := st.RevokeSession(ctx, s.Ref)
		if err == nil && !ended {
			return errors.New("RevokeSession: got false, want true")
		}
		return err
	})
}

func (e *sessionEnv) revokeUserDuringUses(ctx context.Context) error {
	return e.duringUses(ctx, func(st googlesession.SessionStore, s googlesession.Session) error {
		n, err := st.RevokeUser(ctx, s.User.ID, nil)
		if err == nil && n != 1 {
			return fmt.Errorf("RevokeUser: got %d, want 1", n)
		}
		return err
	})
}

func (e *sessionEnv) disableDuringUses(ctx context.Context) error {
	return e.duringUses(ctx, func(st googlesession.SessionStore, s googlesession.Session) error {
		_, err := st.PutUser(ctx, next(s.User, disabled))
		return err
	})
}

// duringUses calls end, which ends a session, while other goroutines use the session.
// It expects that no check that starts after end has returned admits the session.
func (e *sessionEnv) duringUses(ctx context.Context, end func(googlesession.SessionStore, googlesession.Session) error) error {
	const users = 6
	for round := range rounds {
		s := e.signIn(ctx, newUser())
		e.tick(ctx) // The store records uses that are later than SeenAt.
		if e.failed() {
			break
		}
		var over atomic.Bool
		use := func(st googlesession.SessionStore) error {
			late := over.Load()
			_, err := st.CheckSession(ctx, s.Ref, 0)
			switch {
			case late && err == nil:
				return errors.New("CheckSession, started after the end: got nil, want ErrNoSession")
			case err != nil && !isNotAdmitted(err):
				return fmt.Errorf("CheckSession: got %w, want ErrNoSession, or the session admitted", err)
			}
			return nil
		}
		e.all(race(users+1, func(i int) error {
			if i < users {
				return errors.Join(use(e.handle(i)), use(e.handle(i+1)), use(e.handle(i)))
			}
			for range round % 3 {
				_ = use(e.handle(i))
			}
			if err := end(e.handle(round), s); err != nil {
				return err
			}
			over.Store(true)
			return errors.Join(use(e.first), use(e.second))
		}))
		e.noneAdmitted(ctx, []googlesession.Ref{s.Ref}, "ended during uses, and all of them returned")
		e.put(ctx, next(next(s.User, disabled), enabled), true, "newer")
		e.gone(ctx, s.Ref, "ended during uses, and the user enabled")
	}
	return e.err
}

// all expects every one of the results, which are of calls at once, to be nil.
func (e *sessionEnv) all(results []error) {
	for _, err := range results {
		e.expect(err == nil, "at once: %v", err)
	}
}

func (e *sessionEnv) capDuringUses(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser)
	for range rounds {
		used := e.list(ctx, u.ID, refs, "at the cap")
		slices.SortFunc(used, func(a, b googlesession.Session) int { return a.SeenAt.Compare(b.SeenAt) })
		e.tick(ctx)
		if e.failed() {
			break
		}
		used = used[:4] // The sign-in ends one of these four sessions, unless their uses come first.
		ns := newSession(u)
		e.all(race(len(used)+1, func(i int) error {
			if i == len(used) {
				_, err := e.second.CreateSession(ctx, ns)
				return err
			}
			if _, err := e.handle(i).CheckSession(ctx, used[i].Ref, 0); err != nil && !isNotAdmitted(err) {
				return fmt.Errorf("CheckSession: got %w, want ErrNoSession, or the session admitted", err)
			}
			return nil
		}))
		refs = e.remaining(ctx, u.ID, append(refs, ns.Ref), e.perUser, "one more than the cap, during uses")
		e.expect(slices.Contains(refs, ns.Ref), "one more than the cap, during uses: the new session is not live")
	}
	return e.err
}

func (e *sessionEnv) usesAtOnce(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	for range rounds {
		e.tick(ctx)
		if e.failed() {
			break
		}
		var recorded []time.Time
		for _, used := range race(6, func(i int) googlesession.Session {
			used, _ := e.handle(i).CheckSession(ctx, s.Ref, time.Millisecond)
			return used
		}) {
			e.expect(used.Ref == s.Ref, "at once: CheckSession: want the session admitted")
			if used.Touched {
				recorded = append(recorded, used.SeenAt)
			}
		}
		slices.SortFunc(recorded, time.Time.Compare)
		e.expect(len(recorded) > 0, "due, at once: CheckSession: got Touched from no call, want it from one")
		e.expect(len(slices.Compact(recorded)) == len(recorded), "due, at once: CheckSession: got Touched twice for one use")
	}
	return e.err
}

// A verdict is the result of a call of RevokeSession, PutUser or SwapBinding.
type verdict struct {
	yes bool
	err error
}

// yes expects no call to have failed, and returns how many calls returned true.
func (e *sessionEnv) yes(verdicts []verdict, call string) (n int) {
	for _, a := range verdicts {
		e.expect(a.err == nil, "at once: %s: got error %v, want none", call, a.err)
		if a.yes {
			n++
		}
	}
	return n
}

func (e *sessionEnv) revokeAtOnce(ctx context.Context) error {
	for range rounds {
		r := e.signIn(ctx, newUser()).Ref
		if e.failed() {
			break
		}
		n := e.yes(race(6, func(i int) verdict {
			ended, err := e.handle(i).RevokeSession(ctx, r)
			return verdict{ended, err}
		}), "RevokeSession")
		e.expect(n == 1, "RevokeSession at once: got true %d times, want once", n)
		e.gone(ctx, r, "revoked by many at once")
	}
	return e.err
}

func (e *sessionEnv) revokeUserDuringSignIns(ctx context.Context) error {
	for range rounds {
		u := newUser()
		refs := e.signIns(ctx, u, 2)
		for range 3 {
			refs = append(refs, newRef(u.ID))
		}
		if e.failed() {
			break
		}
		var ended int
		e.all(race(4, func(i int) (err error) {
			if i == 0 {
				ended, err = e.first.RevokeUser(ctx, u.ID, &refs[0])
				return err
			}
			ns := newSession(u)
			ns.Ref = refs[1+i]
			_, err = e.handle(i).CreateSession(ctx, ns)
			return err
		}))
		left := e.remaining(ctx, u.ID, refs, len(refs)-ended, fmt.Sprintf("RevokeUser said %d of %d", ended, len(refs)))
		e.expect(slices.Contains(left, refs[0]), "RevokeUser during sign-ins: the session kept is not live")
		e.expect(!slices.Contains(left, refs[1]), "RevokeUser during sign-ins: the session from before is live")
	}
	return e.err
}
