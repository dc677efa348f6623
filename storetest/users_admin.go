package storetest

import (
	"context"
	"errors"

	"github.com/googlesession/googlesession"
)

// adminRules returns the rules about the last administrator.
func adminRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"last administrator", "demoting, disabling or deleting the last enabled administrator returns ErrLastAdmin and changes nothing", (*userEnv).lastAdmin},
		{"disabled administrator", "a disabled administrator does not count as an administrator, and can be demoted and deleted", (*userEnv).disabledAdmin},
		{"one of two administrators", "either of two administrators can be demoted, disabled and deleted", (*userEnv).oneOfTwoAdmins},
		{"deleted administrator", "a deleted administrator does not count as an administrator", (*userEnv).deletedAdmin},
		{"no administrator", "while there is no enabled administrator, every user can be demoted, disabled and deleted", (*userEnv).noAdmin},
		{"administrators at once", "however two administrators are demoted, disabled or deleted at once, one of them is left", (*userEnv).adminsAtOnce},
	}
}

// An adminLoss is a call after which the user is not an enabled administrator.
type adminLoss func(ctx context.Context, st googlesession.UserStore, id string) error

// adminLosses returns every kind of adminLoss, keyed by what happens to the
// administrator.
func (e *userEnv) adminLosses() map[string]adminLoss {
	set := func(a googlesession.AccessChange) adminLoss {
		return func(ctx context.Context, st googlesession.UserStore, id string) error {
			_, err := st.SetAccess(ctx, id, a)
			return err
		}
	}
	return map[string]adminLoss{
		"demoted":              set(googlesession.AccessChange{Admin: &no}),
		"disabled":             set(googlesession.AccessChange{Disabled: &yes}),
		"demoted and disabled": set(googlesession.AccessChange{Admin: &no, Disabled: &yes}),
		"deleted": func(ctx context.Context, st googlesession.UserStore, id string) error {
			return st.DeleteUser(ctx, id)
		},
	}
}

// newAdmin signs in a new user, makes the user an administrator and returns the user.
func (e *userEnv) newAdmin(ctx context.Context) googlesession.User {
	u := e.signIn(ctx, newIdentity())
	return e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
}

// keepAnAdmin makes an administrator that the rule does not change, so that other
// administrators can be demoted, disabled and deleted.
func (e *userEnv) keepAnAdmin(ctx context.Context) { e.newAdmin(ctx) }

// onlyAdmin makes a new administrator, demotes all other administrators and
// returns the new one.
func (e *userEnv) onlyAdmin(ctx context.Context) googlesession.User {
	u := e.newAdmin(ctx)
	for after := ""; !e.failed(); {
		page, err := e.first.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: after}, Limit: 1000})
		e.expect(err == nil, "Users: got error %v, want none", err)
		for _, other := range page {
			if after = other.ID; other.Admin && other.ID != u.ID {
				e.setAccess(ctx, other.ID, googlesession.AccessChange{Admin: &no})
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	return u
}

func (e *userEnv) lastAdmin(ctx context.Context) error {
	u := e.onlyAdmin(ctx)
	e.signIn(ctx, newIdentity())
	for how, lose := range e.adminLosses() {
		if e.failed() {
			break
		}
		err := lose(ctx, e.second, u.ID)
		e.expect(says(err, googlesession.ErrLastAdmin), "last administrator %s: got %v, want ErrLastAdmin", how, err)
		e.is(ctx, u, "last administrator "+how)
	}
	same := e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes, Disabled: &no})
	e.expect(same == u, "SetAccess of the last administrator that changes nothing: got %+v, want %+v", same, u)
	other := e.signIn(ctx, newIdentity())
	e.setAccess(ctx, other.ID, googlesession.AccessChange{Disabled: &yes})
	e.deleteUser(ctx, other.ID)
	e.absent(ctx, other.ID, "no administrator, deleted")
	return e.err
}

