package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// versionRules returns the rules about the newest User of those that the store was given.
func versionRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"user versions", "PutUser applies a User if its Version is greater than the one known, and otherwise returns false and changes nothing", (*sessionEnv).userVersions},
		{"user fields", "all sessions of the user, the older ones too, return every field of the newest User", (*sessionEnv).userFields},
		{"versions are numbers", "Versions are compared as whole numbers up to 2^53-1", (*sessionEnv).versionsAreNumbers},
		{"versions of other users", "PutUser of one user changes nothing of another", (*sessionEnv).versionsOfOthers},
		{"newer user at sign-in", "CreateSession applies a newer User, for all sessions of the user", (*sessionEnv).newerAtSignIn},
		{"older user at sign-in", "CreateSession does not apply an older User, and the new session has the newest one", (*sessionEnv).olderAtSignIn},
		{"disable", "a disabled User ends all sessions of the user, at once and on every handle", (*sessionEnv).disable},
		{"enable", "enabling a user brings no session back, and a new sign-in is admitted", (*sessionEnv).enable},
		{"enabled at sign-in", "a sign-in with a newer, enabled User is admitted, and brings no session back", (*sessionEnv).enabledAtSignIn},
		{"disabled at sign-in", "a sign-in with a newer, disabled User returns ErrUserDisabled, and ends the user's sessions for good", (*sessionEnv).disabledAtSignIn},
		{"sign-in overtaken by disable", "a sign-in that read its User before the user was disabled returns ErrUserDisabled, at every attempt", (*sessionEnv).staleSignIn},
		{"user without sessions", "the store remembers a User from PutUser for SignInWindow, even if the user has no session", (*sessionEnv).userWithoutSessions},
		{"user outlives sessions", "the store remembers a User from PutUser for SignInWindow, even if the last session was revoked or has expired", (*sessionEnv).userOutlivesSessions},
	}
}

func (e *sessionEnv) userVersions(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	is := func(want googlesession.User, when string) { e.haveUser(ctx, e.second, want, refs, when) }
	other := next(u, admin)
	other.Version = u.Version
	e.put(ctx, other, false, "equal Version")
	is(u, "equal Version")
	other.Version--
	e.put(ctx, other, false, "smaller Version")
	is(u, "smaller Version")
	other.Version = 1
	e.put(ctx, other, false, "Version 1")
	is(u, "Version 1")
	other.Version = u.Version + 10
	e.put(ctx, other, true, "greater Version")
	is(other, "greater Version")
	e.put(ctx, other, false, "the same again")
	e.put(ctx, next(u, disabled), false, "greater than the first, smaller than the newest")
	is(other, "older User disabled")
	e.put(ctx, u, false, "the first again")
	is(other, "the first again")
	return e.err
}

func (e *sessionEnv) userFields(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 2)
	e.tick(ctx)
	before := e.live(ctx, e.first, refs[0], "fresh")
	for _, change := range []func(*googlesession.User){
		func(u *googlesession.User) { u.Email = "" },
		func(u *googlesession.User) { u.Email = "lovelace@example.org" },
		func(u *googlesession.User) { u.Name = `"Ada" \ 😀` },
		func(u *googlesession.User) { u.Picture = "" },
		func(u *googlesession.User) { u.Picture = "https://example.org/?a=1&b={c}" },
		admin,
		func(u *googlesession.User) { u.Admin = false },
		func(u *googlesession.User) { u.CreatedAt = u.CreatedAt.Add(-time.Hour - time.Millisecond) },
		func(u *googlesession.User) { u.SeenAt = u.SeenAt.Add(time.Millisecond) },
		func(*googlesession.User) {},
	} {
		u = next(u, change)
		e.put(ctx, u, true, "newer")
		e.haveUser(ctx, e.first, u, refs, "newer")
	}
	before.User = u
	after := e.live(ctx, e.first, refs[0], "changed only in its User")
	e.expect(after == before, "after PutUser: CheckSession: got %+v, want nothing changed but the User, %+v", after, before)
	return e.err
}

// haveUser expects Sessions to return exactly these sessions, and
// CheckSession to admit each. It expects both to return u as the User.
func (e *sessionEnv) haveUser(ctx context.Context, st googlesession.SessionStore, u googlesession.User, refs []googlesession.Ref, when string) {
	for _, r := range refs {
		got := e.live(ctx, st, r, when).User
		e.expect(got == u, "%s: CheckSession: got User %+v, want %+v", when, got, u)
	}
	for _, s := range e.list(ctx, u.ID, refs, when) {
		e.expect(s.User == u, "%s: Sessions: got User %+v, want %+v", when, s.User, u)
	}
}

