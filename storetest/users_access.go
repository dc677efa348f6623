package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// accessRules returns the rules about SetAccess.
func accessRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"SetAccess", "SetAccess sets the flags that are given, keeps all other fields, and raises Version if that changes a flag", (*userEnv).access},
		{"access on every handle", "a flag that SetAccess has set is seen at once on every handle", (*userEnv).accessEverywhere},
		{"access of other users", "SetAccess of one user changes no other user", (*userEnv).accessOfOthers},
		{"access of an unknown user", "SetAccess of an unknown user returns ErrNotFound and makes no user", (*userEnv).accessOfUnknown},
		{"flags at once", "two calls at once that set one flag each do not undo each other", (*userEnv).flagsAtOnce},
		{"access during sign-ins", "a flag that is set while the user signs in stays set", (*userEnv).accessDuringSignIns},
		{"done context in SetAccess", "SetAccess with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*userEnv).doneAtAccess},
	}
}

var yes, no = true, false

func (e *userEnv) access(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u := e.signIn(ctx, newIdentity())
	for _, flag := range []*bool{nil, &no, &yes} {
		for _, other := range []*bool{nil, &no, &yes} {
			for _, a := range []googlesession.AccessChange{{Admin: flag, Disabled: other}, {Admin: other, Disabled: flag}, {}} {
				want := u
				if a.Admin != nil {
					want.Admin = *a.Admin
				}
				if a.Disabled != nil {
					want.Disabled = *a.Disabled
				}
				changes := want != u
				got := e.setAccess(ctx, u.ID, a)
				want.Version = got.Version
				e.expect(got == want, "SetAccess(%s) of %+v: got %+v, want %+v", show(a), u, got, want)
				e.expect(changes == (got.Version > u.Version), "SetAccess(%s): got Version %d after %d", show(a), got.Version, u.Version)
				e.expect(changes || got.Version == u.Version, "SetAccess(%s) that changes nothing: got Version %d, want %d", show(a), got.Version, u.Version)
				e.is(ctx, got, "after SetAccess("+show(a)+")")
				u = got
			}
		}
	}
	return e.err
}

func (e *userEnv) accessEverywhere(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u := e.signIn(ctx, newIdentity())
	for i, a := range []googlesession.AccessChange{{Admin: &yes}, {Disabled: &yes}, {Admin: &no}, {Disabled: &no}} {
		if e.failed() {
			break
		}
		set, err := e.handle(i).SetAccess(ctx, u.ID, a)
		e.expect(err == nil, "SetAccess(%s): got error %v, want none", show(a), err)
		got, err := e.handle(i+1).User(ctx, u.ID)
		e.expect(err == nil && got == set, "SetAccess(%s), then User on another handle: got %+v, %v, want %+v", show(a), got, err, set)
	}
	return e.err
}

func (e *userEnv) accessOfOthers(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for _, ids := range [][]string{caseIDs(), blankIDs()} {
		var others []googlesession.User
		for _, id := range ids {
			others = append(others, e.signIn(ctx, identity(id)))
		}
		set := e.setAccess(ctx, ids[1], googlesession.AccessChange{Admin: &yes, Disabled: &yes})
		for i, other := range others {
			if i == 1 {
				other = set
			}
			e.is(ctx, other, "SetAccess of one of them")
		}
	}
	return e.err
}

func (e *userEnv) accessOfUnknown(ctx context.Context) error {
	for _, id := range []string{freshID(), ""} {
		for _, a := range []googlesession.AccessChange{{}, {Admin: &no}, {Admin: &yes}, {Disabled: &yes}} {
			_, err := e.first.SetAccess(ctx, id, a)
			e.expect(says(err, googlesession.ErrNotFound), "SetAccess(%s) of an unknown user: got %v, want ErrNotFound", show(a), err)
			e.absent(ctx, id, "SetAccess of an unknown user")
		}
	}
	return e.err
}

func (e *userEnv) flagsAtOnce(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for range rounds {
		u := e.signIn(ctx, newIdentity())
		if e.failed() {
			break
		}
		for _, err := range atOnce(2, func(i int) error {
			a := googlesession.AccessChange{Admin: &yes}
			if i == 1 {
				a = googlesession.AccessChange{Disabled: &yes}
			}
			_, err := e.handle(i).SetAccess(ctx, u.ID, a)
			return err
		}) {
			e.expect(err == nil, "SetAccess at once: got error %v, want none", err)
		}
		got, err := e.first.User(ctx, u.ID)
		e.expect(err == nil && got.Admin && got.Disabled, "two flags set at once: got Admin %v, Disabled %v, %v, want both", got.Admin, got.Disabled, err)
	}
	return e.err
}

func (e *userEnv) accessDuringSignIns(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for i := range rounds {
		u := e.signIn(ctx, newIdentity())
		if e.failed() {
			break
		}
		a := googlesession.AccessChange{Admin: &yes}
		if i%2 == 1 {
			a = googlesession.AccessChange{Disabled: &yes}
		}
		for _, err := range atOnce(4, func(i int) error {
			if i == 0 {
				_, err := e.first.SetAccess(ctx, u.ID, a)
				return err
			}
			_, err := e.handle(i).SignIn(ctx, identity(u.ID))
			return err
		}) {
			e.expect(err == nil, "SetAccess during sign-ins: got error %v, want none", err)
		}
		got, err := e.first.User(ctx, u.ID)
		e.expect(err == nil && got.Admin == (a.Admin != nil) && got.Disabled == (a.Disabled != nil),
			"SetAccess(%s) during sign-ins: got %+v, %v", show(a), got, err)
	}
	return e.err
}

func (e *userEnv) doneAtAccess(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	doneContexts(ctx, func(ctx context.Context, cause error) {
		_, err := e.first.SetAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
		e.interrupted(err, cause, "SetAccess")
	})
	e.is(ctx, u, "SetAccess interrupted")
	return e.err
}
