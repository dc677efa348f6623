package storetest

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// tokensAfterRules returns the rules about RefuseTokens and TokensAfter.
func tokensAfterRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"RefuseTokens", "RefuseTokens raises TokensAfter, rounded up to whole milliseconds, and Version, also of a disabled user, and keeps all other fields", (*userEnv).refuseTokens},
		{"RefuseTokens again", "RefuseTokens with an earlier time, the same time or the zero time changes nothing, not even Version", (*userEnv).refuseTokensAgain},
		{"stale token", "SignIn with a token that was issued at or before TokensAfter, or at the zero time, returns ErrStaleToken and changes nothing", (*userEnv).staleAtSignIn},
		{"TokensAfter is kept", "SignIn and SetAccess keep TokensAfter", (*userEnv).tokensAfterKept},
		{"RefuseTokens of an unknown user", "RefuseTokens of an unknown user returns ErrNotFound and makes no user, and an earlier token makes none afterwards", (*userEnv).refuseTokensOfUnknown},
		{"RefuseTokens of a deleted user", "RefuseTokens of a deleted user returns ErrNotFound, and can refuse tokens from after the deletion", (*userEnv).refuseTokensOfDeleted},
		{"earlier tokens after delete", "no token from before the deletion brings the user back, and a newer one makes a new user, who keeps TokensAfter", (*userEnv).earlierTokensAfterDelete},
		{"delete keeps TokensAfter", "DeleteUser does not lower TokensAfter", (*userEnv).deleteKeepsTokensAfter},
		{"TokenWindow", "earlier tokens of a user who was deleted or has never signed in are refused for TokenWindow, in which User and Users do not find the user", (*userEnv).tokenWindow},
		{"delete during SignIn", "once DeleteUser has returned, no SignIn in flight with an earlier token has brought the user back", (*userEnv).deleteDuringSignIns},
		{"RefuseTokens at once", "of many calls of RefuseTokens at once the latest time counts, and no flag that is set at the same time is lost", (*userEnv).refuseTokensAtOnce},
		{"done context in RefuseTokens", "RefuseTokens with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*userEnv).doneAtRefusing},
	}
}

// refuse calls RefuseTokens, expects it to succeed, and returns the user.
func (e *userEnv) refuse(ctx context.Context, id string, t time.Time) googlesession.User {
	if e.failed() {
		return googlesession.User{}
	}
	u, err := e.first.RefuseTokens(ctx, id, t)
	e.expect(err == nil, "RefuseTokens: got error %v, want none", err)
	return u
}

// stale expects SignIn to return ErrStaleToken for a token that was issued at this time.
func (e *userEnv) stale(ctx context.Context, subject string, at time.Time, when string) {
	if e.failed() {
		return
	}
	id := identity(subject)
	id.Name, id.IssuedAt = "Stale", at
	_, err := e.second.SignIn(ctx, id)
	e.expect(says(err, googlesession.ErrStaleToken), "%s: SignIn with a token of %v: got %v, want ErrStaleToken", when, at, err)
}

// signInAt signs in with a token that was issued at this time.
func (e *userEnv) signInAt(ctx context.Context, subject string, at time.Time) googlesession.User {
	id := identity(subject)
	id.IssuedAt = at
	return e.signIn(ctx, id)
}

// listed expects User, and Users, to return exactly the record want.
func (e *userEnv) listed(ctx context.Context, want googlesession.User, when string) {
	e.is(ctx, want, when)
	users := e.all(ctx, []string{want.ID}, 100)
	e.expect(e.failed() || len(users) == 1 && users[0] == want, "%s: Users: got %+v, want %+v", when, users, want)
}

// unlisted expects that neither User nor Users finds the user.
func (e *userEnv) unlisted(ctx context.Context, id, when string) {
	e.absent(ctx, id, when)
	users := e.all(ctx, []string{id}, 100)
	e.expect(e.failed() || len(users) == 0, "%s: Users: got %+v, want no such user", when, users)
}

