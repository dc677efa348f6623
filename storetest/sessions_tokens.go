package storetest

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// tokenRules returns the rules about TokenIssuedAt and TokensAfter.
func tokenRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"token times", "CreateSession, CheckSession and Sessions return TokenIssuedAt and TokensAfter in UTC, to the millisecond, and zero as zero", (*sessionEnv).tokenTimes},
		{"stale token", "a sign-in whose token was issued at or before TokensAfter, or at the zero time, returns ErrStaleToken and creates nothing", (*sessionEnv).staleToken},
		{"user of a stale sign-in", "a sign-in with a stale token applies a newer User, and the store remembers it for SignInWindow", (*sessionEnv).userOfStaleToken},
		{"order of refusals", "a disabled user gets ErrUserDisabled even with a stale token, and a stale token gets ErrStaleToken even over the limit and ends no session", (*sessionEnv).staleTokenOrder},
		{"later TokensAfter", "PutUser with a later TokensAfter ends the sessions of tokens issued at or before it or at the zero time, at once and for good, and no others", (*sessionEnv).laterTokensAfter},
		{"later TokensAfter at sign-in", "CreateSession with a later TokensAfter ends the sessions of tokens that it refuses, and no others", (*sessionEnv).laterAtSignIn},
		{"older TokensAfter", "the TokensAfter of a User that is not newer refuses no token and ends no session", (*sessionEnv).olderTokensAfter},
		{"TokensAfter without sessions", "the store remembers a TokensAfter from PutUser for SignInWindow, even if the user has no session", (*sessionEnv).tokensAfterWithoutSessions},
	}
}

// refusedUntil is the TokensAfter that rules give to users. It is later than
// longAgo, and not a whole second.
var refusedUntil = longAgo.Add(time.Hour + 7*time.Millisecond)

// tokensAfter returns a change of a user, which sets the user's TokensAfter to t.
func tokensAfter(t time.Time) func(*googlesession.User) {
	return func(u *googlesession.User) { u.TokensAfter = t }
}

// issued returns a new session of u with a token that was issued at this time.
func issued(u googlesession.User, at time.Time) googlesession.NewSession {
	ns := newSession(u)
	ns.TokenIssuedAt = at
	return ns
}

// refusedTokens returns the times of tokens that a user with TokensAfter
// refusedUntil refuses, keyed by which token it is.
func refusedTokens() map[string]time.Time {
	return map[string]time.Time{
		"an earlier token":     refusedUntil.Add(-time.Millisecond),
		"a token of that time": refusedUntil,
		"a token without time": {},
	}
}

func (e *sessionEnv) tokenTimes(ctx context.Context) error {
	for _, after := range []time.Time{{}, longAgo.Add(-time.Millisecond)} {
		for _, at := range []time.Time{longAgo, refusedUntil, refusedUntil.In(time.FixedZone("", 3600)), {}} {
			if at.IsZero() && !after.IsZero() {
				continue
			}
			ns := issued(next(newUser(), tokensAfter(after)), at)
			e.tokenTime(e.create(ctx, ns), ns, "CreateSession")
			e.tokenTime(e.live(ctx, e.second, ns.Ref, "fresh"), ns, "CheckSession")
			for _, s := range e.list(ctx, ns.User.ID, []googlesession.Ref{ns.Ref}, "fresh") {
				e.tokenTime(s, ns, "Sessions")
			}
		}
	}
	return e.err
}

func (e *sessionEnv) tokenTime(s googlesession.Session, ns googlesession.NewSession, call string) {
	e.expect(s.TokenIssuedAt.Equal(ns.TokenIssuedAt) && s.TokenIssuedAt.Location() == time.UTC,
		"%s: got TokenIssuedAt %v in location %v, want %v in time.UTC", call, s.TokenIssuedAt, s.TokenIssuedAt.Location(), ns.TokenIssuedAt.UTC())
	e.expect(s.User == ns.User, "%s: got User %+v, want %+v", call, s.User, ns.User)
}

