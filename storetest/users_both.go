package storetest

import (
	"context"
	"errors"

	"github.com/googlesession/googlesession"
)

// bothRules returns the rules for stores that are both a UserStore and a SessionStore, in
// which one call changes users and sessions.
func bothRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"sessions of a disabled user", "SetAccess with Disabled ends the user's sessions, at once and for good, and no other user's", (*userEnv).disabledUsersSessions},
		{"sessions of a deleted user", "DeleteUser ends the user's sessions, at once and for good, and no other user's", (*userEnv).deletedUsersSessions},
		{"refused change ends no session", "SetAccess and DeleteUser end no session if they return ErrLastAdmin", (*userEnv).refusedChangeEndsNothing},
		{"sign-in overtaken by disable", "a sign-in that read its user before the user was disabled returns ErrUserDisabled", (*userEnv).overtakenByDisable},
		{"sign-in overtaken by delete", "a sign-in that read its user before the deletion returns ErrUserDisabled, and does not bring the user back", (*userEnv).overtakenByDelete},
		{"access in checks", "the next check of every session returns the flags that SetAccess has set", (*userEnv).accessInChecks},
		{"profile in checks", "the next check of every session returns the profile of the latest sign-in", (*userEnv).profileInChecks},
		{"PutUser keeps access", "PutUser of the User that SetAccess or SignIn returned changes nothing, because the store knows that Version", (*userEnv).putUserKeepsAccess},
		{"new user with an old ID", "the sessions of a deleted user stay ended when the subject signs in anew, and a new session is admitted", (*userEnv).newUserOfOldID},
		{"disable during CreateSession", "once SetAccess with Disabled has returned, no CreateSession in flight makes a live session", (*userEnv).disableUserDuringSignIns},
		{"delete during CreateSession", "once DeleteUser has returned, no CreateSession in flight makes a live session", (*userEnv).deleteUserDuringSignIns},
	}
}

// signedIn signs in a new user and creates sessions of the user. It returns
// the user and the Refs of the sessions.
func (e *userEnv) signedIn(ctx context.Context, sessions int) (googlesession.User, []googlesession.Ref) {
	u := e.signIn(ctx, newIdentity())
	if e.failed() {
		return u, nil
	}
	return u, e.sessions.signIns(ctx, u, sessions)
}

// ended expects that no handle of the store admits the sessions, and that Sessions returns
// an empty list.
func (e *userEnv) ended(ctx context.Context, userID string, refs []googlesession.Ref, when string) {
	e.sessions.noneAdmitted(ctx, refs, when)
	e.sessions.list(ctx, userID, nil, when)
}

func (e *userEnv) disabledUsersSessions(ctx context.Context) error {
	_, others := e.signedIn(ctx, 2)
	u, refs := e.signedIn(ctx, 3)
	e.sessions.admitted(ctx, refs, "fresh")
	e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
	e.ended(ctx, u.ID, refs, "disabled")
	on := e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &no})
	e.ended(ctx, u.ID, refs, "disabled and enabled")
	e.sessions.admitted(ctx, []googlesession.Ref{e.sessions.signIn(ctx, on).Ref}, "signed in after the enabling")
	e.sessions.admitted(ctx, others, "another user disabled")
	return e.err
}

func (e *userEnv) deletedUsersSessions(ctx context.Context) error {
	_, others := e.signedIn(ctx, 2)
	u, refs := e.signedIn(ctx, 3)
	e.sessions.admitted(ctx, refs, "fresh")
	e.deleteUser(ctx, u.ID)
	e.ended(ctx, u.ID, refs, "deleted")
	e.sessions.admitted(ctx, others, "another user deleted")
	return e.err
}

func (e *userEnv) refusedChangeEndsNothing(ctx context.Context) error {
	u := e.onlyAdmin(ctx)
	if e.failed() {
		return e.err
	}
	refs := e.sessions.signIns(ctx, u, 2)
	for how, lose := range e.adminLosses() {
		err := lose(ctx, e.first, u.ID)
		e.expect(says(err, googlesession.ErrLastAdmin), "last administrator %s: got %v, want ErrLastAdmin", how, err)
		e.sessions.admitted(ctx, refs, "last administrator not "+how)
	}
	return e.err
}

