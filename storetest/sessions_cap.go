package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// capRules returns the rules about the store's cap of sessions per user.
func capRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"cap", "a user has as many sessions as the cap allows, and each further sign-in ends exactly one of them and is live itself", (*sessionEnv).capKept},
		{"cap ends the least recently seen", "a sign-in at the cap ends the least recently seen session, not the one created first", (*sessionEnv).capGoesByUse},
		{"cap and expired sessions", "expired sessions do not count towards the cap, and no live session ends while there is an expired one", (*sessionEnv).capAndExpired},
		{"cap and revoked sessions", "revoked sessions do not count towards the cap", (*sessionEnv).capAndEnded},
		{"cap of each user", "the sessions of one user do not count towards the cap of another", (*sessionEnv).capOfEachUser},
		{"refused sign-in at the cap", "a sign-in that is refused ends no session to make room", (*sessionEnv).refusedAtCap},
	}
}

func (e *sessionEnv) capKept(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser)
	e.list(ctx, u.ID, refs, "as many sessions as the cap")
	for range 3 { // the sign-ins may come in the same millisecond
		r := e.signIn(ctx, u).Ref
		e.admitted(ctx, []googlesession.Ref{r}, "one more than the cap")
		refs = e.remaining(ctx, u.ID, append(refs, r), e.perUser, "one more than the cap")
	}
	e.revokeUser(ctx, u.ID, nil, e.perUser, "at the cap")
	return e.err
}

// remaining expects n of the sessions to be live and the others to have
// ended. It returns the Refs of the live sessions.
func (e *sessionEnv) remaining(ctx context.Context, userID string, refs []googlesession.Ref, n int, when string) []googlesession.Ref {
	if e.failed() {
		return nil
	}
	listed, err := e.first.Sessions(ctx, userID)
	e.expect(err == nil && len(listed) == n, "%s: Sessions: got %d, %v, want %d, <nil>", when, len(listed), err, n)
	live := map[googlesession.Ref]bool{}
	for _, s := range listed {
		live[s.Ref] = true
	}
	var left []googlesession.Ref
	for _, r := range refs {
		if live[r] {
			left = append(left, r)
			e.live(ctx, e.second, r, when+", listed")
		} else {
			e.noSession(ctx, e.second, r, when+", not listed")
		}
	}
	e.expect(len(left) == len(listed), "%s: Sessions: got %d sessions that the test did not create", when, len(listed)-len(left))
	return left
}

func (e *sessionEnv) capGoesByUse(ctx context.Context) error {
	u := newUser()
	var refs []googlesession.Ref
	for range 4 {
		refs = append(refs, e.signIn(ctx, u).Ref)
		e.tick(ctx)
	}
	refs = append(refs, e.signIns(ctx, u, e.perUser-len(refs))...)
	e.tick(ctx)
	e.use(ctx, e.second, refs[2], 0, "in use")
	e.tick(ctx)
	e.touch(ctx, refs[0])

	for _, least := range []googlesession.Ref{refs[1], refs[3]} {
		e.live(ctx, e.first, least, "at the cap")
		e.tick(ctx)
		refs = append(refs, e.signIn(ctx, u).Ref)
		e.gone(ctx, least, "least recently seen, one more than the cap")
		refs = without(refs, least)
		e.list(ctx, u.ID, refs, "one more than the cap")
	}
	return e.err
}

func without(refs []googlesession.Ref, out googlesession.Ref) []googlesession.Ref {
	var left []googlesession.Ref
	for _, r := range refs {
		if r != out {
			left = append(left, r)
		}
	}
	return left
}

func (e *sessionEnv) capAndExpired(ctx context.Context) error {
	var u googlesession.User
	var refs []googlesession.Ref
	e.timed(func() {
		u = newUser()
		refs = e.signIns(ctx, u, 1)
		e.tick(ctx)
		refs = append(refs, e.signIns(ctx, u, e.perUser-3)...)
		e.tick(ctx)
		lifetime, idle := newSession(u), newSession(u) // These two are created last, so they are the most recently seen.
		lifetime.MaxLifetime, idle.IdleTimeout = 2*e.unit, 2*e.unit
		e.expired(ctx, []googlesession.NewSession{lifetime, idle})
	})

	for range 2 {
		refs = append(refs, e.signIn(ctx, u).Ref)
		e.list(ctx, u.ID, refs, "an expired one made room")
		e.admitted(ctx, refs[:1], "an expired one made room")
	}
	refs = append(refs, e.signIn(ctx, u).Ref)
	e.gone(ctx, refs[0], "least recently seen, and no session expired any more")
	e.list(ctx, u.ID, refs[1:], "one more than the cap")
	return e.err
}

func (e *sessionEnv) capAndEnded(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser)
	e.revoke(ctx, refs[2], true, "live")
	e.revoke(ctx, refs[4], true, "live")
	refs = without(without(refs, refs[2]), refs[4])
	refs = append(refs, e.signIns(ctx, u, 2)...)
	e.list(ctx, u.ID, refs, "two revoked, two signed in")
	e.revokeUser(ctx, u.ID, &refs[0], e.perUser-1, "at the cap")
	refs = append(refs[:1], e.signIns(ctx, u, e.perUser-1)...)
	e.list(ctx, u.ID, refs, "all but one revoked, and signed in up to the cap")
	return e.err
}

func (e *sessionEnv) capOfEachUser(ctx context.Context) error {
	u, other := newUser(), newUser()
	others := e.signIns(ctx, other, e.perUser)
	e.tick(ctx)
	refs := e.signIns(ctx, u, e.perUser)
	e.list(ctx, u.ID, refs, "two users at the cap")
	e.list(ctx, other.ID, others, "two users at the cap")
	refs = append(refs, e.signIn(ctx, u).Ref)
	e.remaining(ctx, u.ID, refs, e.perUser, "one more than the cap")
	e.list(ctx, other.ID, others, "another user one over the cap")
	return e.err
}

func (e *sessionEnv) refusedAtCap(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser)
	inUse := newSession(u)
	inUse.Ref = refs[e.perUser/2]
	_, err := e.first.CreateSession(ctx, inUse)
	e.expect(err != nil, "Ref in use: CreateSession: got no error, want ErrExists or one that wraps ErrUnavailable")
	e.list(ctx, u.ID, refs, "Ref in use, at the cap")

	foreign := newSession(u)
	foreign.Ref.Tag[0] ^= 0x80
	_, err = e.first.CreateSession(ctx, foreign)
	e.unavailable(err, "Ref of another user: CreateSession")
	e.list(ctx, u.ID, refs, "Ref of another user, at the cap")
	return e.err
}
