package conformance_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// pick returns one of the three latest sessions, or nil before the first.
func (m *machine) pick(n int) *timedSession {
	if len(m.model.sessions) == 0 {
		return nil
	}
	return m.model.sessions[max(0, len(m.model.sessions)-1-n%3)]
}

// duration returns the time until a deadline of the session, or one millisecond less or
// more.
func (m *machine) duration(s *timedSession, n int) time.Duration {
	boundaries := []time.Duration{
		s.seen.Add(machineTouch).Sub(m.now()), s.seen.Add(s.idle / 2).Sub(m.now()), s.ends.Sub(m.now()), s.last.Sub(m.now()),
		machineTouch, machineIdle, machineIdle - machineTouch,
	}
	return max(time.Millisecond, boundaries[n%len(boundaries)]+time.Duration(n/len(boundaries)%3-1)*time.Millisecond)
}

// newUser returns a user record. It is newer than the store's or, if the store has to
// remember that one, sometimes as old or older. One in three is disabled. One in six
// refuses more tokens than before.
func (m *machine) newUser(a action) googlesession.User {
	n, version := a.other, m.model.version+1
	if n/2%4 == 0 && version > 2 && m.model.remembered(m.now()) {
		version -= 1 + int64(n%2)
	}
	now := m.now()
	after := m.model.after
	if s := m.pick(n); s != nil && !s.token.IsZero() && a.token%6 == 0 {
		later := []time.Time{s.token, s.token.Add(-time.Millisecond), now, now.Add(time.Second)}[a.token/6%4]
		if later = later.Truncate(time.Millisecond).UTC(); later.After(after) {
			after = later
		}
	}
	return googlesession.User{
		ID: m.user, Email: "m@example.com", Version: version, Disabled: n/8%3 == 0, TokensAfter: after, CreatedAt: now, SeenAt: now,
		Data: []string{"", "data " + fmt.Sprint(version), strings.Repeat("d", 1024)}[a.pick%3],
	}
}

// mark gives the new session a kind, a label and a PublicID, in every combination. One in
// three takes over the PublicID of s, as a re-authentication does.
func mark(n *googlesession.NewSession, s *timedSession, a action) {
	n.Kind = []googlesession.SessionKind{googlesession.KindCookie, googlesession.KindBearer, 200}[a.pick%3]
	n.Label = []string{"", "a", "\x1e\t\x7f k1"}[a.other%3]
	switch {
	case a.token%3 == 0 && s != nil:
		n.PublicID = s.publicID
	case a.token%3 == 1:
		n.PublicID = n.Ref.PublicID()
	}
}

// tokenTime returns when a token was issued. That is mostly a moment ago. Sometimes it is
// zero, the last time that is refused, or the first that is not.
func (m *machine) tokenTime(a action) time.Time {
	first := m.model.after.Add(time.Millisecond)
	switch at := m.now().Truncate(time.Millisecond).UTC(); {
	case a.token%10 == 1:
		return time.Time{}
	case a.token%10 == 2 && !m.model.after.IsZero():
		return m.model.after
	case a.token%10 == 3 && !m.model.after.IsZero():
		return first
	default:
		return at.Add(-time.Duration(a.token%10-5) * time.Second)
	}
}
