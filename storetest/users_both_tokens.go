package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// bothTokenRules returns more rules for stores that are both a UserStore and
// a SessionStore. The rules are about tokens, PutUser and the last Version.
func bothTokenRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"sessions of refused tokens", "RefuseTokens ends the user's sessions of the tokens that it refuses, at once and for good, and no others, and a sign-in that read its user before returns ErrStaleToken", (*userEnv).refusedTokensSessions},
		{"delete during whole sign-ins", "once DeleteUser has returned, no sign-in in flight with an earlier token has brought the user back or makes a live session", (*userEnv).deleteDuringWholeSignIns},
		{"RefuseTokens during whole sign-ins", "once RefuseTokens has returned, no sign-in in flight with a token that it refuses makes a live session", (*userEnv).refuseDuringWholeSignIns},
		{"PutUser makes no user", "a User that PutUser brings, also after DeleteUser, is for sessions only, so no method of UserStore finds the user, and the next SignIn is the first", (*userEnv).putUserMakesNoUser},
		{"no next Version", "if the next Version would be 2^53, SignIn, SetAccess, SetData, RefuseTokens and DeleteUser return ErrUnavailable and change nothing, and the user's sessions can still be ended", (*userEnv).noNextVersion},
	}
}

func (e *userEnv) refusedTokensSessions(ctx context.Context) error {
	_, others := e.signedIn(ctx, 2)
	old := e.signIn(ctx, newIdentity())
	if e.failed() {
		return e.err
	}
	refused, kept := e.sessions.ofTokens(ctx, old)
	u := e.refuse(ctx, old.ID, refusedUntil)
	e.sessions.tokensRefused(ctx, u, refused, kept, "tokens refused")
	e.sessions.list(ctx, u.ID, kept, "tokens refused")
	for what, at := range refusedTokens() {
		e.sessions.refused(ctx, issued(old, at), googlesession.ErrStaleToken, "read before the tokens were refused, "+what)
	}
	kept = append(kept, e.sessions.create(ctx, issued(old, refusedUntil.Add(time.Second))).Ref)
	e.sessions.tokensRefused(ctx, u, refused, kept, "tokens refused, a sign-in overtaken")
	e.is(ctx, u, "tokens refused, sign-ins overtaken")
	e.sessions.admitted(ctx, others, "tokens of another user refused")

	u = e.signInAt(ctx, u.ID, refusedUntil.Add(time.Hour))
	u = e.refuse(ctx, u.ID, longAgo)
	e.sessions.tokensRefused(ctx, u, refused, kept, "earlier tokens refused")
	return e.err
}

// wholeSignIns runs the call while other goroutines sign the user in with
// one token, each with SignIn and CreateSession. It expects that afterwards
// no session of the user is live, and that the token is refused.
func (e *userEnv) wholeSignIns(ctx context.Context, call func(id googlesession.Identity) error) {
	const signIns = 4
	for range rounds {
		id := newIdentity()
		id.IssuedAt = e.now(ctx)
		u := e.signIn(ctx, id)
		if e.failed() {
			return
		}
		refs := []googlesession.Ref{e.sessions.create(ctx, issued(u, id.IssuedAt)).Ref}
		for range 2 * signIns {
			refs = append(refs, newRef(u.ID))
		}
		for _, err := range race(signIns+1, func(i int) error {
			if i == signIns {
				return call(id)
			}
			for _, r := range refs[1+2*i : 3+2*i] {
				if err := e.wholeSignIn(ctx, i, id, r); err != nil {
					return err
				}
			}
			return nil
		}) {
			e.expect(err == nil, "during sign-ins: %v", err)
		}
		e.ended(ctx, u.ID, refs, "sign-ins overtaken")
		e.stale(ctx, u.ID, id.IssuedAt, "sign-ins overtaken")
	}
}

// wholeSignIn calls SignIn and CreateSession. It returns nil if both
// succeed, or if one of them returns ErrStaleToken or ErrUserDisabled,
// because the call of wholeSignIns may have come first.
func (e *userEnv) wholeSignIn(ctx context.Context, i int, id googlesession.Identity, r googlesession.Ref) error {
	u, err := e.handle(i).SignIn(ctx, id)
	if err == nil {
		ns := issued(u, id.IssuedAt)
		ns.Ref = r
		_, err = e.sessions.handle(i).CreateSession(ctx, ns)
	}
	if err == nil || says(err, googlesession.ErrStaleToken) || says(err, googlesession.ErrUserDisabled) {
		return nil
	}
	return fmt.Errorf("sign-in: got %w, want <nil>, ErrStaleToken or ErrUserDisabled", err)
}

func (e *userEnv) deleteDuringWholeSignIns(ctx context.Context) error {
	e.wholeSignIns(ctx, func(id googlesession.Identity) error {
		if err := e.first.DeleteUser(ctx, id.Subject); err != nil {
			return err
		}
		if _, err := e.second.User(ctx, id.Subject); !says(err, googlesession.ErrNotFound) {
			return fmt.Errorf("deleted: User: got %v, want ErrNotFound", err) //nolint:errorlint // err may be nil, so the message needs %v and not %w
		}
		return nil
	})
	return e.err
}

