package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

func (e *userEnv) refuseTokensOfDeleted(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	before := e.now(ctx)
	e.deleteUser(ctx, u.ID)
	for _, t := range []time.Time{longAgo, {}} {
		e.refuseAbsent(ctx, u.ID, t, "deleted, an earlier time")
		e.stale(ctx, u.ID, before, "deleted, an earlier time refused")
	}
	ahead := e.now(ctx).Add(time.Hour)
	e.refuseAbsent(ctx, u.ID, ahead, "deleted, a later time")
	e.stale(ctx, u.ID, ahead, "deleted, a later time refused")
	e.unlisted(ctx, u.ID, "deleted, a later time refused")
	again := e.signInAt(ctx, u.ID, ahead.Add(time.Millisecond))
	e.expect(e.failed() || again.TokensAfter.Equal(ahead), "SignIn after RefuseTokens of a deleted user: got TokensAfter %v, want %v", again.TokensAfter, ahead)
	e.listed(ctx, again, "signed in with a still later token")
	return e.err
}

func (e *userEnv) earlierTokensAfterDelete(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for _, a := range []googlesession.AccessChange{{}, {Admin: &yes}, {Disabled: &yes}} {
		u := e.signIn(ctx, newIdentity())
		u = e.setAccess(ctx, u.ID, a)
		before := e.now(ctx)
		e.deleteUser(ctx, u.ID)
		after := e.now(ctx)
		for _, at := range []time.Time{longAgo, before, {}} {
			e.stale(ctx, u.ID, at, "deleted with "+show(a))
			e.unlisted(ctx, u.ID, "deleted, signed in with a stale token")
		}
		again := e.signIn(ctx, e.newToken(ctx, u.ID))
		e.expect(!again.Admin && !again.Disabled, "SignIn after a deletion: got Admin %v, Disabled %v, want neither", again.Admin, again.Disabled)
		e.expect(again.Version > u.Version, "SignIn after a deletion: got Version %d, want more than %d", again.Version, u.Version)
		e.expect(wellFormed(again.TokensAfter) && !again.TokensAfter.Before(before) && !again.TokensAfter.After(after),
			"SignIn after a deletion: got TokensAfter %v, want the store's time of the deletion, %v to %v", again.TokensAfter, before, after)
		e.listed(ctx, again, "deleted, signed in with a newer token")
		e.stale(ctx, u.ID, again.TokensAfter, "deleted, and signed in anew")
		e.is(ctx, again, "deleted, signed in anew, then with a stale token")
	}
	return e.err
}

func (e *userEnv) deleteKeepsTokensAfter(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	ahead := e.now(ctx).Add(time.Hour)
	e.refuse(ctx, u.ID, ahead)
	e.deleteUser(ctx, u.ID)
	e.stale(ctx, u.ID, ahead, "TokensAfter in the future, deleted")
	again := e.signInAt(ctx, u.ID, ahead.Add(time.Millisecond))
	e.expect(e.failed() || again.TokensAfter.Equal(ahead), "SignIn after a deletion: got TokensAfter %v, want %v", again.TokensAfter, ahead)
	return e.err
}

func (e *userEnv) tokenWindow(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	unknown := freshID()
	start := e.now(ctx)
	e.deleteUser(ctx, u.ID)
	e.refuseAbsent(ctx, unknown, start, "unknown user")
	parts := 7
	if e.waits {
		parts = 1
	}
	for i := range parts {
		if !e.waits {
			end := start.Add(googlesession.TokenWindow*time.Duration(i+1)/time.Duration(parts) - e.unit)
			e.moveTo(e.clock, end, func() time.Time { return e.now(ctx) })
		}
		for _, id := range []string{u.ID, unknown} {
			if e.sessions != nil { // PutUser makes a store look for users that it can forget
				_, _ = e.sessions.first.PutUser(ctx, newUser())
			}
			e.stale(ctx, id, start, "within TokenWindow")
			e.unlisted(ctx, id, "within TokenWindow")
		}
	}
	for _, id := range []string{u.ID, unknown} {
		e.is(ctx, e.signIn(ctx, e.newToken(ctx, id)), "newer token")
	}
	return e.err
}

func (e *userEnv) deleteDuringSignIns(ctx context.Context) error {
	for range rounds {
		id := newIdentity()
		id.IssuedAt = e.now(ctx)
		e.signIn(ctx, id)
		if e.failed() {
			break
		}
		for _, err := range race(5, func(i int) error {
			if i == 0 {
				return e.first.DeleteUser(ctx, id.Subject)
			}
			for range 3 {
				if _, err := e.handle(i).SignIn(ctx, id); err != nil && !says(err, googlesession.ErrStaleToken) {
					return fmt.Errorf("SignIn: got %w, want <nil> or ErrStaleToken", err)
				}
			}
			return nil
		}) {
			e.expect(err == nil, "during a deletion: %v", err)
		}
		e.stale(ctx, id.Subject, id.IssuedAt, "deleted during sign-ins")
		e.absent(ctx, id.Subject, "deleted during sign-ins")
	}
	return e.err
}

func (e *userEnv) refuseTokensAtOnce(ctx context.Context) error {
	const calls = 4
	e.keepAnAdmin(ctx)
	for round := range rounds {
		u := e.signIn(ctx, newIdentity())
		if e.failed() {
			break
		}
		last := refusedUntil.Add(time.Duration(calls-1) * time.Minute)
		errs := race(calls+2, func(i int) error {
			at := (i + round) % (calls + 2)
			if at == calls {
				_, err := e.handle(i).SetAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
				return err
			}
			if at == calls+1 {
				id := identity(u.ID)
				id.IssuedAt = last.Add(time.Minute)
				_, err := e.handle(i).SignIn(ctx, id)
				return err
			}
			_, err := e.handle(i).RefuseTokens(ctx, u.ID, refusedUntil.Add(time.Duration(at)*time.Minute))
			return err
		})
		e.expect(errors.Join(errs...) == nil, "RefuseTokens, SetAccess and SignIn at once: got %v, want no error", errors.Join(errs...))
		if e.failed() {
			break
		}
		got, err := e.first.User(ctx, u.ID)
		e.expect(err == nil && got.TokensAfter.Equal(last) && got.Admin,
			"RefuseTokens and SetAccess at once: got %+v, %v, want TokensAfter %v and Admin", got, err, last)
	}
	return e.err
}

func (e *userEnv) doneAtRefusing(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	unknown := freshID()
	doneContexts(ctx, func(ctx context.Context, cause error) {
		_, err := e.first.RefuseTokens(ctx, u.ID, refusedUntil)
		e.interrupted(err, cause, "RefuseTokens")
		_, err = e.first.RefuseTokens(ctx, unknown, refusedUntil)
		e.interrupted(err, cause, "RefuseTokens of an unknown user")
	})
	e.is(ctx, u, "RefuseTokens interrupted")
	e.signInAt(ctx, unknown, longAgo)
	return e.err
}
