package storetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/googlesession/googlesession"
)

// endedBindingRules returns the rules about SwapBinding of a session that is not live, and about
// its errors.
func endedBindingRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"swap of an unknown Ref", "SwapBinding of a Ref that was never created returns ErrNoSession and creates nothing", (*sessionEnv).swapUnknown},
		{"swap with another user's tag", "SwapBinding with a Ref whose Tag is not the tag of the session's user returns ErrNoSession and changes nothing", (*sessionEnv).swapForeign},
		{"swap of an ended session", "SwapBinding of a session that has ended returns ErrNoSession, and never brings the session back", (*sessionEnv).swapEnded},
		{"swap of an expired session", "SwapBinding of a session that has expired returns ErrNoSession, and never brings the session back", (*sessionEnv).swapExpired},
		{"swap of a disabled user's session", "SwapBinding of the session of a disabled user returns ErrNoSession or ErrUserDisabled, and never brings the session back", (*sessionEnv).swapDisabled},
		{"swap with a done context", "a SwapBinding that begins with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*sessionEnv).swapDone},
		{"errors hold no binding", "the text of an error of SwapBinding holds no Binding and no Ref of the call", (*sessionEnv).errorsHoldNoBinding},
	}
}

// notFound expects SwapBinding to return ErrNoSession, on both handles.
func (e *sessionEnv) notFound(ctx context.Context, r googlesession.Ref, old, next, when string) {
	for _, st := range []googlesession.SessionStore{e.first, e.second} {
		if e.failed() {
			return
		}
		swapped, err := swapBinding(ctx, st, r, old, next)
		e.expect(!swapped && says(err, googlesession.ErrNoSession), "%s: SwapBinding: got %v, %v, want false, ErrNoSession", when, swapped, err)
	}
}

func (e *sessionEnv) swapUnknown(ctx context.Context) error {
	u := newUser()
	s := e.signIn(ctx, u)
	binding := newBinding()
	e.swap(ctx, s, "", binding, "not bound")
	ofUser, ofUnknown := newSession(u), newSession(newUser())
	for what, r := range map[string]googlesession.Ref{"zero Ref": {}, "unknown Ref of the user": ofUser.Ref, "Ref of an unknown user": ofUnknown.Ref} {
		for _, old := range []string{"", binding} {
			e.notFound(ctx, r, old, newBinding(), what)
			e.notFound(ctx, r, old, old, what+", old and next are equal")
		}
		e.gone(ctx, r, what+", swapped")
		e.revoke(ctx, r, false, what+", swapped")
	}
	e.list(ctx, u.ID, []googlesession.Ref{s.Ref}, "unknown Refs swapped")
	e.list(ctx, ofUnknown.User.ID, nil, "unknown Refs swapped")
	for what, ns := range map[string]googlesession.NewSession{"Ref of the user": ofUser, "Ref of an unknown user": ofUnknown} {
		e.bound(ctx, e.create(ctx, ns), "", what+", swapped before it was created")
	}
	e.bound(ctx, s, binding, "unknown Refs swapped")
	return e.err
}

func (e *sessionEnv) swapForeign(ctx context.Context) error {
	other := e.signIn(ctx, newUser())
	s := e.signIn(ctx, newUser())
	binding := newBinding()
	for _, has := range []string{"", binding} {
		if has != "" {
			e.swap(ctx, s, "", has, "not bound")
		}
		for what, tag := range map[string][12]byte{
			"another user's tag":  other.Ref.Tag,
			"unknown user's tag":  newRef(freshID()).Tag,
			"zero tag":            {},
			"last bit of the tag": lastBit(s.Ref.Tag),
		} {
			e.notFound(ctx, googlesession.Ref{Tag: tag, ID: s.Ref.ID}, has, newBinding(), what)
			e.notFound(ctx, googlesession.Ref{Tag: tag, ID: s.Ref.ID}, has, has, what+", old and next are equal")
			e.bound(ctx, s, has, what)
		}
	}
	e.bound(ctx, other, "", "its tag was used with another session's ID")
	return e.err
}

// lastBit returns the tag with another last bit.
func lastBit(tag [12]byte) [12]byte {
	tag[11] ^= 1
	return tag
}

func (e *sessionEnv) swapEnded(ctx context.Context) error {
	for how, end := range e.waysToEnd(ctx) {
		for _, has := range []string{"", newBinding()} {
			s := e.signIn(ctx, newUser())
			e.swap(ctx, s, "", has, "live")
			u := end(s)
			e.stayEnded(ctx, s, has, how)
			e.revoke(ctx, s.Ref, false, how+", and swapped")
			e.list(ctx, u.ID, nil, how+", and swapped")
			e.bound(ctx, e.signIn(ctx, u), "", how+", swapped, and the user signed in again")
		}
	}
	return e.err
}

