package storetest

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// putRules returns the rules about PutUser in a store that is both a UserStore and a
// SessionStore.
func putRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"administrator from PutUser", "a User that only PutUser brought, also after DeleteUser, does not count as an administrator", (*userEnv).putAdmins},
		{"TokensAfter from PutUser", "the first SignIn of a user that PutUser brought takes over the later TokensAfter of PutUser's and the one that DeleteUser or RefuseTokens left", (*userEnv).putTokensAfter},
		{"disabled by PutUser", "the first SignIn of a user that PutUser brought as disabled, also after DeleteUser, makes an enabled user without rights", (*userEnv).putDisabled},
	}
}

// newer returns a User with this ID, as changed by change. Its Version is ahead
// of the store's clock, so the store has not given this Version to the user.
func (e *userEnv) newer(ctx context.Context, id string, change func(*googlesession.User)) googlesession.User {
	u := newUser()
	u.ID, u.Name, u.Version = id, "Put", e.now(ctx).UnixMilli()+1000
	change(&u)
	return u
}

// deleted signs in a new user, deletes the user and returns the ID.
func (e *userEnv) deleted(ctx context.Context) string {
	id := newIdentity()
	e.signIn(ctx, id)
	e.deleteUser(ctx, id.Subject)
	return id.Subject
}

// refusedUnknown calls RefuseTokens with the time at for a user who has
// never signed in, and returns the user's ID.
func (e *userEnv) refusedUnknown(ctx context.Context, at time.Time) string {
	id := freshID()
	e.refuseAbsent(ctx, id, at, "unknown user")
	return id
}

func (e *userEnv) putAdmins(ctx context.Context) error {
	u := e.onlyAdmin(ctx)
	for what, id := range map[string]string{"unknown user": freshID(), "deleted user": e.deleted(ctx)} {
		put := e.newer(ctx, id, admin)
		e.sessions.put(ctx, put, true, what)
		e.tick(ctx)
		e.sessions.create(ctx, issued(put, e.now(ctx)))
		for how, lose := range e.adminLosses() {
			if e.failed() {
				return e.err
			}
			err := lose(ctx, e.second, u.ID)
			e.expect(says(err, googlesession.ErrLastAdmin), "%s put as administrator, last administrator %s: got %v, want ErrLastAdmin", what, how, err)
			e.is(ctx, u, what+" put as administrator, last administrator "+how)
		}
		e.sessions.put(ctx, next(put, func(u *googlesession.User) { u.Admin = false }), true, what+", no administrator")
	}
	return e.err
}

func (e *userEnv) putTokensAfter(ctx context.Context) error {
	deleted := e.signIn(ctx, newIdentity()).ID
	before := e.now(ctx)
	e.deleteUser(ctx, deleted)
	after := e.now(ctx)
	for what, id := range map[string]string{"deleted": deleted, "unknown, tokens refused": e.refusedUnknown(ctx, before)} {
		e.sessions.put(ctx, e.newer(ctx, id, tokensAfter(refusedUntil)), true, what)
		e.stale(ctx, id, before, what+", put with an earlier TokensAfter")
		e.unlisted(ctx, id, what+", put with an earlier TokensAfter")
		first := e.signIn(ctx, e.newToken(ctx, id))
		e.expect(e.failed() || !first.TokensAfter.Before(before) && !first.TokensAfter.After(after),
			"%s, put with an earlier TokensAfter: first SignIn: got TokensAfter %v, want the remembered one, %v to %v", what, first.TokensAfter, before, after)
	}

	ahead := e.now(ctx).Add(time.Hour)
	for what, id := range map[string]string{
		"deleted": e.deleted(ctx), "unknown, tokens refused": e.refusedUnknown(ctx, before), "unknown": freshID(),
	} {
		e.sessions.put(ctx, e.newer(ctx, id, tokensAfter(ahead)), true, what)
		e.stale(ctx, id, ahead, what+", put with a later TokensAfter")
		e.unlisted(ctx, id, what+", put with a later TokensAfter")
		first := e.signInAt(ctx, id, ahead.Add(time.Millisecond))
		e.expect(e.failed() || first.TokensAfter.Equal(ahead),
			"%s, put with a later TokensAfter: first SignIn: got TokensAfter %v, want PutUser's, %v", what, first.TokensAfter, ahead)
		e.listed(ctx, first, what+", put with a later TokensAfter, then signed in")
	}
	return e.err
}

func (e *userEnv) putDisabled(ctx context.Context) error {
	for what, id := range map[string]string{"unknown user": freshID(), "deleted user": e.deleted(ctx)} {
		put := e.newer(ctx, id, disabled)
		e.sessions.put(ctx, put, true, what)
		token := e.newToken(ctx, id)
		first := e.signIn(ctx, token)
		e.expect(e.failed() || !first.Disabled && !first.Admin && first.Name == token.Name && first.Version > put.Version,
			"%s put as disabled: first SignIn: got %+v, want a new, enabled user with a Version greater than %d", what, first, put.Version)
		e.listed(ctx, first, what+" put as disabled, then signed in")
		if e.failed() {
			break
		}
		s := e.sessions.create(ctx, issued(first, token.IssuedAt))
		e.sessions.admitted(ctx, []googlesession.Ref{s.Ref}, what+" put as disabled, then signed in")
	}
	return e.err
}