func (e *sessionEnv) versionsAreNumbers(ctx context.Context) error {
	u := newUser()
	u.Version = 1
	refs := e.signIns(ctx, u, 1)
	for _, v := range []int64{
		2, 9, 10, 99, 100, 1<<31 - 1, 1 << 31, 1<<32 + 1, 1_799_999_999_999, 1_800_000_000_000,
		1<<53 - 3, 1<<53 - 2, 1<<53 - 1,
	} {
		when := fmt.Sprintf("Version %d after %d", v, u.Version)
		u.Version, u.Name = v, when
		e.put(ctx, u, true, when)
		e.haveUser(ctx, e.first, u, refs, when)
		older := u
		older.Version, older.Name = v-1, "older"
		e.put(ctx, older, false, fmt.Sprintf("Version %d after %d", v-1, v))
		e.put(ctx, u, false, fmt.Sprintf("Version %d again", v))
		e.haveUser(ctx, e.first, u, refs, when)
	}
	return e.err
}

func (e *sessionEnv) versionsOfOthers(ctx context.Context) error {
	u, other := newUser(), newUser()
	other.Version = 1
	refs := e.signIns(ctx, other, 2)
	e.put(ctx, u, true, "unknown user")
	e.haveUser(ctx, e.second, other, refs, "another user put")
	e.put(ctx, next(u, disabled), true, "newer")
	e.haveUser(ctx, e.second, other, refs, "another user disabled")
	e.refused(ctx, newSession(next(next(u, disabled), disabled)), googlesession.ErrUserDisabled, "newer and disabled")
	e.haveUser(ctx, e.second, other, refs, "sign-in of another user refused")
	other.Version = 2
	e.put(ctx, other, true, "newer, and older than another user's")
	e.haveUser(ctx, e.second, other, refs, "newer, and older than another user's")
	return e.err
}

func (e *sessionEnv) newerAtSignIn(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	for range 3 {
		u = next(u, func(u *googlesession.User) { u.Name, u.Admin = u.Name+"!", !u.Admin })
		s := e.signIn(ctx, u)
		e.expect(e.failed() || s.User == u, "newer: CreateSession: got User %+v, want %+v", s.User, u)
		refs = append(refs, s.Ref)
		e.haveUser(ctx, e.second, u, refs, "newer at sign-in")
		e.put(ctx, u, false, "known by a sign-in")
	}
	return e.err
}

func (e *sessionEnv) olderAtSignIn(ctx context.Context) error {
	old := newUser()
	refs := e.signIns(ctx, old, 1)
	u := next(next(old, admin), admin)
	e.put(ctx, u, true, "newer")
	equal := next(next(old, enabled), enabled)
	for what, given := range map[string]googlesession.User{
		"older": old, "of the same Version": equal, "older and disabled": next(old, disabled),
	} {
		s := e.signIn(ctx, given)
		e.expect(e.failed() || s.User == u, "%s: CreateSession: got User %+v, want the newest, %+v", what, s.User, u)
		refs = append(refs, s.Ref)
		e.haveUser(ctx, e.second, u, refs, what+" at sign-in")
	}
	return e.err
}

func (e *sessionEnv) disable(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 3)
	e.admitted(ctx, refs, "fresh")
	e.put(ctx, next(u, disabled), true, "newer")
	e.noneAdmitted(ctx, refs, "disabled")
	e.list(ctx, u.ID, nil, "disabled")
	e.revokeUser(ctx, u.ID, nil, 0, "disabled")
	e.revokeUser(ctx, u.ID, &refs[0], 0, "disabled")
	e.noneAdmitted(ctx, refs, "disabled, then revoked except for one")
	return e.err
}

// noneAdmitted expects that no handle admits any of the sessions.
func (e *sessionEnv) noneAdmitted(ctx context.Context, refs []googlesession.Ref, when string) {
	for _, r := range refs {
		e.notAdmitted(ctx, e.first, r, when)
		e.notAdmitted(ctx, e.second, r, when)
	}
}

func (e *sessionEnv) enable(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 3)
	for range 2 {
		u = next(u, disabled)
		e.put(ctx, u, true, "newer and disabled")
		u = next(u, enabled)
		e.put(ctx, u, true, "newer and enabled")
		for _, r := range refs {
			e.gone(ctx, r, "disabled and enabled")
		}
		e.list(ctx, u.ID, nil, "disabled and enabled")
		s := e.signIn(ctx, u)
		e.haveUser(ctx, e.second, u, []googlesession.Ref{s.Ref}, "signed in after the enabling")
		refs = append(refs, s.Ref)
	}
	return e.err
}

