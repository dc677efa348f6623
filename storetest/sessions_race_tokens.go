package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// raceTokenRules returns the rules about a call with a later TokensAfter
// that overlaps other calls.
func raceTokenRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"tokens refused during sign-ins", "a later TokensAfter wins against every sign-in in flight whose token it refuses, and against no other", (*sessionEnv).tokensRefusedDuringSignIns},
		{"tokens refused during uses", "no check returns a session together with a User who refuses the session's token", (*sessionEnv).tokensRefusedDuringUses},
	}
}

func (e *sessionEnv) tokensRefusedDuringSignIns(ctx context.Context) error {
	for round := range rounds {
		u := newUser()
		newest := next(u, tokensAfter(refusedUntil))
		early, late := e.signIns(ctx, u, 1), []googlesession.Ref{newRef(u.ID)}
		for range 3 {
			early = append(early, newRef(u.ID))
		}
		if e.failed() {
			break
		}
		e.all(race(5, func(i int) error {
			ns := issued(u, refusedUntil)
			switch i {
			case 4:
				if round%2 == 0 {
					_, err := e.handle(round/2).PutUser(ctx, newest)
					return err
				}
				ns = issued(newest, longAgo)
			case 3:
				ns = issued(u, refusedUntil.Add(time.Second))
				ns.Ref = late[0]
			default:
				ns.Ref = early[1+i]
			}
			_, err := e.handle(i).CreateSession(ctx, ns)
			switch {
			case i == 4 && !says(err, googlesession.ErrStaleToken):
				return fmt.Errorf("CreateSession with a stale token: got %w, want ErrStaleToken", err)
			case i < 3 && says(err, googlesession.ErrStaleToken), i == 4:
				return nil
			}
			return err
		}))
		e.tokensRefused(ctx, newest, early, late, "tokens refused during sign-ins")
		e.list(ctx, u.ID, late, "tokens refused during sign-ins")
	}
	return e.err
}

func (e *sessionEnv) tokensRefusedDuringUses(ctx context.Context) error {
	const users = 4
	for round := range rounds {
		early := e.signIn(ctx, newUser())
		late := e.create(ctx, issued(early.User, refusedUntil.Add(time.Second)))
		newest := next(early.User, tokensAfter(refusedUntil))
		e.tick(ctx) // The store records uses that are later than SeenAt.
		if e.failed() {
			break
		}
		e.all(race(users+1, func(i int) error {
			if i == users {
				_, err := e.handle(round).PutUser(ctx, newest)
				return err
			}
			var errs []error
			for range 2 {
				errs = append(errs, e.usedToken(ctx, e.handle(i), early.Ref))
				if _, err := e.handle(i).CheckSession(ctx, late.Ref, 0); err != nil {
					errs = append(errs, fmt.Errorf("CheckSession of a later token: got %w, want the session admitted", err))
				}
			}
			return errors.Join(errs...)
		}))
		e.tokensRefused(ctx, newest, []googlesession.Ref{early.Ref}, []googlesession.Ref{late.Ref}, "tokens refused during uses")
	}
	return e.err
}

// usedToken checks the session. It returns an error if the session is admitted
// although its User refuses its token, or if the check fails with an unexpected error.
func (e *sessionEnv) usedToken(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref) error {
	s, err := st.CheckSession(ctx, r, 0)
	switch {
	case err == nil && !s.User.TokensAfter.IsZero() && !s.TokenIssuedAt.After(s.User.TokensAfter):
		return fmt.Errorf("CheckSession: got a token of %v admitted for a User with TokensAfter %v", s.TokenIssuedAt, s.User.TokensAfter)
	case err != nil && !isNotAdmitted(err):
		return fmt.Errorf("CheckSession: got %w, want ErrNoSession, or the session admitted", err)
	}
	return nil
}
