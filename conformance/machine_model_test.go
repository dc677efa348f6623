package conformance_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// A timedModel is a store's data about one user, as a sequential program with a clock. The
// machine does not ask where the contract leaves stores a choice.
type timedModel struct {
	version  int64
	disabled bool
	after    time.Time // TokensAfter
	data     string
	known    time.Time // the store remembers the version until then at least
	sessions []*timedSession
}

type timedSession struct {
	ref                       googlesession.Ref
	created, seen, ends, last time.Time // last is the absolute end
	idle                      time.Duration
	token                     time.Time // when the token was issued
	publicID                  googlesession.PublicID
	kind                      googlesession.SessionKind
	label                     string
	binding                   string
	over                      bool
}

// live reports whether a check admits the session.
func (s *timedSession) live(now time.Time) bool { return !s.over && now.Before(s.ends) }

// due reports whether a check with touchAfter records a use.
func (s *timedSession) due(now time.Time, touchAfter time.Duration) bool {
	return touchAfter != googlesession.NeverTouch && now.Sub(s.seen) >= min(touchAfter, s.idle/2)
}

func (s *timedSession) touch(now time.Time) {
	s.seen, s.ends = now, now.Add(s.idle)
	if s.ends.After(s.last) {
		s.ends = s.last
	}
}

// swap replaces the binding of a live session by next if it is old, and reports whether it is
// next at the end.
func (s *timedSession) swap(old, next string, now time.Time) bool {
	if s.live(now) && s.binding == old {
		s.binding = next
	}
	return s.live(now) && s.binding == next
}

func (m *timedModel) put(u googlesession.User) bool {
	if u.Version <= m.version {
		return false
	}
	m.version, m.disabled, m.after, m.data = u.Version, u.Disabled, u.TokensAfter, u.Data
	for _, s := range m.sessions {
		s.over = s.over || u.Disabled || m.stale(s.token)
	}
	return true
}

// stale reports whether TokensAfter refuses a token of this time.
func (m *timedModel) stale(token time.Time) bool { return !m.after.IsZero() && !token.After(m.after) }

// end ends all sessions but one.
func (m *timedModel) end(keep *timedSession) {
	for _, s := range m.sessions {
		s.over = s.over || s != keep
	}
}

// create adds a session and ends the least recently seen ones until there is room. It
// returns nil if the sign-in is refused instead.
func (m *timedModel) create(n googlesession.NewSession, now time.Time, perUser int) *timedSession {
	if n.Max > 0 {
		perUser = min(perUser, n.Max)
	}
	others := slices.DeleteFunc(slices.Clone(m.sessions), func(s *timedSession) bool {
		return !s.live(now) || n.Replaces != nil && s.ref == *n.Replaces
	})
	slices.SortFunc(others, func(a, b *timedSession) int { return a.seen.Compare(b.seen) })
	if len(others) >= perUser && n.RefuseOverMax {
		return nil
	}
	for len(others) >= perUser {
		others[0].over = true
		others = others[1:]
	}
	s := &timedSession{
		ref: n.Ref, created: now, last: now.Add(n.MaxLifetime), idle: n.IdleTimeout, token: n.TokenIssuedAt,
		publicID: storekit.PublicID(n), kind: n.Kind, label: n.Label,
	}
	s.touch(now)
	m.sessions = append(m.sessions, s)
	return s
}

// list returns the live sessions, newest first.
func (m *timedModel) list(now time.Time) []*timedSession {
	live := slices.DeleteFunc(slices.Clone(m.sessions), func(s *timedSession) bool { return !s.live(now) })
	slices.SortFunc(live, func(a, b *timedSession) int { return cmp.Compare(b.created.UnixMilli(), a.created.UnixMilli()) })
	return live
}

// remembered reports whether the store must still know the version.
func (m *timedModel) remembered(now time.Time) bool {
	return now.Before(m.known) || slices.ContainsFunc(m.sessions, func(s *timedSession) bool { return s.live(now) })
}