func (e *sessionEnv) staleToken(ctx context.Context) error {
	before := newUser()
	u := next(before, tokensAfter(refusedUntil))
	var live []googlesession.Ref
	for _, when := range []string{"unknown user", "known user"} {
		for what, at := range refusedTokens() {
			e.refused(ctx, issued(u, at), googlesession.ErrStaleToken, when+", "+what)
			e.refused(ctx, issued(before, at), googlesession.ErrStaleToken, when+", "+what+", and a User from before")
			e.list(ctx, u.ID, live, when+", "+what)
		}
		live = append(live, e.create(ctx, issued(u, refusedUntil.Add(time.Millisecond))).Ref)
		live = append(live, e.create(ctx, issued(before, refusedUntil.Add(time.Hour))).Ref)
		e.haveUser(ctx, e.second, u, live, when+", signed in with later tokens")
	}
	other := newUser()
	refs := []googlesession.Ref{e.create(ctx, issued(other, time.Time{})).Ref, e.create(ctx, issued(other, longAgo)).Ref}
	e.haveUser(ctx, e.second, other, refs, "no TokensAfter, any token")
	return e.err
}

func (e *sessionEnv) userOfStaleToken(ctx context.Context) error {
	start := e.now(ctx)
	u := newUser()
	later := e.create(ctx, issued(u, refusedUntil.Add(time.Second)))
	newest := next(next(u, admin), tokensAfter(refusedUntil))
	e.refused(ctx, issued(newest, longAgo), googlesession.ErrStaleToken, "newer User, stale token")
	e.haveUser(ctx, e.second, newest, []googlesession.Ref{later.Ref}, "newer User at a sign-in with a stale token")
	e.put(ctx, newest, false, "known by the sign-in that was refused")

	e.revoke(ctx, later.Ref, true, "live")
	if !e.waits {
		e.until(ctx, start.Add(googlesession.SignInWindow-e.unit))
	}
	e.refused(ctx, issued(u, longAgo), googlesession.ErrStaleToken, "User from before, stale token")
	s := e.create(ctx, issued(u, refusedUntil.Add(time.Second)))
	e.expect(e.failed() || s.User == newest, "User from before: CreateSession: got User %+v, want the newest, %+v", s.User, newest)
	return e.err
}

func (e *sessionEnv) staleTokenOrder(ctx context.Context) error {
	off := next(next(newUser(), disabled), tokensAfter(refusedUntil))
	e.refused(ctx, issued(off, longAgo), googlesession.ErrUserDisabled, "disabled, stale token")
	e.refused(ctx, issued(off, longAgo), googlesession.ErrUserDisabled, "known as disabled, stale token")

	u := next(newUser(), tokensAfter(refusedUntil))
	refs := e.signIns(ctx, u, 3)
	for _, ns := range []googlesession.NewSession{limited(u, 3, nil), limited(u, 1, nil), refusing(u, 3, nil), refusing(u, 1, nil)} {
		ns.TokenIssuedAt = longAgo
		e.refused(ctx, ns, googlesession.ErrStaleToken, "over the limit, stale token")
		e.list(ctx, u.ID, refs, "over the limit, stale token")
	}
	e.admitted(ctx, refs, "over the limit, stale tokens")
	return e.err
}

// ofTokens creates sessions of u. The refused ones have the tokens of refusedTokens.
// The kept ones, which are two, have tokens issued later than refusedUntil.
func (e *sessionEnv) ofTokens(ctx context.Context, u googlesession.User) (refused, kept []googlesession.Ref) {
	for _, at := range refusedTokens() {
		refused = append(refused, e.create(ctx, issued(u, at)).Ref)
	}
	for _, more := range []time.Duration{time.Millisecond, time.Hour} {
		kept = append(kept, e.create(ctx, issued(u, refusedUntil.Add(more))).Ref)
	}
	return refused, kept
}

