package storetest_test

import (
	"slices"

	"github.com/googlesession/googlesession"
)

// This file has what ends sessions, a User and a revocation, and the decisions that they need.

// apply stores u if it is newer, and ends the sessions that u does not admit.
func (s *naive) apply(u googlesession.User, atSignIn bool) bool {
	key := s.key(u.ID)
	known, ok := s.users[key]
	if ok && !s.newer(u, known) {
		s.applyOldTokensAfter(u)
		return false
	}
	if ok {
		s.pause("PutUser reads first")
		s.pause("PutUser answers from its first read")
		known = s.users[key]
	}
	if s.has("PutUser answers from its first read") && !s.newer(u, known) {
		return true
	}
	if s.has("PutUser takes flags only") && ok {
		known.Admin, known.Disabled, known.Version = u.Admin, u.Disabled, u.Version
		u = known
	}
	u.Data = s.userData(u.Data, known, ok, atSignIn)
	s.users[key] = u
	s.changeSessions(key, atSignIn)
	if u.Disabled && !s.has("disable keeps sessions") && !s.has("enabling revives") {
		s.end(key, nil)
	}
	s.refuseTokens(key, known.TokensAfter, u.TokensAfter, atSignIn)
	return true
}

// changeSessions does to the sessions of a user what a newer User does in a store with a bug.
func (s *naive) changeSessions(owner string, atSignIn bool) {
	sessions := s.of(owner)
	if s.has("PutUser writes the Bindings back") {
		s.writeBindingsBack(sessions)
	}
	for _, session := range sessions {
		s.unmark(session, "PutUser resets the marks")
		s.unbind(session, "newer User forgets the Binding")
		if atSignIn {
			s.unbind(session, "newer User of a sign-in forgets the Binding")
		}
	}
}

// end ends the sessions of a user except keep, and returns how many were live.
func (s *naive) end(owner string, keep *googlesession.Ref) int {
	ending := s.ending(owner, keep)
	n := s.count(ending)
	for _, session := range ending {
		s.remove(session)
	}
	return n
}

// ending returns the sessions of a user except keep.
func (s *naive) ending(owner string, keep *googlesession.Ref) []*naiveSession {
	return slices.DeleteFunc(s.of(owner), func(session *naiveSession) bool {
		return keep != nil && s.same(*keep, session.Ref)
	})
}

func (s *naive) count(sessions []*naiveSession) (live int) {
	for _, session := range sessions {
		if s.alive(session, s.now()) || s.has("expired sessions counted") {
			live++
		}
	}
	return live
}

func (s *naive) of(owner string) []*naiveSession {
	return s.all(func(session *naiveSession) bool { return s.owns(owner, session.owner) })
}

// all returns the sessions for which of returns true, in order of creation.
func (s *naive) all(of func(*naiveSession) bool) []*naiveSession {
	var sessions []*naiveSession
	for _, session := range s.sessions {
		if of(session) {
			sessions = append(sessions, session)
		}
	}
	slices.SortFunc(sessions, func(a, b *naiveSession) int { return a.serial - b.serial })
	return sessions
}
