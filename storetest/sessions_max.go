package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// maxRules returns the rules about Max, RefuseOverMax and Replaces of a NewSession.
func maxRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"Max", "a sign-in ends the least recently seen sessions until Max are left, counting its own, and the next sign-in may have another Max", (*sessionEnv).maxKept},
		{"Max over the cap", "a Max of zero and a Max over the store's cap mean the cap", (*sessionEnv).maxOverCap},
		{"negative Max", "CreateSession with a negative Max returns an error that wraps ErrUnavailable, and changes nothing", (*sessionEnv).negativeMax},
		{"RefuseOverMax", "a sign-in with RefuseOverMax that is over the limit returns ErrTooManySessions, creates no session and ends none", (*sessionEnv).refusedOverMax},
		{"RefuseOverMax and expired sessions", "expired sessions do not count towards the limit of a sign-in with RefuseOverMax", (*sessionEnv).refusedAndExpired},
		{"user of a sign-in over Max", "a sign-in refused over the limit applies a newer User, which the store remembers for SignInWindow, and returns ErrUserDisabled if that User is disabled", (*sessionEnv).userOverMax},
		{"replaced session", "the session that a sign-in replaces does not count towards the limit, and is not ended", (*sessionEnv).replacedSession},
		{"nothing to replace", "a Replaces that is not live, or whose Tag is not the user's, is treated as nil", (*sessionEnv).nothingReplaced},
		{"Max during sign-ins", "many sign-ins at once keep to Max, and the session that they replace does not count", (*sessionEnv).maxDuringSignIns},
		{"RefuseOverMax during sign-ins", "of many sign-ins at once with RefuseOverMax, as many succeed as there is room for", (*sessionEnv).refusedDuringSignIns},
	}
}

// limited returns a new session of u whose Max is limit.
func limited(u googlesession.User, limit int, replaces *googlesession.Ref) googlesession.NewSession {
	ns := newSession(u)
	ns.Max, ns.Replaces = limit, replaces
	return ns
}

// refusing returns a new session of u whose Max is limit, with RefuseOverMax.
func refusing(u googlesession.User, limit int, replaces *googlesession.Ref) googlesession.NewSession {
	ns := limited(u, limit, replaces)
	ns.RefuseOverMax = true
	return ns
}

// spaced creates n sessions of u, each in a later millisecond than the one
// before, and returns their Refs.
func (e *sessionEnv) spaced(ctx context.Context, u googlesession.User, n int) []googlesession.Ref {
	var refs []googlesession.Ref
	for range n {
		refs = append(refs, e.signIn(ctx, u).Ref)
		e.tick(ctx)
	}
	return refs
}

func (e *sessionEnv) maxKept(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser-3)
	e.tick(ctx)
	refs = append(e.spaced(ctx, u, 3), refs...)
	e.touch(ctx, refs[0])
	e.tick(ctx)
	left := []googlesession.Ref{refs[2], refs[0]} // refs[0] comes last, because its use is the latest
	for _, limit := range []int{3, 3, 5, 2, 1, 0} {
		when := "a sign-in with another Max"
		left = append(left, e.create(ctx, limited(u, limit, nil)).Ref)
		if limit > 0 {
			left = left[max(0, len(left)-limit):]
		}
		e.list(ctx, u.ID, left, when)
		e.admitted(ctx, left, when)
		e.tick(ctx)
	}
	for _, r := range refs {
		e.gone(ctx, r, "least recently seen, over Max")
	}
	e.list(ctx, u.ID, append(left, e.signIns(ctx, u, 3)...), "Max 1, then no Max")
	return e.err
}

func (e *sessionEnv) maxOverCap(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser-1)
	refs = append(refs, e.create(ctx, refusing(u, e.perUser+1, nil)).Ref)
	e.list(ctx, u.ID, refs, "Max over the cap, up to the cap")
	e.refused(ctx, refusing(u, e.perUser+1, nil), googlesession.ErrTooManySessions, "Max over the cap, at the cap")
	e.refused(ctx, refusing(u, 0, nil), googlesession.ErrTooManySessions, "no Max, at the cap")
	e.list(ctx, u.ID, refs, "refused at the cap")
	for _, limit := range []int{e.perUser + 1, 1<<31 - 1, 0} {
		refs = append(refs, e.create(ctx, limited(u, limit, nil)).Ref)
		refs = e.remaining(ctx, u.ID, refs, e.perUser, "Max over the cap, one more than the cap")
	}
	return e.err
}