func (e *sessionEnv) enabledAtSignIn(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 2)
	u = next(u, disabled)
	e.put(ctx, u, true, "newer and disabled")
	u = next(u, enabled)
	s := e.signIn(ctx, u)
	e.haveUser(ctx, e.second, u, []googlesession.Ref{s.Ref}, "enabled at sign-in")
	for _, r := range refs {
		e.gone(ctx, r, "disabled, and enabled at sign-in")
	}
	return e.err
}

func (e *sessionEnv) disabledAtSignIn(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 2)
	u = next(u, disabled)
	e.refused(ctx, newSession(u), googlesession.ErrUserDisabled, "newer and disabled")
	e.noneAdmitted(ctx, refs, "a newer, disabled User at sign-in")
	e.list(ctx, u.ID, nil, "a newer, disabled User at sign-in")
	e.put(ctx, u, false, "known by the sign-in that was refused")
	e.put(ctx, next(u, enabled), true, "newer and enabled")
	for _, r := range refs {
		e.gone(ctx, r, "disabled by a sign-in, and enabled")
	}

	e.refused(ctx, newSession(next(newUser(), disabled)), googlesession.ErrUserDisabled, "unknown and disabled")
	return e.err
}

func (e *sessionEnv) staleSignIn(ctx context.Context) error {
	u := newUser()
	e.signIns(ctx, u, 1)
	off := next(u, disabled)
	off.Version += 10
	e.put(ctx, off, true, "newer and disabled")
	for range 2 {
		e.refused(ctx, newSession(u), googlesession.ErrUserDisabled, "disabled since it was read")
		e.refused(ctx, newSession(next(u, admin)), googlesession.ErrUserDisabled, "a later User, yet older than the disabled one")
		equal := u
		equal.Version = off.Version
		e.refused(ctx, newSession(equal), googlesession.ErrUserDisabled, "enabled, of the Version that is disabled")
		e.refused(ctx, newSession(off), googlesession.ErrUserDisabled, "disabled, and known")
	}
	e.list(ctx, u.ID, nil, "no sign-in succeeded")
	return e.err
}

func (e *sessionEnv) userWithoutSessions(ctx context.Context) error {
	off, on := newUser(), newUser()
	start := e.now(ctx)
	e.put(ctx, next(off, disabled), true, "unknown user")
	e.put(ctx, next(on, admin), true, "unknown user")
	e.inSignInWindow(ctx, start, "put without a session", off, on)
	return e.err
}

func (e *sessionEnv) userOutlivesSessions(ctx context.Context) error {
	for how, end := range map[string]func(googlesession.Session){
		"revoked":      func(s googlesession.Session) { e.revoke(ctx, s.Ref, true, "live") },
		"user revoked": func(s googlesession.Session) { e.revokeUser(ctx, s.User.ID, nil, 1, "one live") },
		"expired":      func(s googlesession.Session) { e.until(ctx, s.ExpiresAt) },
	} {
		off, during, before := newUser(), newUser(), newUser()
		start := e.now(ctx)
		e.put(ctx, next(before, admin), true, "unknown user")
		var sessions []googlesession.Session
		for _, u := range []googlesession.User{off, during, before} {
			ns := newSession(u)
			if how == "expired" {
				ns.MaxLifetime = 2 * e.unit
			}
			sessions = append(sessions, e.create(ctx, ns))
		}
		e.put(ctx, next(during, admin), true, "newer")
		e.put(ctx, next(off, disabled), true, "newer")
		end(sessions[1])
		end(sessions[2])
		e.inSignInWindow(ctx, start, "last session "+how, off, during, before)
	}
	return e.err
}

// inSignInWindow expects the store to know that off was disabled and that the users of
// admins were made administrators. It moves the clock to shortly before SignInWindow
// has passed since start. If the clock cannot be moved, it checks at once.
func (e *sessionEnv) inSignInWindow(ctx context.Context, start time.Time, when string, off googlesession.User, admins ...googlesession.User) {
	if !e.waits {
		e.until(ctx, start.Add(googlesession.SignInWindow-e.unit))
	}
	e.refused(ctx, newSession(off), googlesession.ErrUserDisabled, when+", disabled, stale sign-in")
	for _, u := range admins {
		s := e.signIn(ctx, u)
		e.expect(e.failed() || s.User == next(u, admin), "%s, stale sign-in: CreateSession: got User %+v, want the newest, %+v", when, s.User, next(u, admin))
	}
}