func (e *userEnv) refuseTokens(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	zone := time.FixedZone("", 3600)
	for _, a := range []googlesession.AccessChange{{}, {Admin: &yes}, {Disabled: &yes}, {Admin: &yes, Disabled: &yes}} {
		u := e.signIn(ctx, newIdentity())
		u = e.setAccess(ctx, u.ID, a)
		for _, r := range []struct{ given, want time.Time }{
			{refusedUntil, refusedUntil},
			{refusedUntil.Add(time.Microsecond), refusedUntil.Add(time.Millisecond)},
			{refusedUntil.Add(time.Hour).In(zone), refusedUntil.Add(time.Hour)},
			{refusedUntil.Add(24*time.Hour - 1), refusedUntil.Add(24 * time.Hour)},
		} {
			got := e.refuse(ctx, u.ID, r.given)
			want := u
			want.TokensAfter, want.Version = r.want, got.Version
			e.expect(got == want, "RefuseTokens(%v) of %+v: got %+v, want %+v", r.given, u, got, want)
			e.expect(got.Version > u.Version && got.Version < 1<<53, "RefuseTokens: got Version %d after %d", got.Version, u.Version)
			e.listed(ctx, got, "tokens refused")
			u = got
		}
	}
	return e.err
}

func (e *userEnv) refuseTokensAgain(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.expect(e.refuse(ctx, u.ID, time.Time{}) == u, "RefuseTokens with the zero time: got a change, want none")
	u = e.refuse(ctx, u.ID, refusedUntil)
	for _, t := range []time.Time{refusedUntil, refusedUntil.Add(-1), refusedUntil.Add(-time.Hour), longAgo, {}} {
		got := e.refuse(ctx, u.ID, t)
		e.expect(got == u, "RefuseTokens(%v): got %+v, want %+v unchanged", t, got, u)
		e.is(ctx, u, "tokens refused again")
	}
	return e.err
}

func (e *userEnv) staleAtSignIn(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	u = e.refuse(ctx, u.ID, refusedUntil)
	for what, at := range refusedTokens() {
		e.tick(ctx)
		e.stale(ctx, u.ID, at, what)
		e.is(ctx, u, "signed in with "+what)
	}
	later := e.signInAt(ctx, u.ID, refusedUntil.Add(time.Millisecond))
	e.expect(later.Version > u.Version, "SignIn with a later token: got Version %d, want more than %d", later.Version, u.Version)

	off := e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
	got := e.signInAt(ctx, u.ID, longAgo)
	e.expect(e.failed() || got == off, "SignIn of a disabled user with a stale token: got %+v, want %+v", got, off)
	return e.err
}

func (e *userEnv) tokensAfterKept(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.refuse(ctx, u.ID, refusedUntil)
	e.keepAnAdmin(ctx)
	for _, change := range []func() googlesession.User{
		func() googlesession.User { return e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes}) },
		func() googlesession.User { return e.signInAt(ctx, u.ID, refusedUntil.Add(time.Second)) },
		func() googlesession.User { return e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &no}) },
		func() googlesession.User { return e.signInAt(ctx, u.ID, refusedUntil.Add(time.Hour)) },
	} {
		got := change()
		e.expect(e.failed() || got.TokensAfter.Equal(refusedUntil), "after RefuseTokens: got TokensAfter %v, want %v", got.TokensAfter, refusedUntil)
		e.is(ctx, got, "changed after RefuseTokens")
	}
	return e.err
}

// refuseAbsent expects RefuseTokens to return ErrNotFound, and User and
// Users to find no such user afterwards.
func (e *userEnv) refuseAbsent(ctx context.Context, id string, t time.Time, when string) {
	if e.failed() {
		return
	}
	_, err := e.first.RefuseTokens(ctx, id, t)
	e.expect(says(err, googlesession.ErrNotFound), "%s: RefuseTokens: got %v, want ErrNotFound", when, err)
	e.unlisted(ctx, id, when+", tokens refused")
}

func (e *userEnv) refuseTokensOfUnknown(ctx context.Context) error {
	for what, id := range invalidIDs() {
		e.refuseAbsent(ctx, id, refusedUntil, what)
	}
	id := freshID()
	for _, t := range []time.Time{refusedUntil, longAgo, {}} {
		e.refuseAbsent(ctx, id, t, "unknown user")
		for what, at := range refusedTokens() {
			e.stale(ctx, id, at, "unknown user, "+what)
		}
		e.unlisted(ctx, id, "unknown user, signed in with stale tokens")
	}
	u := e.signInAt(ctx, id, refusedUntil.Add(time.Millisecond))
	want := identity(id)
	e.expect(e.failed() || u == googlesession.User{
		ID: id, Email: want.Email, Name: want.Name, Picture: want.Picture,
		Version: u.Version, TokensAfter: refusedUntil, CreatedAt: u.CreatedAt, SeenAt: u.CreatedAt,
	}, "first SignIn, with a later token: got %+v, want a new user with TokensAfter %v", u, refusedUntil)
	e.listed(ctx, u, "first sign-in, with a later token")
	return e.err
}
