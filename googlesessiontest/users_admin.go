package googlesessiontest

import (
	"context"
	"errors"

	"github.com/googlesession/googlesession"
)

// adminRules are about the last administrator.
func adminRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"last administrator", "the last enabled administrator cannot be demoted, disabled or deleted: ErrLastAdmin, and nothing changes", (*userEnv).lastAdmin},
		{"disabled administrator", "a disabled administrator does not count as one, and can be demoted or deleted", (*userEnv).disabledAdmin},
		{"one of two administrators", "of two administrators either can go", (*userEnv).oneOfTwoAdmins},
		{"deleted administrator", "a deleted administrator does not count as one", (*userEnv).deletedAdmin},
		{"administrators at once", "however two administrators are demoted, disabled or deleted at once, one is left", (*userEnv).adminsAtOnce},
	}
}

// adminLosses are the ways not to be an enabled administrator any more.
func (e *userEnv) adminLosses() map[string]func(context.Context, googlesession.UserStore, string) error {
	set := func(a googlesession.Access) func(context.Context, googlesession.UserStore, string) error {
		return func(ctx context.Context, st googlesession.UserStore, id string) error {
			_, err := st.SetAccess(ctx, id, a)
			return err
		}
	}
	return map[string]func(context.Context, googlesession.UserStore, string) error{
		"demoted":              set(googlesession.Access{Admin: &no}),
		"disabled":             set(googlesession.Access{Disabled: &yes}),
		"demoted and disabled": set(googlesession.Access{Admin: &no, Disabled: &yes}),
		"deleted": func(ctx context.Context, st googlesession.UserStore, id string) error {
			return st.DeleteUser(ctx, id)
		},
	}
}

// newAdmin returns a new enabled administrator.
func (e *userEnv) newAdmin(ctx context.Context) googlesession.User {
	u := e.signIn(ctx, newIdentity())
	return e.setAccess(ctx, u.ID, googlesession.Access{Admin: &yes})
}

// keepAnAdmin makes an administrator whom no rule touches but those for
// administrators, so that others can come and go.
func (e *userEnv) keepAnAdmin(ctx context.Context) { e.newAdmin(ctx) }

// onlyAdmin returns a new administrator, and demotes all others.
func (e *userEnv) onlyAdmin(ctx context.Context) googlesession.User {
	u := e.newAdmin(ctx)
	for after := ""; !e.failed(); {
		page, err := e.a.Users(ctx, after, 100)
		e.expect(err == nil, "Users: got error %v, want none", err)
		for _, other := range page {
			if after = other.ID; other.Admin && other.ID != u.ID {
				e.setAccess(ctx, other.ID, googlesession.Access{Admin: &no})
			}
		}
		if len(page) < 100 {
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
		err := lose(ctx, e.b, u.ID)
		e.expect(errors.Is(err, googlesession.ErrLastAdmin), "last administrator %s: got %v, want ErrLastAdmin", how, err)
		e.is(ctx, u, "last administrator "+how)
	}
	same := e.setAccess(ctx, u.ID, googlesession.Access{Admin: &yes, Disabled: &no})
	e.expect(same == u, "SetAccess of the last administrator that changes nothing: got %+v, want %+v", same, u)
	other := e.signIn(ctx, newIdentity())
	e.setAccess(ctx, other.ID, googlesession.Access{Disabled: &yes})
	e.deleteUser(ctx, other.ID)
	e.absent(ctx, other.ID, "no administrator, deleted")
	return e.err
}

func (e *userEnv) disabledAdmin(ctx context.Context) error {
	u, off := e.onlyAdmin(ctx), e.signIn(ctx, newIdentity())
	off = e.setAccess(ctx, off.ID, googlesession.Access{Admin: &yes, Disabled: &yes})
	if e.failed() {
		return e.err
	}
	for how, lose := range e.adminLosses() {
		err := lose(ctx, e.a, u.ID)
		e.expect(errors.Is(err, googlesession.ErrLastAdmin), "last enabled administrator %s: got %v, want ErrLastAdmin", how, err)
	}
	e.is(ctx, u, "another administrator is disabled")
	off = e.setAccess(ctx, off.ID, googlesession.Access{Admin: &no})
	e.setAccess(ctx, off.ID, googlesession.Access{Admin: &yes})
	e.deleteUser(ctx, off.ID)
	e.absent(ctx, off.ID, "disabled administrator deleted")
	return e.err
}

func (e *userEnv) oneOfTwoAdmins(ctx context.Context) error {
	for how, lose := range e.adminLosses() {
		u, other := e.onlyAdmin(ctx), e.newAdmin(ctx)
		if e.failed() {
			break
		}
		err := lose(ctx, e.a, u.ID)
		e.expect(err == nil, "one of two administrators %s: got %v, want <nil>", how, err)
		err = lose(ctx, e.b, other.ID)
		e.expect(errors.Is(err, googlesession.ErrLastAdmin), "the other one %s: got %v, want ErrLastAdmin", how, err)
		e.is(ctx, other, "the last one, "+how)
	}
	return e.err
}

func (e *userEnv) deletedAdmin(ctx context.Context) error {
	u, other := e.onlyAdmin(ctx), e.newAdmin(ctx)
	e.deleteUser(ctx, other.ID)
	e.signIn(ctx, identity(other.ID)) // back, without rights
	if e.failed() {
		return e.err
	}
	err := e.a.DeleteUser(ctx, u.ID)
	e.expect(errors.Is(err, googlesession.ErrLastAdmin), "the only administrator not deleted yet: got %v, want ErrLastAdmin", err)
	e.is(ctx, u, "the only administrator not deleted yet")
	return e.err
}

func (e *userEnv) adminsAtOnce(ctx context.Context) error {
	for how, lose := range e.adminLosses() {
		for range rounds / 2 {
			admins := []googlesession.User{e.onlyAdmin(ctx), e.newAdmin(ctx)}
			if e.failed() {
				return e.err
			}
			refused := 0
			for _, err := range atOnce(2, func(i int) error { return lose(ctx, e.handle(i), admins[i].ID) }) {
				e.expect(err == nil || errors.Is(err, googlesession.ErrLastAdmin), "administrators %s at once: got %v, want <nil> or ErrLastAdmin", how, err)
				if err != nil {
					refused++
				}
			}
			e.expect(refused == 1, "two administrators %s at once: got ErrLastAdmin %d times, want once", how, refused)
		}
	}
	return e.err
}