func (e *sessionEnv) negativeMax(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 2)
	for _, refuse := range []bool{false, true} {
		ns := limited(next(u, disabled), -1, nil)
		ns.RefuseOverMax = refuse
		_, err := e.first.CreateSession(ctx, ns)
		e.unavailable(err, "CreateSession with Max -1")
		e.noSession(ctx, e.first, ns.Ref, "Max -1")
		e.haveUser(ctx, e.first, u, refs, "after a newer User with Max -1")
		e.list(ctx, u.ID, refs, "after Max -1")
	}
	return e.err
}

func (e *sessionEnv) refusedOverMax(ctx context.Context) error {
	u := newUser()
	refs := e.spaced(ctx, u, 3)
	unchanged := func(when string) {
		e.refused(ctx, refusing(u, 3, nil), googlesession.ErrTooManySessions, when)
		e.refused(ctx, refusing(u, 1, nil), googlesession.ErrTooManySessions, when+", a lower Max")
		for _, s := range e.list(ctx, u.ID, refs, when) {
			e.expect(s.SeenAt.Equal(s.CreatedAt), "%s: Sessions: got SeenAt %v, want it unchanged, %v", when, s.SeenAt, s.CreatedAt)
		}
		e.admitted(ctx, refs, when)
	}
	unchanged("as many sessions as Max")
	e.revoke(ctx, refs[1], true, "live")
	refs = without(refs, refs[1])
	refs = append(refs, e.create(ctx, refusing(u, 3, nil)).Ref)
	unchanged("one revoked and one signed in")
	refs = append(refs, e.create(ctx, refusing(u, 4, nil)).Ref)
	unchanged("one more, with a higher Max")
	e.tick(ctx)
	r := e.create(ctx, limited(u, 4, nil)).Ref
	e.gone(ctx, refs[0], "least recently seen, over Max and nothing refused")
	e.list(ctx, u.ID, append(without(refs, refs[0]), r), "over Max and nothing refused")
	return e.err
}

func (e *sessionEnv) refusedAndExpired(ctx context.Context) error {
	var u googlesession.User
	var live googlesession.Ref
	e.timed(func() {
		u = newUser()
		live = e.signIn(ctx, u).Ref
		lifetime, idle := newSession(u), newSession(u)
		lifetime.MaxLifetime, idle.IdleTimeout = 4*e.unit, 4*e.unit
		e.expired(ctx, []googlesession.NewSession{lifetime, idle})
	})
	first := e.create(ctx, refusing(u, 3, nil)).Ref
	second := e.create(ctx, refusing(u, 3, nil)).Ref
	e.refused(ctx, refusing(u, 3, nil), googlesession.ErrTooManySessions, "three live, and two expired")
	e.list(ctx, u.ID, []googlesession.Ref{live, first, second}, "three live, and two expired")
	return e.err
}

func (e *sessionEnv) userOverMax(ctx context.Context) error {
	start := e.now(ctx)
	off, on := newUser(), newUser()
	refs := e.signIns(ctx, off, 2)
	e.refused(ctx, refusing(next(off, disabled), 1, nil), googlesession.ErrUserDisabled, "newer User, disabled, over Max")
	e.noneAdmitted(ctx, refs, "disabled by a sign-in over Max")

	e.timed(func() {
		on = newUser()
		ns := newSession(on)
		ns.MaxLifetime = 4 * e.unit
		s := e.create(ctx, ns)
		end := s.CreatedAt.Add(ns.MaxLifetime)
		e.within(ctx, end, func() {
			for _, u := range []googlesession.User{next(on, admin), on} {
				e.refused(ctx, refusing(u, 1, nil), googlesession.ErrTooManySessions, "over Max")
				e.haveUser(ctx, e.second, next(on, admin), []googlesession.Ref{s.Ref}, "a newer and an older User refused over Max")
			}
		})
		e.until(ctx, end)
	})
	e.inSignInWindow(ctx, start, "refused over Max, last session expired", off, on)
	return e.err
}

