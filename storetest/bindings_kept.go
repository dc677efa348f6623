package storetest

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// keptBindingRules returns the rules about what a swap leaves alone, and about what leaves a
// Binding alone.
func keptBindingRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"swap changes the Binding only", "SwapBinding records no use, moves no deadline, and changes no other field of a session and no other session", (*sessionEnv).swapChangesNothingElse},
		{"deadlines of bound sessions", "a session expires at its idle and its absolute deadline, however often its Binding is swapped", (*sessionEnv).boundExpires},
		{"bindings are kept", "no use, no change of the user and no change of another session changes a Binding", (*sessionEnv).bindingsAreKept},
		{"bindings are not inherited", "a new session has an empty Binding, also if it replaces a bound session or has its PublicID, and the replaced session keeps its Binding", (*sessionEnv).notInherited},
		{"sessions after bound ones", "a session that is created after bound sessions have ended has an empty Binding, also with the Ref of an ended session", (*sessionEnv).unboundAfterEnd},
	}
}

// asReturned returns the session, which is the only one of its user, as CheckSession and
// Sessions return it.
func (e *sessionEnv) asReturned(ctx context.Context, s googlesession.Session, when string) (checked, listed googlesession.Session) {
	checked = e.live(ctx, e.second, s.Ref, when)
	for _, listed = range e.list(ctx, s.User.ID, []googlesession.Ref{s.Ref}, when) {
		continue
	}
	return checked, listed
}

func (e *sessionEnv) swapChangesNothingElse(ctx context.Context) error {
	ns := newSession(newUser())
	ns.Label, ns.Kind, ns.PublicID = "Ada's laptop", googlesession.KindIssued, newRef("").PublicID()
	s, other := e.create(ctx, ns), e.signIn(ctx, newUser())
	otherChecked, otherListed := e.asReturned(ctx, other, "another user's")
	checked, listed := e.asReturned(ctx, s, "not bound")
	e.tick(ctx)
	old := ""
	for _, next := range []string{newBinding(), newBinding(), "", newBinding()} {
		e.swapOn(ctx, e.first, s.Ref, old, next, true, "a moment later")
		e.swapOn(ctx, e.first, s.Ref, old, next, true, "repeated")
		e.swapOn(ctx, e.first, s.Ref, "\x02", "\x03", false, "old differs")
		checked.Binding, listed.Binding = next, next
		gotChecked, gotListed := e.asReturned(ctx, s, "swapped")
		e.expect(gotChecked == checked, "swapped: CheckSession: got %+v, want %+v", gotChecked, checked)
		e.expect(gotListed == listed, "swapped: Sessions: got %+v, want %+v", gotListed, listed)
		old = next
	}
	gotChecked, gotListed := e.asReturned(ctx, other, "another user's, one swapped")
	e.expect(gotChecked == otherChecked && gotListed == otherListed, "swapped: the session of another user has changed: got %+v, want %+v", gotListed, otherListed)
	return e.err
}

func (e *sessionEnv) boundExpires(ctx context.Context) error {
	for what, limit := range map[string]func(*googlesession.NewSession){
		"idle":     func(ns *googlesession.NewSession) { ns.IdleTimeout = 4 * e.unit },
		"absolute": func(ns *googlesession.NewSession) { ns.MaxLifetime = 4 * e.unit },
	} {
		e.timed(func() {
			ns := newSession(newUser())
			limit(&ns)
			s := e.create(ctx, ns)
			binding := newBinding()
			e.within(ctx, s.ExpiresAt, func() { e.swapOn(ctx, e.first, s.Ref, "", binding, true, "new") })
			e.until(ctx, s.CreatedAt.Add(2*e.unit))
			e.within(ctx, s.ExpiresAt, func() { e.swapOn(ctx, e.second, s.Ref, binding, newBinding(), true, "half of the time over") })
			e.until(ctx, s.ExpiresAt)
			e.gone(ctx, s.Ref, "swapped before the "+what+" deadline")
			e.list(ctx, ns.User.ID, nil, "swapped before the "+what+" deadline")
		})
	}
	return e.err
}

