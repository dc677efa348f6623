package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// endRules returns the rules about revoking one session or those of a user.
func endRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"revoke one session", "RevokeSession ends the session and no other, at once and on every handle", (*sessionEnv).revokeOne},
		{"revoke again", "RevokeSession returns true if the call has ended the session, false if the session had ended before, and never an error", (*sessionEnv).revokeOnce},
		{"revoke an expired session", "RevokeSession of an expired session returns no error, and RevokeUser does not count it", (*sessionEnv).revokeExpired},
		{"use after the end", "a use of an ended session is refused and does not bring the session back", (*sessionEnv).useAfterEnd},
		{"Ref of an ended session", "CreateSession with the Ref of an ended session returns ErrExists and admits nothing, or makes a new session that has nothing of the old one", (*sessionEnv).endedRef},
		{"revoke a user", "RevokeUser ends all sessions of the user, at once and on every handle, and returns how many were live", (*sessionEnv).revokeAll},
		{"other users stay signed in", "ending the sessions of one user does not change those of another", (*sessionEnv).revokeOthers},
		{"unknown user", "for an unknown user, RevokeUser returns 0 and no error, with and without keep, and Sessions returns an empty list", (*sessionEnv).unknownUser},
		{"keep one session", "RevokeUser ends all sessions of the user except keep, and does not change that one", (*sessionEnv).keepOne},
		{"keep an ended session", "RevokeUser with a keep that is not live keeps no session and brings none back", (*sessionEnv).keepEnded},
		{"keep another user's session", "RevokeUser with a keep of another user keeps no session, and does not change the other user's", (*sessionEnv).keepForeign},
	}
}

func (e *sessionEnv) revokeOne(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 3)
	for len(refs) > 0 {
		e.live(ctx, e.second, refs[0], "fresh")
		e.revoke(ctx, refs[0], true, "live")
		e.gone(ctx, refs[0], "revoked")
		refs = refs[1:]
		e.admitted(ctx, refs, "another session of the user revoked")
		e.list(ctx, u.ID, refs, "another session of the user revoked")
	}
	return e.err
}

func (e *sessionEnv) revokeOnce(ctx context.Context) error {
	r := e.signIn(ctx, newUser()).Ref
	e.revoke(ctx, r, true, "live")
	for range 3 {
		e.revoke(ctx, r, false, "revoked")
		e.gone(ctx, r, "revoked again")
	}
	u := newUser()
	refs := e.signIns(ctx, u, 2)
	e.revokeUser(ctx, u.ID, nil, 2, "two live")
	e.revoke(ctx, refs[0], false, "ended by RevokeUser")
	e.put(ctx, next(u, disabled), true, "newer")
	e.revoke(ctx, refs[1], false, "ended by RevokeUser, and the user disabled")
	return e.err
}

func (e *sessionEnv) revokeExpired(ctx context.Context) error {
	e.timed(func() { e.revokeExpiredSessions(ctx, newUser()) })
	return e.err
}

func (e *sessionEnv) revokeExpiredSessions(ctx context.Context, u googlesession.User) {
	sessions := make([]googlesession.NewSession, 3)
	for i := range sessions {
		sessions[i] = newSession(u)
		sessions[i].MaxLifetime = 2 * e.unit
	}
	refs := e.expired(ctx, sessions)
	if e.failed() {
		return
	}
	for range 2 {
		_, err := e.first.RevokeSession(ctx, refs[0]) // RevokeSession may return true or false.
		e.expect(err == nil, "expired: RevokeSession: got error %v, want none", err)
		e.gone(ctx, refs[0], "expired, then revoked")
	}
	e.revokeUser(ctx, u.ID, &refs[1], 0, "all expired")
	e.revokeUser(ctx, u.ID, nil, 0, "all expired")
	for _, r := range refs {
		e.gone(ctx, r, "expired, then the user revoked")
	}
}

func (e *sessionEnv) useAfterEnd(ctx context.Context) error {
	for how, end := range map[string]func(googlesession.User, googlesession.Ref){
		"revoked":       func(_ googlesession.User, r googlesession.Ref) { e.revoke(ctx, r, true, "live") },
		"user revoked":  func(u googlesession.User, _ googlesession.Ref) { e.revokeUser(ctx, u.ID, nil, 1, "one live") },
		"user disabled": func(u googlesession.User, _ googlesession.Ref) { e.put(ctx, next(u, disabled), true, "newer") },
	} {
		u := newUser()
		r := e.signIn(ctx, u).Ref
		e.tick(ctx)
		e.touch(ctx, r)
		end(u, r)
		e.tick(ctx)
		for range 2 {
			for _, st := range []googlesession.SessionStore{e.first, e.second} {
				_, err := st.CheckSession(ctx, r, 0)
				e.expect(isNotAdmitted(err), "%s: CheckSession: got %v, want ErrNoSession or ErrUserDisabled", how, err)
			}
		}
		e.list(ctx, u.ID, nil, how+", then used")
		e.put(ctx, next(next(u, disabled), enabled), true, "newer")
		e.gone(ctx, r, how+", then used, and the user enabled")
	}
	return e.err
}

