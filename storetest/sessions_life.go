package storetest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// lifeRules returns the rules about the fields of a session, and about how long it lives.
func lifeRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"round trip", "CreateSession, CheckSession and Sessions return the fields that were given, and times in UTC and whole milliseconds", (*sessionEnv).roundTrip},
		{"device in lists", "Sessions returns the Device of each session, and CheckSession returns an empty one", (*sessionEnv).device},
		{"longest record", "a user ID of 255 bytes, a profile of 2 KiB, data of 1 KiB, an IP of 64 bytes, a user agent of 512 bytes, a label of 100 bytes and a lifetime of 100 years come back complete", (*sessionEnv).longestRecord},
		{"newest first", "Sessions returns the newest session first, by CreatedAt, whichever was used last", (*sessionEnv).order},
		{"idle timeout", "a session is admitted until IdleTimeout after its last recorded use, and refused from that instant on", (*sessionEnv).idleTimeout},
		{"absolute timeout", "a session is admitted until MaxLifetime after its creation, however often it is used, and refused from that instant on", (*sessionEnv).absoluteTimeout},
		{"lifetime not positive", "CreateSession with a MaxLifetime or IdleTimeout of zero or less makes no live session", (*sessionEnv).noLifetime},
		{"expired sessions", "Sessions does not return an expired session, and RevokeUser does not count it", (*sessionEnv).expiredSessions},
	}
}

func (e *sessionEnv) roundTrip(ctx context.Context) error {
	ns := newSession(next(newUser(), admin))
	created := e.create(ctx, ns)
	e.asCreated(created, ns, created.CreatedAt, "CreateSession")
	e.asCreated(e.live(ctx, e.first, ns.Ref, "fresh"), ns, created.CreatedAt, "CheckSession")
	for _, s := range e.list(ctx, ns.User.ID, []googlesession.Ref{ns.Ref}, "fresh") {
		e.asCreated(s, ns, created.CreatedAt, "Sessions")
	}
	return e.err
}

// asCreated expects s to have the fields of ns, and both CreatedAt and SeenAt to be at.
func (e *sessionEnv) asCreated(s googlesession.Session, ns googlesession.NewSession, at time.Time, call string) {
	e.expect(s.Ref == ns.Ref, "%s: got Ref %v, want %v", call, s.Ref, ns.Ref)
	e.expect(s.User == ns.User, "%s: got User %+v, want %+v", call, s.User, ns.User)
	e.expect(s.CreatedAt.Equal(at), "%s: got CreatedAt %v, want %v", call, s.CreatedAt, at)
	e.expect(s.SeenAt.Equal(at), "%s: got SeenAt %v, want %v", call, s.SeenAt, at)
	e.marked(s, ns, call)
	e.timesAreRight(s, ns, call)
}

// timesAreRight expects the times of s to be in UTC and whole milliseconds.
// It expects ExpiresAt to be MaxLifetime after CreatedAt or IdleTimeout
// after SeenAt, whichever is earlier.
func (e *sessionEnv) timesAreRight(s googlesession.Session, ns googlesession.NewSession, call string) {
	for _, t := range []time.Time{s.CreatedAt, s.SeenAt, s.ExpiresAt} {
		e.expect(wellFormed(t), "%s: got time %v in location %v, want whole milliseconds in time.UTC", call, t, t.Location())
	}
	want := s.CreatedAt.Add(ns.MaxLifetime)
	if idle := s.SeenAt.Add(ns.IdleTimeout); idle.Before(want) {
		want = idle
	}
	e.expect(s.ExpiresAt.Equal(want), "%s: got ExpiresAt %v, want %v", call, s.ExpiresAt, want)
}

func (e *sessionEnv) device(ctx context.Context) error {
	u := newUser()
	devices := map[googlesession.Ref]googlesession.Device{}
	var refs []googlesession.Ref
	for _, d := range []googlesession.Device{
		{IP: "192.0.2.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)"},
		{IP: "192.0.2.7", UserAgent: `"quoted" {braced} \ 😀`},
		{IP: "fe80:0000:0000:0000:0000:0000:192.000.002.007"},
		{UserAgent: "Mozilla/5.0 (X11; Linux x86_64)"},
		{},
	} {
		ns := newSession(u)
		ns.Device = d
		devices[ns.Ref], refs = d, append(refs, ns.Ref)
		e.create(ctx, ns)
		s := e.live(ctx, e.first, ns.Ref, "fresh")
		e.expect(s.Device == googlesession.Device{}, "CheckSession: got Device %+v, want an empty one", s.Device)
	}
	for _, s := range e.list(ctx, u.ID, refs, "five devices") {
		e.expect(s.Device == devices[s.Ref], "Sessions: got Device %+v, want %+v", s.Device, devices[s.Ref])
	}
	return e.err
}

func (e *sessionEnv) longestRecord(ctx context.Context) error {
	ns := newSession(longestUser())
	ns.MaxLifetime, ns.IdleTimeout = century, century
	ns.Device, ns.Label = longestDevice(), strings.Repeat("😀", 25)
	ns.Kind, ns.PublicID = 255, newRef(ns.User.ID).PublicID()
	created := e.create(ctx, ns)
	e.asCreated(e.live(ctx, e.first, ns.Ref, "fresh"), ns, created.CreatedAt, "CheckSession")
	for _, s := range e.list(ctx, ns.User.ID, []googlesession.Ref{ns.Ref}, "fresh") {
		e.asCreated(s, ns, created.CreatedAt, "Sessions")
		e.expect(s.Device == ns.Device && s.Label == ns.Label, "Sessions: got Device %+v and Label %q, want %+v and %q", s.Device, s.Label, ns.Device, ns.Label)
	}
	return e.err
}