func (e *sessionEnv) replacedSession(ctx context.Context) error {
	u := newUser()
	refs := e.spaced(ctx, u, 3)
	old := refs[0] // this session is the least recently seen
	for _, bring := range []func(googlesession.User, int, *googlesession.Ref) googlesession.NewSession{refusing, limited} {
		refs = append(refs, e.create(ctx, bring(u, len(refs), &old)).Ref)
		e.list(ctx, u.ID, refs, "as many as Max without the replaced one")
		e.admitted(ctx, refs, "as many as Max without the replaced one")
		e.tick(ctx)
	}
	e.refused(ctx, refusing(u, 4, &old), googlesession.ErrTooManySessions, "Max without the replaced one")
	e.list(ctx, u.ID, refs, "refused, with one to be replaced")

	for _, limit := range []int{4, 1} {
		others := append(without(refs, old), e.create(ctx, limited(u, limit, &old)).Ref)
		refs = append(others[max(0, len(others)-limit):], old)
		e.list(ctx, u.ID, refs, "over Max, with one replaced")
		e.admitted(ctx, refs, "over Max, with one replaced")
		e.tick(ctx)
	}
	e.revoke(ctx, old, true, "replaced, and still live")
	e.list(ctx, u.ID, without(refs, old), "replaced and ended")
	return e.err
}

func (e *sessionEnv) nothingReplaced(ctx context.Context) error {
	u, other := newUser(), newUser()
	others := e.signIns(ctx, other, 2)
	revoked := e.signIn(ctx, u).Ref
	e.revoke(ctx, revoked, true, "live")
	refs := e.spaced(ctx, u, 2)
	short := newSession(u)
	short.MaxLifetime = 2 * e.unit
	e.until(ctx, e.create(ctx, short).CreatedAt.Add(short.MaxLifetime))
	for _, k := range []struct {
		what     string
		replaces googlesession.Ref
	}{
		{"an expired session", short.Ref}, // This row is first, so no sign-in of u has come after the expiry.
		{"a session, with another user's Tag", googlesession.Ref{Tag: others[0].Tag, ID: refs[1].ID}},
		{"another user's session", others[0]},
		{"another user's session, with this user's Tag", googlesession.Ref{Tag: refs[0].Tag, ID: others[0].ID}},
		{"a revoked session", revoked},
		{"an unknown session", newRef(u.ID)},
		{"the zero Ref", googlesession.Ref{}},
	} {
		e.refused(ctx, refusing(u, 2, &k.replaces), googlesession.ErrTooManySessions, "replaces "+k.what)
		e.list(ctx, u.ID, refs, "refused, replaces "+k.what)
		r := e.create(ctx, limited(u, 2, &k.replaces)).Ref
		e.gone(ctx, refs[0], "least recently seen, over Max, replaces "+k.what)
		refs = []googlesession.Ref{refs[1], r}
		e.list(ctx, u.ID, refs, "over Max, replaces "+k.what)
		e.tick(ctx)
	}
	e.list(ctx, other.ID, others, "another user's sign-ins replace")
	e.admitted(ctx, others, "another user's sign-ins replace")
	return e.err
}

func (e *sessionEnv) maxDuringSignIns(ctx context.Context) error {
	for round := range rounds {
		u := newUser()
		refs := e.signIns(ctx, u, 3)
		if e.failed() {
			break
		}
		var replaces *googlesession.Ref
		want := 3
		if round%2 == 0 {
			replaces, want = &refs[0], 4
		}
		sessions := make([]googlesession.NewSession, 4)
		for i := range sessions {
			sessions[i] = limited(u, 3, replaces)
			refs = append(refs, sessions[i].Ref)
		}
		e.all(race(len(sessions), func(i int) error {
			_, err := e.handle(i).CreateSession(ctx, sessions[i])
			return err
		}))
		left := e.remaining(ctx, u.ID, refs, want, "more than Max at once")
		e.expect(e.failed() || replaces == nil || left[0] == refs[0], "more than Max at once: the replaced session is not live")
	}
	return e.err
}

func (e *sessionEnv) refusedDuringSignIns(ctx context.Context) error {
	for round := range rounds {
		u := newUser()
		refs := e.signIns(ctx, u, 2)
		if e.failed() {
			break
		}
		var replaces *googlesession.Ref
		room := 1
		if round%2 == 0 {
			replaces, room = &refs[0], 2
		}
		sessions := make([]googlesession.NewSession, 4)
		for i := range sessions {
			sessions[i] = refusing(u, 3, replaces)
		}
		for i, err := range race(len(sessions), func(i int) error {
			_, err := e.handle(i).CreateSession(ctx, sessions[i])
			return err
		}) {
			if err == nil {
				refs = append(refs, sessions[i].Ref)
				continue
			}
			e.expect(says(err, googlesession.ErrTooManySessions), "more than Max at once: CreateSession: got %v, want ErrTooManySessions", err)
		}
		e.expect(len(refs) == 2+room, "more than Max at once: CreateSession: got %d sessions, want %d", len(refs)-2, room)
		e.list(ctx, u.ID, refs, "more than Max at once")
	}
	return e.err
}