func (e *userEnv) overtakenByDisable(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	off := e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
	for range 2 {
		e.sessions.refused(ctx, newSession(u), googlesession.ErrUserDisabled, "disabled since it was read")
	}
	e.is(ctx, off, "disabled, sign-in overtaken")
	return e.err
}

func (e *userEnv) overtakenByDelete(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.deleteUser(ctx, u.ID)
	for range 2 {
		e.sessions.refused(ctx, newSession(u), googlesession.ErrUserDisabled, "deleted since it was read")
		e.sessions.put(ctx, u, false, "deleted since it was read")
		e.absent(ctx, u.ID, "deleted, sign-in overtaken")
	}
	return e.err
}

func (e *userEnv) accessInChecks(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u, refs := e.signedIn(ctx, 2)
	for _, flag := range []*bool{&yes, &no, &yes} {
		u = e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: flag})
		e.sessions.haveUser(ctx, e.sessions.second, u, refs, "access set")
	}
	return e.err
}

func (e *userEnv) profileInChecks(ctx context.Context) error {
	u, refs := e.signedIn(ctx, 2)
	id := identity(u.ID)
	id.Name, id.Email, id.Picture = "Countess of Lovelace", "", "https://example.com/2.png"
	u = e.signIn(ctx, id)
	e.sessions.haveUser(ctx, e.sessions.second, u, refs, "signed in anew")
	return e.err
}

func (e *userEnv) putUserKeepsAccess(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u, refs := e.signedIn(ctx, 1)
	set := e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
	e.sessions.put(ctx, set, false, "User that SetAccess returned")
	e.sessions.put(ctx, u, false, "User that SignIn returned")
	e.sessions.haveUser(ctx, e.sessions.second, set, refs, "put again")
	e.is(ctx, set, "put again")
	return e.err
}

func (e *userEnv) newUserOfOldID(ctx context.Context) error {
	old, refs := e.signedIn(ctx, 2)
	e.deleteUser(ctx, old.ID)
	u := e.signIn(ctx, e.newToken(ctx, old.ID))
	e.ended(ctx, u.ID, refs, "deleted, and signed in anew")
	s := e.sessions.signIn(ctx, u)
	e.sessions.haveUser(ctx, e.sessions.second, u, []googlesession.Ref{s.Ref}, "signed in anew")
	if e.failed() {
		return e.err
	}
	// This sign-in read its user before the deletion. The store may refuse
	// it, or admit it as a sign-in of the new user.
	stale, err := e.sessions.first.CreateSession(ctx, newSession(old))
	e.expect(err != nil || stale.User == u, "sign-in of the old user: got User %+v, want %+v", stale.User, u)
	e.is(ctx, u, "signed in anew, sign-in of the old user")
	return e.err
}

func (e *userEnv) disableUserDuringSignIns(ctx context.Context) error {
	return e.duringSignIns(ctx, func(id string) error {
		_, err := e.first.SetAccess(ctx, id, googlesession.AccessChange{Disabled: &yes})
		return err
	})
}

func (e *userEnv) deleteUserDuringSignIns(ctx context.Context) error {
	return e.duringSignIns(ctx, func(id string) error { return e.first.DeleteUser(ctx, id) })
}

// duringSignIns runs the call while other goroutines create sessions of the
// user. It expects no session of the user to be live afterwards.
func (e *userEnv) duringSignIns(ctx context.Context, call func(id string) error) error {
	for range rounds {
		u, refs := e.signedIn(ctx, 1)
		for range 4 {
			refs = append(refs, newRef(u.ID))
		}
		if e.failed() {
			break
		}
		for _, err := range atOnce(5, func(i int) error {
			if i == 0 {
				return call(u.ID)
			}
			ns := newSession(u)
			ns.Ref = refs[i]
			st := e.sessions.handle(i)
			if _, err := st.CreateSession(ctx, ns); !errors.Is(err, googlesession.ErrUserDisabled) {
				return err
			}
			return nil
		}) {
			e.expect(err == nil, "during sign-ins: got %v, want <nil> or ErrUserDisabled", err)
		}
		e.ended(ctx, u.ID, refs, "sign-ins overtaken")
	}
	return e.err
}