// stayEnded expects no SwapBinding to find the session or to bring it back. has is
// the Binding that it had.
func (e *sessionEnv) stayEnded(ctx context.Context, s googlesession.Session, has, how string) {
	e.notFound(ctx, s.Ref, has, newBinding(), how)
	e.notFound(ctx, s.Ref, has, has, how+", old and next are equal")
	e.notFound(ctx, s.Ref, "", newBinding(), how+", old is empty")
	e.notFound(ctx, s.Ref, newBinding(), has, how+", next is the last Binding")
	e.notFound(ctx, s.Ref, newBinding(), newBinding(), how+", old differs")
	e.gone(ctx, s.Ref, how+", and swapped")
}

func (e *sessionEnv) swapExpired(ctx context.Context) error {
	e.timed(func() {
		u := newUser()
		idle, absolute := newSession(u), newSession(u)
		idle.IdleTimeout, absolute.MaxLifetime = 4*e.unit, 4*e.unit
		unbound, bound := e.create(ctx, idle), e.create(ctx, absolute)
		binding := newBinding()
		e.within(ctx, unbound.ExpiresAt, func() { e.swap(ctx, bound, "", binding, "live") })
		e.until(ctx, bound.ExpiresAt)
		e.stayEnded(ctx, bound, binding, "past the absolute deadline")
		e.stayEnded(ctx, unbound, "", "past the idle deadline")
		e.revokeUser(ctx, u.ID, nil, 0, "expired, and swapped")
		e.list(ctx, u.ID, nil, "expired, and swapped")
	})
	return e.err
}

func (e *sessionEnv) swapDisabled(ctx context.Context) error {
	for _, has := range []string{"", newBinding()} {
		u := newUser()
		s := e.signIn(ctx, u)
		e.swap(ctx, s, "", has, "live")
		u = next(u, disabled)
		e.put(ctx, u, true, "newer")
		for _, old := range []string{"", has, newBinding()} {
			for _, next := range []string{has, newBinding()} {
				if e.failed() {
					return e.err
				}
				swapped, err := swapBinding(ctx, e.second, s.Ref, old, next)
				e.expect(!swapped && isNotAdmitted(err), "user disabled: SwapBinding: got %v, %v, want false, and ErrNoSession or ErrUserDisabled", swapped, err)
			}
		}
		e.noneAdmitted(ctx, []googlesession.Ref{s.Ref}, "user disabled, and swapped")
		e.put(ctx, next(u, enabled), true, "newer")
		e.stayEnded(ctx, s, has, "user disabled and enabled")
		e.list(ctx, u.ID, nil, "user disabled and enabled")
	}
	return e.err
}

func (e *sessionEnv) swapDone(ctx context.Context) error {
	unbound, bound := e.signIn(ctx, newUser()), e.signIn(ctx, newUser())
	binding := newBinding()
	e.swap(ctx, bound, "", binding, "not bound")
	doneContexts(ctx, func(done context.Context, cause error) {
		_, err := swapBinding(done, e.first, unbound.Ref, "", newBinding())
		e.interrupted(err, cause, "SwapBinding of an unbound session")
		_, err = swapBinding(done, e.second, bound.Ref, binding, newBinding())
		e.interrupted(err, cause, "SwapBinding of a bound session")
		_, err = swapBinding(done, e.first, bound.Ref, "", binding)
		e.interrupted(err, cause, "SwapBinding of a session that is bound to next")
		e.bound(ctx, unbound, "", "SwapBinding with a done context")
		e.bound(ctx, bound, binding, "SwapBinding with a done context")
	})
	return e.err
}

func (e *sessionEnv) errorsHoldNoBinding(ctx context.Context) error {
	u := newUser()
	s := e.signIn(ctx, u)
	old, other, long := "old-"+freshID(), "next-"+freshID(), strings.Repeat(freshID(), 3)
	e.swap(ctx, s, "", old, "not bound")
	foreign := googlesession.Ref{Tag: lastBit(s.Ref.Tag), ID: s.Ref.ID}
	call := func(ctx context.Context, r googlesession.Ref, old, next, when string) {
		if e.failed() {
			return
		}
		_, err := swapBinding(ctx, e.first, r, old, next)
		e.expect(err != nil, "%s: SwapBinding: got no error, want one", when)
		m := secretsOf(googlesession.User{}, googlesession.Device{}, r)
		for what, binding := range map[string]string{"old": old, "next": next, "Binding": s.Binding} {
			m[what], m[what+" in hexadecimal"] = binding, hex.EncodeToString([]byte(binding))
			m[what+" in base64"] = base64.RawStdEncoding.EncodeToString([]byte(binding))
		}
		e.clean(err, m, when+": SwapBinding")
	}
	s.Binding = old
	call(ctx, newRef(u.ID), old, other, "unknown Ref")
	call(ctx, foreign, old, other, "another user's tag")
	call(ctx, s.Ref, old, long, "next is too long")
	call(ctx, s.Ref, long, other, "old is too long")
	doneContexts(ctx, func(done context.Context, _ error) { call(done, s.Ref, old, other, "done context") })
	e.put(ctx, next(u, disabled), true, "newer")
	call(ctx, s.Ref, old, other, "user disabled")
	return e.err
}