func (e *sessionEnv) bindingsAreKept(ctx context.Context) error {
	u := newUser()
	s, other, plain := e.signIn(ctx, u), e.signIn(ctx, u), e.signIn(ctx, u)
	stranger := e.signIn(ctx, newUser())
	binding, first, second := newBinding(), newBinding(), newBinding()
	e.swap(ctx, s, "", binding, "not bound")
	e.swap(ctx, other, "", first, "another session")
	e.swap(ctx, other, first, second, "another session")
	e.swap(ctx, stranger, "", first, "another user's session")
	e.bound(ctx, s, binding, "other sessions bound")
	for i := range 3 {
		e.tick(ctx)
		e.use(ctx, e.handle(i), s.Ref, 0, "in use")
		e.bound(ctx, s, binding, "used")
	}
	u = next(u, admin)
	e.put(ctx, u, true, "newer")
	e.bound(ctx, s, binding, "user changed")
	u = next(u, tokensAfter(longAgo.Add(-time.Second)))
	newer := e.create(ctx, issued(u, longAgo))
	e.bound(ctx, s, binding, "another session created, with a later TokensAfter")
	e.swap(ctx, newer, "", newBinding(), "the newer session")
	e.bound(ctx, s, binding, "the newer session bound")
	e.revoke(ctx, other.Ref, true, "live")
	e.bound(ctx, s, binding, "another bound session revoked")
	e.revokeUser(ctx, u.ID, &s.Ref, 2, "three live")
	e.bound(ctx, s, binding, "kept")
	e.gone(ctx, plain.Ref, "not kept")
	e.bound(ctx, stranger, first, "another user's sessions revoked")
	return e.err
}

func (e *sessionEnv) notInherited(ctx context.Context) error {
	u := newUser()
	s := e.signIn(ctx, u)
	binding := newBinding()
	e.swap(ctx, s, "", binding, "not bound")
	again := limited(u, 1, &s.Ref) // as a re-authentication makes it
	again.PublicID = s.PublicID
	for when, ns := range map[string]googlesession.NewSession{
		"another session of the user":       newSession(u),
		"another user's session":            newSession(newUser()),
		"a session that replaces the bound": again,
	} {
		created := e.create(ctx, ns)
		e.bindingIs(created, "", when+": CreateSession")
		e.bound(ctx, created, "", when)
		e.bound(ctx, s, binding, when+" was created")
		e.revoke(ctx, ns.Ref, true, when)
	}
	again.Ref = newRef(u.ID)
	replacing := e.create(ctx, again)
	e.revoke(ctx, s.Ref, true, "replaced")
	e.bound(ctx, replacing, "", "the replaced session revoked")
	return e.err
}

func (e *sessionEnv) unboundAfterEnd(ctx context.Context) error {
	for how, end := range e.waysToEnd(ctx) {
		s := e.signIn(ctx, newUser())
		e.swap(ctx, s, "", newBinding(), "not bound")
		e.unboundAgain(ctx, end(s), s.Ref, how)
	}
	e.timed(func() {
		ns := newSession(newUser())
		ns.MaxLifetime = 4 * e.unit
		s := e.create(ctx, ns)
		e.within(ctx, s.ExpiresAt, func() { e.swap(ctx, s, "", newBinding(), "not bound") })
		e.until(ctx, s.ExpiresAt)
		e.unboundAgain(ctx, ns.User, ns.Ref, "expired")
	})
	return e.err
}

// unboundAgain creates sessions after the bound session r has ended, at last one with the same
// Ref, and expects them to be unbound.
func (e *sessionEnv) unboundAgain(ctx context.Context, u googlesession.User, r googlesession.Ref, how string) {
	for range 3 {
		s := e.signIn(ctx, u)
		e.bindingIs(s, "", how+", then another one created: CreateSession")
		e.bound(ctx, s, "", how+", then another one created")
	}
	if e.failed() {
		return
	}
	again := newSession(u)
	again.Ref = r
	s, err := e.first.CreateSession(ctx, again)
	if err != nil {
		e.expect(says(err, googlesession.ErrExists), "%s: CreateSession with the Ref: got %v, want ErrExists or <nil>", how, err)
		return
	}
	e.bindingIs(s, "", how+": CreateSession with the Ref")
	e.bound(ctx, s, "", how+", and created again")
}