func longestDevice() googlesession.Device {
	return googlesession.Device{IP: strings.Repeat("f", 64), UserAgent: strings.Repeat("😀", 128)}
}

// longestUser returns a user that is as large as a user may be.
func longestUser() googlesession.User {
	u := newUser()
	u.ID += strings.Repeat("x", 255-len(u.ID))
	u.Email = strings.Repeat("é", 100) + "@example.com"
	u.Name = strings.Repeat("😀", 100)
	u.Picture = strings.Repeat("p", 2048-len(u.ID)-len(u.Email)-len(u.Name))
	u.Data = strings.Repeat("😀", 256)
	u.Version = 1<<53 - 1
	return u
}

func (e *sessionEnv) order(ctx context.Context) error {
	u := newUser()
	var want []googlesession.Ref
	for range 5 {
		want = append(want, e.signIn(ctx, u).Ref)
		e.tick(ctx)
	}
	e.touch(ctx, want[2])
	e.tick(ctx)
	e.touch(ctx, want[0])
	slices.Reverse(want)
	for i, s := range e.list(ctx, u.ID, want, "five sessions") {
		e.expect(e.failed() || s.Ref == want[i], "Sessions: got another session at index %d, want the newest first", i)
	}
	return e.err
}

func (e *sessionEnv) idleTimeout(ctx context.Context) error {
	used := func(ns googlesession.NewSession) (s googlesession.Session) {
		created := e.create(ctx, ns).CreatedAt
		e.until(ctx, created.Add(2*e.unit))
		e.within(ctx, created.Add(4*e.unit), func() { e.touch(ctx, ns.Ref) })
		e.within(ctx, created.Add(6*e.unit), func() { s = e.live(ctx, e.first, ns.Ref, "in use") })
		return s
	}
	unused := func(ns googlesession.NewSession) googlesession.Session { return e.create(ctx, ns) }
	for _, open := range []func(googlesession.NewSession) googlesession.Session{unused, used} {
		e.endsAt(ctx, func() (googlesession.Session, time.Time) {
			ns := newSession(newUser())
			ns.IdleTimeout = 4 * e.unit
			s := open(ns)
			return s, s.SeenAt.Add(ns.IdleTimeout)
		})
	}
	return e.err
}

func (e *sessionEnv) absoluteTimeout(ctx context.Context) error {
	e.endsAt(ctx, func() (googlesession.Session, time.Time) {
		ns := newSession(newUser())
		ns.MaxLifetime, ns.IdleTimeout = 8*e.unit, 4*e.unit
		s := e.create(ctx, ns)
		for _, after := range []time.Duration{2 * e.unit, 4 * e.unit, 6 * e.unit} {
			e.until(ctx, s.CreatedAt.Add(after))
			e.within(ctx, s.CreatedAt.Add(after+2*e.unit), func() { e.touch(ctx, ns.Ref) })
		}
		return s, s.CreatedAt.Add(ns.MaxLifetime)
	})
	return e.err
}

// endsAt calls open, which creates a session and returns it with the instant
// of its end. It expects the session to be admitted shortly before this end,
// and to be refused at this end.
func (e *sessionEnv) endsAt(ctx context.Context, open func() (s googlesession.Session, end time.Time)) {
	e.timed(func() {
		e.shortlyBefore(ctx, func(before time.Duration) time.Time {
			s, end := open()
			if e.failed() {
				return time.Time{}
			}
			e.until(ctx, end.Add(-before))
			e.within(ctx, end, func() {
				_, err := e.first.CheckSession(ctx, s.Ref, googlesession.NeverTouch)
				e.expect(err == nil, "at most %v before its end: CheckSession: got %v, want the session admitted", before, err)
			})
			e.until(ctx, end)
			e.noSession(ctx, e.first, s.Ref, "at its end")
			return end
		})
	})
}

func (e *sessionEnv) noLifetime(ctx context.Context) error {
	for _, d := range []time.Duration{0, -time.Hour} {
		lifetime, idle := newSession(newUser()), newSession(newUser())
		lifetime.MaxLifetime, idle.IdleTimeout = d, d
		for _, ns := range []googlesession.NewSession{lifetime, idle} {
			_, _ = e.first.CreateSession(ctx, ns) // The store may refuse the session.
			e.noSession(ctx, e.first, ns.Ref, "MaxLifetime "+ns.MaxLifetime.String()+", IdleTimeout "+ns.IdleTimeout.String())
		}
	}
	return e.err
}

func (e *sessionEnv) expiredSessions(ctx context.Context) error {
	e.timed(func() {
		u := newUser()
		live := e.signIn(ctx, u)
		lifetime, idle := newSession(u), newSession(u)
		lifetime.MaxLifetime, idle.IdleTimeout = 2*e.unit, 2*e.unit
		e.expired(ctx, []googlesession.NewSession{lifetime, idle})
		e.list(ctx, u.ID, []googlesession.Ref{live.Ref}, "two of three expired")
		e.revokeUser(ctx, u.ID, nil, 1, "two of three expired")
	})
	return e.err
}