func (e *sessionEnv) revokeAll(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 4)
	e.revoke(ctx, refs[0], true, "live")
	e.revokeUser(ctx, u.ID, nil, 3, "three live, one revoked")
	for _, r := range refs {
		e.gone(ctx, r, "user revoked")
	}
	e.list(ctx, u.ID, nil, "user revoked")
	e.revokeUser(ctx, u.ID, nil, 0, "user revoked already")

	later := e.signIns(ctx, u, 2)
	e.admitted(ctx, later, "signed in after RevokeUser")
	for _, r := range refs {
		e.gone(ctx, r, "user revoked, and signed in again")
	}
	e.revokeUser(ctx, u.ID, nil, 2, "signed in twice after RevokeUser")
	for _, r := range later {
		e.gone(ctx, r, "user revoked again")
	}
	e.list(ctx, u.ID, nil, "user revoked again")
	return e.err
}

func (e *sessionEnv) revokeOthers(ctx context.Context) error {
	u, other := newUser(), newUser()
	refs, others := e.signIns(ctx, u, 4), e.signIns(ctx, other, 2)
	untouched := func(when string) {
		e.admitted(ctx, others, when)
		e.list(ctx, other.ID, others, when)
	}
	e.revoke(ctx, refs[0], true, "live")
	untouched("another user's session revoked")
	e.revokeUser(ctx, u.ID, &refs[1], 2, "three live")
	untouched("another user revoked except for one session")
	e.revokeUser(ctx, u.ID, nil, 1, "one live")
	untouched("another user revoked")
	e.put(ctx, next(u, disabled), true, "newer")
	untouched("another user disabled")
	return e.err
}

func (e *sessionEnv) unknownUser(ctx context.Context) error {
	id, other := freshID(), newUser()
	refs := e.signIns(ctx, other, 1)
	unknown := newRef(id)
	e.list(ctx, id, nil, "unknown user")
	e.revokeUser(ctx, id, nil, 0, "unknown user")
	e.revokeUser(ctx, id, &unknown, 0, "unknown user, keep one of the user's")
	e.revokeUser(ctx, id, &refs[0], 0, "unknown user, keep another user's")
	e.noSession(ctx, e.first, unknown, "kept, but never created")
	e.list(ctx, id, nil, "unknown user revoked")
	e.admitted(ctx, refs, "unknown user revoked")
	return e.err
}

func (e *sessionEnv) keepOne(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 4)
	keep := refs[2]
	e.tick(ctx)
	e.touch(ctx, keep)
	before := e.live(ctx, e.first, keep, "fresh")
	e.revokeUser(ctx, u.ID, &keep, 3, "four live, keep one")
	for _, r := range refs {
		if r != keep {
			e.gone(ctx, r, "user revoked, another session kept")
		}
	}
	for _, st := range []googlesession.SessionStore{e.first, e.second} {
		got := e.live(ctx, st, keep, "kept")
		e.expect(got == before, "kept: CheckSession: got %+v, want it unchanged, %+v", got, before)
	}
	e.list(ctx, u.ID, []googlesession.Ref{keep}, "one kept")
	e.revokeUser(ctx, u.ID, &keep, 0, "one live, and that one kept")
	e.admitted(ctx, []googlesession.Ref{keep}, "kept twice")
	e.revokeUser(ctx, u.ID, nil, 1, "one kept before")
	e.gone(ctx, keep, "kept once, then not")
	return e.err
}

func (e *sessionEnv) keepEnded(ctx context.Context) error {
	u := newUser()
	revoked := e.signIn(ctx, u).Ref
	e.revoke(ctx, revoked, true, "live")
	live := e.signIn(ctx, u).Ref
	short := newSession(u)
	short.MaxLifetime = 2 * e.unit
	s := e.create(ctx, short)
	e.until(ctx, s.CreatedAt.Add(short.MaxLifetime))
	for _, k := range []struct {
		what string
		keep googlesession.Ref
	}{
		{"an expired session", short.Ref},
		{"a revoked session", revoked},
		{"an unknown session", newRef(u.ID)},
		{"the zero Ref", googlesession.Ref{}},
	} {
		e.revokeUser(ctx, u.ID, &k.keep, 1, "one live, keep "+k.what)
		e.gone(ctx, live, "user revoked, keep "+k.what)
		e.gone(ctx, k.keep, "keep "+k.what)
		e.list(ctx, u.ID, nil, "user revoked, keep "+k.what)
		live = e.signIn(ctx, u).Ref
	}
	return e.err
}

func (e *sessionEnv) keepForeign(ctx context.Context) error {
	u, other := newUser(), newUser()
	refs, others := e.signIns(ctx, u, 2), e.signIns(ctx, other, 2)
	e.revokeUser(ctx, u.ID, &others[0], 2, "two live, keep another user's")
	for _, r := range refs {
		e.gone(ctx, r, "user revoked, keep another user's")
	}
	e.admitted(ctx, others, "another user revoked, keep this user's")
	e.list(ctx, other.ID, others, "another user revoked, keep this user's")
	e.revokeUser(ctx, other.ID, nil, 2, "two live")
	return e.err
}

// signIns creates n sessions of u and returns their Refs.
func (e *sessionEnv) signIns(ctx context.Context, u googlesession.User, n int) []googlesession.Ref {
	refs := make([]googlesession.Ref, n)
	for i := range refs {
		refs[i] = e.signIn(ctx, u).Ref
	}
	return refs
}

// admitted expects the sessions to be live on both handles.
func (e *sessionEnv) admitted(ctx context.Context, refs []googlesession.Ref, when string) {
	for _, r := range refs {
		e.live(ctx, e.first, r, when)
		e.live(ctx, e.second, r, when)
	}
}

// gone expects CheckSession on both handles to return ErrNoSession.
func (e *sessionEnv) gone(ctx context.Context, r googlesession.Ref, when string) {
	e.noSession(ctx, e.first, r, when)
	e.noSession(ctx, e.second, r, when)
}
