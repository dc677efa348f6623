package storetest

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// endedRef creates sessions with the Refs of ended sessions. A store may forget
// ended sessions and so accept such a Ref, because callers never use a Ref twice.
func (e *sessionEnv) endedRef(ctx context.Context) error {
	for how, end := range e.waysToEnd(ctx) {
		s := e.signIn(ctx, newUser())
		e.tick(ctx)
		e.touch(ctx, s.Ref)
		u := end(s)
		e.tick(ctx)
		e.createdAgain(ctx, u, s.Ref, how)
	}
	e.timed(func() {
		ns := newSession(newUser())
		ns.MaxLifetime = 4 * e.unit
		end := e.create(ctx, ns).CreatedAt.Add(ns.MaxLifetime)
		e.within(ctx, end, func() {
			e.tick(ctx)
			e.touch(ctx, ns.Ref)
		})
		e.until(ctx, end)
		e.createdAgain(ctx, ns.User, ns.Ref, "expired")
	})
	return e.err
}

// waysToEnd returns functions that end a session, keyed by how they end it. Each function
// returns the newest record of the session's user, in which the user is enabled.
func (e *sessionEnv) waysToEnd(ctx context.Context) map[string]func(googlesession.Session) googlesession.User {
	put := func(u googlesession.User, change func(*googlesession.User)) googlesession.User {
		u = next(u, change)
		e.put(ctx, u, true, "newer")
		return u
	}
	return map[string]func(googlesession.Session) googlesession.User{
		"revoked": func(s googlesession.Session) googlesession.User {
			e.revoke(ctx, s.Ref, true, "live")
			return s.User
		},
		"user revoked": func(s googlesession.Session) googlesession.User {
			e.revokeUser(ctx, s.User.ID, nil, 1, "one live")
			return s.User
		},
		"user disabled and enabled": func(s googlesession.Session) googlesession.User {
			return put(put(s.User, disabled), enabled)
		},
		"tokens refused": func(s googlesession.Session) googlesession.User {
			return put(s.User, tokensAfter(refusedUntil))
		},
		"ended to make room": func(s googlesession.Session) googlesession.User {
			e.tick(ctx)
			e.revoke(ctx, e.create(ctx, limited(s.User, 1, nil)).Ref, true, "live")
			return s.User
		},
	}
}

// createdAgain calls CreateSession with the Ref of an ended session. It expects
// ErrExists and no live session, or a new session that has nothing of the ended one.
func (e *sessionEnv) createdAgain(ctx context.Context, u googlesession.User, r googlesession.Ref, how string) {
	again := newSession(u)
	again.Ref = r
	again.MaxLifetime, again.IdleTimeout = 2*time.Hour, time.Hour
	again.Device = googlesession.Device{IP: "198.51.100.1"}
	if e.failed() {
		return
	}
	created, err := e.first.CreateSession(ctx, again)
	if err != nil {
		e.expect(says(err, googlesession.ErrExists), "%s: CreateSession with the Ref: got %v, want ErrExists or <nil>", how, err)
		e.gone(ctx, r, how+", and CreateSession refused")
		e.list(ctx, u.ID, nil, how+", and CreateSession refused")
		return
	}
	e.asCreated(created, again, created.CreatedAt, how+": CreateSession")
	e.asCreated(e.live(ctx, e.second, r, how+", created again"), again, created.CreatedAt, how+": CheckSession")
	for _, s := range e.list(ctx, u.ID, []googlesession.Ref{r}, how+", created again") {
		e.expect(s.Device == again.Device, "%s: Sessions: got Device %+v, want the new one, %+v", how, s.Device, again.Device)
	}
}
