package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// bothDataRules returns the rules about Data and queries in a store that is both a UserStore
// and a SessionStore.
func bothDataRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"data in checks", "the next check of every session, on every handle, returns the Data that SetData has set", (*userEnv).dataInChecks},
		{"PutUser of a known user", "a newer User that PutUser brings replaces the user's record with all fields, and User and Users return it", (*userEnv).putKnownUser},
		{"data from PutUser", "the first SignIn of a user that PutUser brought, also after DeleteUser, makes a user without Data", (*userEnv).putData},
		{"queries and PutUser", "Users finds no user that only PutUser or CreateSession brought, also after DeleteUser, whatever the query", (*userEnv).queriesAndPutUser},
	}
}

func (e *userEnv) dataInChecks(ctx context.Context) error {
	u, refs := e.signedIn(ctx, 2)
	check := func(when string) {
		e.sessions.haveUser(ctx, e.sessions.second, u, refs, when)
		e.sessions.haveUser(ctx, e.sessions.first, u, refs, when)
	}
	check("fresh")
	for _, text := range dataTexts() {
		old := u.Data
		u = e.setData(ctx, u.ID, text, &old)
		check("data set")
		if e.failed() {
			break
		}
		_, err := e.first.SetData(ctx, u.ID, "other", &old)
		e.expect(says(err, googlesession.ErrDataChanged), "SetData with another old: got %v, want ErrDataChanged", err)
		check("data not set, because it has changed")
	}
	if s := e.sessions.signIn(ctx, u); !e.failed() {
		e.expect(s.User == u, "data set: CreateSession: got User %+v, want %+v", s.User, u)
		refs = append(refs, s.Ref)
	}
	u = e.setData(ctx, u.ID, "in all sessions", nil)
	check("data set again")
	e.sessions.put(ctx, u, false, "User that SetData returned")
	return e.err
}

func (e *userEnv) putKnownUser(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u, refs := e.signedIn(ctx, 2)
	e.setData(ctx, u.ID, "set", nil)
	put := e.newer(ctx, u.ID, data("put"))
	put.Email, put.Admin = freshID()+"@example.com", true
	e.sessions.put(ctx, u, false, "older")
	e.sessions.put(ctx, put, true, "newer")
	e.sessions.haveUser(ctx, e.sessions.second, put, refs, "newer User put")
	e.listed(ctx, put, "newer User put")
	for _, q := range append(queries(put.Email, put.Name), queries(u.Email, u.Name)...) {
		e.finds(ctx, q, 1000, []googlesession.User{put}, "newer User put")
	}
	old := "set"
	_, err := e.second.SetData(ctx, u.ID, "other", &old)
	e.expect(says(err, googlesession.ErrDataChanged), "newer User put: SetData with the Data from before: got %v, want ErrDataChanged", err)
	again := e.signIn(ctx, identity(u.ID))
	e.expect(e.failed() || again.Data == "put" && again.Admin && again.Version > put.Version, "newer User put: SignIn: got %+v, want the Data and flags of %+v", again, put)
	e.sessions.haveUser(ctx, e.sessions.second, again, refs, "newer User put, then signed in")
	return e.err
}

func (e *userEnv) putData(ctx context.Context) error {
	deleted := e.signIn(ctx, newIdentity())
	e.setData(ctx, deleted.ID, "set", nil)
	e.deleteUser(ctx, deleted.ID)
	for what, id := range map[string]string{"unknown user": freshID(), "deleted user": deleted.ID} {
		e.sessions.put(ctx, e.newer(ctx, id, data("put")), true, what)
		e.noData(ctx, id, what+" put")
		e.noBrowsers(ctx, id, what+" put")
		first := e.signIn(ctx, e.newToken(ctx, id))
		e.expect(e.failed() || first.Data == "", "%s put: first SignIn: got Data %q, want none", what, first.Data)
		e.listed(ctx, first, what+" put, then signed in")
	}
	return e.err
}

func (e *userEnv) queriesAndPutUser(ctx context.Context) error {
	for what, id := range map[string]string{"unknown user": freshID(), "deleted user": e.deleted(ctx)} {
		put := e.newer(ctx, id, admin)
		put.Email, put.Name = freshID()+"@example.com", freshID()
		e.sessions.put(ctx, put, true, what)
		e.findsNone(ctx, put, what+" put")
		e.tick(ctx)
		e.sessions.create(ctx, issued(put, e.now(ctx)))
		e.findsNone(ctx, put, what+" put, with a session")
	}
	other := newUser()
	other.Email, other.Name = freshID()+"@example.com", freshID()
	e.sessions.signIn(ctx, other)
	e.findsNone(ctx, other, "brought by CreateSession")
	return e.err
}