func (e *userEnv) refuseDuringWholeSignIns(ctx context.Context) error {
	e.wholeSignIns(ctx, func(id googlesession.Identity) error {
		_, err := e.first.RefuseTokens(ctx, id.Subject, id.IssuedAt)
		return err
	})
	return e.err
}

func (e *userEnv) putUserMakesNoUser(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	deleted := e.signIn(ctx, newIdentity())
	before := e.now(ctx)
	e.deleteUser(ctx, deleted.ID)
	for what, id := range map[string]string{"unknown user": newUser().ID, "deleted user": deleted.ID} {
		u := newUser()
		u.ID, u.Admin = id, true
		u.Version = e.now(ctx).UnixMilli() + 1000
		e.sessions.put(ctx, u, true, what)
		e.unlisted(ctx, id, what+" put")
		if e.failed() {
			break
		}
		_, err := e.first.SetAccess(ctx, id, googlesession.AccessChange{Admin: &no})
		e.expect(says(err, googlesession.ErrNotFound), "%s put: SetAccess: got %v, want ErrNotFound", what, err)
		err = e.first.DeleteUser(ctx, id)
		e.expect(says(err, googlesession.ErrNotFound), "%s put: DeleteUser: got %v, want ErrNotFound", what, err)

		e.tick(ctx)
		s := e.sessions.create(ctx, issued(u, e.now(ctx)))
		e.expect(e.failed() || s.User.ID == id && s.User.Admin && s.User.Version == u.Version,
			"%s put: CreateSession: got User %+v, want the one that was put, %+v", what, s.User, u)
		e.sessions.admitted(ctx, []googlesession.Ref{s.Ref}, what+" put")
		e.unlisted(ctx, id, what+" put, with a session")

		if id == deleted.ID {
			e.stale(ctx, id, before, "deleted, then put")
			e.unlisted(ctx, id, "deleted, then put, signed in with a stale token")
		}
		first := e.signIn(ctx, e.newToken(ctx, id))
		e.expect(e.failed() || !first.Admin && !first.Disabled && first.CreatedAt.Equal(first.SeenAt) && first.Version > u.Version,
			"%s put: first SignIn: got %+v, want a new user without rights, with a Version greater than %d", what, first, u.Version)
		e.listed(ctx, first, what+" put, then signed in")
	}
	return e.err
}

func (e *userEnv) noNextVersion(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u, refs := e.signedIn(ctx, 3)
	u.Version = 1<<53 - 1
	e.sessions.put(ctx, u, true, "the last Version")
	if e.failed() {
		return e.err
	}
	before, err := e.first.User(ctx, u.ID)
	e.expect(err == nil, "the last Version: User: got error %v, want none", err)
	id := e.newToken(ctx, u.ID)
	id.Name = "New"
	for call, do := range map[string]func() error{
		"SignIn": func() error { _, err := e.first.SignIn(ctx, id); return err },
		"SetAccess": func() error {
			_, err := e.first.SetAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
			return err
		},
		"RefuseTokens": func() error { _, err := e.first.RefuseTokens(ctx, u.ID, id.IssuedAt); return err },
		"DeleteUser":   func() error { return e.first.DeleteUser(ctx, u.ID) },
		"SetData":      func() error { _, err := e.first.SetData(ctx, u.ID, "data", nil); return err },
		"promotion too": func() error {
			_, err := e.first.SetAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
			return err
		},
	} {
		e.unavailable(do(), "no next Version: "+call)
		e.is(ctx, before, "no next Version, "+call+" refused")
		e.sessions.haveUser(ctx, e.sessions.second, u, refs, "no next Version, "+call+" refused")
	}
	same := e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &no})
	e.expect(e.failed() || same == before, "no next Version: SetAccess that changes nothing: got %+v, want %+v", same, before)
	same = e.setData(ctx, u.ID, u.Data, &u.Data)
	e.expect(e.failed() || same == before, "no next Version: SetData that changes nothing: got %+v, want %+v", same, before)
	e.sessions.revoke(ctx, refs[0], true, "no next Version")
	e.sessions.revokeUser(ctx, u.ID, nil, 2, "no next Version")
	e.ended(ctx, u.ID, refs, "no next Version, ended")

	unknown := newUser()
	unknown.Version = 1<<53 - 1
	e.sessions.put(ctx, unknown, true, "unknown user, the last Version")
	if e.failed() {
		return e.err
	}
	_, err = e.first.SignIn(ctx, e.newToken(ctx, unknown.ID))
	e.unavailable(err, "no next Version: first SignIn")
	e.unlisted(ctx, unknown.ID, "no next Version, first SignIn refused")
	return e.err
}