func (e *userEnv) disabledAdmin(ctx context.Context) error {
	u, off := e.onlyAdmin(ctx), e.signIn(ctx, newIdentity())
	off = e.setAccess(ctx, off.ID, googlesession.AccessChange{Admin: &yes, Disabled: &yes})
	if e.failed() {
		return e.err
	}
	for how, lose := range e.adminLosses() {
		err := lose(ctx, e.first, u.ID)
		e.expect(says(err, googlesession.ErrLastAdmin), "last enabled administrator %s: got %v, want ErrLastAdmin", how, err)
	}
	e.is(ctx, u, "another administrator is disabled")
	off = e.setAccess(ctx, off.ID, googlesession.AccessChange{Admin: &no})
	e.setAccess(ctx, off.ID, googlesession.AccessChange{Admin: &yes})
	e.deleteUser(ctx, off.ID)
	e.absent(ctx, off.ID, "disabled administrator deleted")
	return e.err
}

func (e *userEnv) oneOfTwoAdmins(ctx context.Context) error {
	for how, lose := range e.adminLosses() {
		for first := range 2 {
			admins := []googlesession.User{e.onlyAdmin(ctx), e.newAdmin(ctx)}
			if e.failed() {
				return e.err
			}
			u, other := admins[first], admins[1-first]
			err := lose(ctx, e.first, u.ID)
			e.expect(err == nil, "one of two administrators %s: got %v, want <nil>", how, err)
			err = lose(ctx, e.second, other.ID)
			e.expect(says(err, googlesession.ErrLastAdmin), "the other one %s: got %v, want ErrLastAdmin", how, err)
			e.is(ctx, other, "the last one, "+how)
		}
	}
	return e.err
}

func (e *userEnv) deletedAdmin(ctx context.Context) error {
	u, other := e.onlyAdmin(ctx), e.newAdmin(ctx)
	e.deleteUser(ctx, other.ID)
	e.signIn(ctx, e.newToken(ctx, other.ID)) // The deleted administrator is back as a user without rights.
	if e.failed() {
		return e.err
	}
	err := e.first.DeleteUser(ctx, u.ID)
	e.expect(says(err, googlesession.ErrLastAdmin), "the only administrator not deleted yet: got %v, want ErrLastAdmin", err)
	e.is(ctx, u, "the only administrator not deleted yet")
	return e.err
}

// noAdmin changes and deletes users while there is no enabled administrator. A store that
// has had one always keeps one, so the rule tests most in a store that never had one.
func (e *userEnv) noAdmin(ctx context.Context) error {
	off := e.signIn(ctx, newIdentity())
	off = e.setAccess(ctx, off.ID, googlesession.AccessChange{Admin: &yes, Disabled: &yes})
	e.setAccess(ctx, off.ID, googlesession.AccessChange{Admin: &no})
	off = e.setAccess(ctx, off.ID, googlesession.AccessChange{Admin: &yes})
	e.is(ctx, off, "disabled, then administrator")
	u := e.signIn(ctx, newIdentity())
	e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &no, Disabled: &yes})
	u = e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &no})
	e.is(ctx, u, "no administrator, disabled and enabled")
	for _, id := range []string{off.ID, u.ID} {
		e.deleteUser(ctx, id)
		e.absent(ctx, id, "deleted")
	}
	return e.err
}

func (e *userEnv) adminsAtOnce(ctx context.Context) error {
	for how, lose := range e.adminLosses() {
		for otherHow, loseOther := range e.adminLosses() {
			for range 7 { // 7 rounds for each of 16 pairs make more than 100 rounds
				e.twoAdminsAtOnce(ctx, how+" and "+otherHow, lose, loseOther)
			}
		}
	}
	return e.err
}

func (e *userEnv) twoAdminsAtOnce(ctx context.Context, how string, losses ...adminLoss) {
	admins := []googlesession.User{e.onlyAdmin(ctx), e.newAdmin(ctx)}
	if e.failed() {
		return
	}
	refused := 0
	for i, err := range atOnce(2, func(i int) error { return losses[i](ctx, e.handle(i), admins[i].ID) }) {
		if errors.Is(err, googlesession.ErrLastAdmin) {
			refused++
			e.is(ctx, admins[i], "administrators "+how+" at once, this one refused")
			continue
		}
		e.expect(err == nil, "administrators %s at once: got %v, want <nil> or ErrLastAdmin", how, err)
		u, err := e.first.User(ctx, admins[i].ID)
		e.expect(says(err, googlesession.ErrNotFound) || err == nil && (!u.Admin || u.Disabled),
			"administrators %s at once, after nil: got %+v, %v, want no enabled administrator", how, u, err)
	}
	e.expect(refused == 1, "administrators %s at once: got ErrLastAdmin %d times, want once", how, refused)
}