// tokensRefused expects the refused sessions to have ended, and the kept
// sessions to be live and to have the user u.
func (e *sessionEnv) tokensRefused(ctx context.Context, u googlesession.User, refused, kept []googlesession.Ref, when string) {
	for _, r := range refused {
		e.gone(ctx, r, when)
	}
	e.haveUser(ctx, e.first, u, kept, when)
	e.haveUser(ctx, e.second, u, kept, when)
}

func (e *sessionEnv) laterTokensAfter(ctx context.Context) error {
	u, other := newUser(), newUser()
	refused, kept := e.ofTokens(ctx, u)
	others, more := e.ofTokens(ctx, other)
	others = append(others, more...)

	u = next(u, tokensAfter(refusedUntil))
	e.put(ctx, u, true, "later TokensAfter")
	e.tokensRefused(ctx, u, refused, kept, "later TokensAfter")
	e.revoke(ctx, refused[0], false, "ended by a later TokensAfter")
	u = next(u, admin)
	e.put(ctx, u, true, "the same TokensAfter")
	e.tokensRefused(ctx, u, refused, kept, "the same TokensAfter")
	u = next(u, tokensAfter(refusedUntil.Add(time.Minute)))
	e.put(ctx, u, true, "a still later TokensAfter")
	e.tokensRefused(ctx, u, append(refused, kept[0]), kept[1:], "a still later TokensAfter")
	e.revokeUser(ctx, u.ID, nil, 1, "one token not refused")

	e.haveUser(ctx, e.second, other, others, "tokens of another user refused")
	return e.err
}

func (e *sessionEnv) laterAtSignIn(ctx context.Context) error {
	for _, at := range []time.Time{refusedUntil.Add(time.Second), longAgo} {
		u := newUser()
		refused, kept := e.ofTokens(ctx, u)
		u = next(u, tokensAfter(refusedUntil))
		when := "signed in with a later TokensAfter"
		if at.After(refusedUntil) {
			kept = append(kept, e.create(ctx, issued(u, at)).Ref)
		} else {
			e.refused(ctx, issued(u, at), googlesession.ErrStaleToken, when)
		}
		e.tokensRefused(ctx, u, refused, kept, when)
		e.put(ctx, next(u, enabled), true, "newer")
		e.tokensRefused(ctx, next(u, enabled), refused, kept, when+", and the User changed")
	}
	return e.err
}

func (e *sessionEnv) olderTokensAfter(ctx context.Context) error {
	old := newUser()
	u := next(next(old, admin), admin)
	refs := e.signIns(ctx, u, 2)
	equal := u
	equal.TokensAfter = refusedUntil
	for what, given := range map[string]googlesession.User{"older": next(old, tokensAfter(refusedUntil)), "of the same Version": equal} {
		e.put(ctx, given, false, what+" User with a TokensAfter")
		e.haveUser(ctx, e.second, u, refs, what+" User with a TokensAfter put")
		refs = append(refs, e.create(ctx, issued(given, longAgo)).Ref)
		e.haveUser(ctx, e.second, u, refs, what+" User with a TokensAfter at sign-in")
	}
	return e.err
}

func (e *sessionEnv) tokensAfterWithoutSessions(ctx context.Context) error {
	u := newUser()
	start := e.now(ctx)
	newest := next(u, tokensAfter(refusedUntil))
	e.put(ctx, newest, true, "unknown user")
	if !e.waits {
		e.until(ctx, start.Add(googlesession.SignInWindow-e.unit))
	}
	e.refused(ctx, issued(u, longAgo), googlesession.ErrStaleToken, "User from before, stale token")
	s := e.create(ctx, issued(u, refusedUntil.Add(time.Second)))
	e.expect(e.failed() || s.User == newest, "User from before: CreateSession: got User %+v, want the newest, %+v", s.User, newest)
	return e.err
}
