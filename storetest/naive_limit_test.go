package storetest_test

import (
	"cmp"
	"slices"

	"github.com/googlesession/googlesession"
)

// makeRoom ends sessions until there is room for n. It returns false if n must be refused.
func (s *naive) makeRoom(owner string, n googlesession.NewSession) bool {
	var live []*naiveSession
	room := s.limit(owner, n) + s.unearnedRoom(n)
	for _, session := range s.of(owner) {
		switch {
		case !s.alive(session, s.now()) && !s.takesRoom(n):
			s.remove(session)
		case !s.replaces(n, session):
			live = append(live, session)
		}
	}
	tooMany := s.tooMany(owner, len(live)+1, room)
	refused := tooMany > 0 && s.refuses(n, tooMany)
	if refused && !s.has("refused after room was made") {
		return false
	}
	if s.has("room made at the cost of others") {
		live = s.all(func(*naiveSession) bool { return true })
	}
	if s.has("replaced session goes first") {
		live = s.of(owner)
	}
	slices.SortStableFunc(live, s.evictionOrder)
	for _, session := range live[:tooMany] {
		s.remove(session)
	}
	if n.RefuseOverMax {
		s.pause("sign-in is refused or not first")
	}
	return !refused
}

// takesRoom reports whether expired sessions count.
func (s *naive) takesRoom(n googlesession.NewSession) bool {
	return s.has("expired sessions take room") || s.has("expired sessions refuse") && n.RefuseOverMax
}

// replaces reports whether n replaces the session.
func (s *naive) replaces(n googlesession.NewSession, session *naiveSession) bool {
	switch {
	case n.Replaces == nil || s.has("Replaces ignored"):
		return false
	case s.has("tag of Replaces ignored"):
		return n.Replaces.ID == session.Ref.ID
	}
	return *n.Replaces == session.Ref
}

// refuses reports whether n is refused instead of ending so many sessions.
func (s *naive) refuses(n googlesession.NewSession, tooMany int) bool {
	switch {
	case s.has("refusal ignored"):
		return false
	case s.has("refused one too late"):
		return n.RefuseOverMax && tooMany > 1
	case s.has("cap refuses no sign-in"):
		return n.RefuseOverMax && 0 < n.Max && n.Max <= s.perUser
	}
	return n.RefuseOverMax
}

// tooMany returns how many of count sessions are too many.
func (s *naive) tooMany(owner string, count, room int) int {
	tooMany := count - room
	switch {
	case s.has("cap ignored"):
		return 0
	case s.has("cap ends two") && tooMany > 0:
		tooMany++
	case s.has("Max ends one session only"):
		tooMany = min(1, tooMany)
	case s.has("revoked sessions take room"):
		tooMany += s.revoked[owner]
	}
	return min(max(0, tooMany), count-1)
}

func (s *naive) limit(owner string, n googlesession.NewSession) int {
	limit := n.Max
	if s.has("Max remembered") {
		limit = cmp.Or(limit, s.limits[owner])
		s.limits[owner] = limit
	}
	switch {
	case limit <= 0 || s.has("Max ignored"):
		return s.perUser
	case s.has("Max over the cap"):
		return limit
	}
	return min(limit, s.perUser)
}

// unearnedRoom returns 1 in a store with a bug, if Replaces is not a live session of the user
// and leaves room nevertheless.
func (s *naive) unearnedRoom(n googlesession.NewSession) int {
	if n.Replaces == nil {
		return 0
	}
	session, ended := s.sessions[n.Replaces.ID], s.ended[n.Replaces.ID]
	others := session != nil && session.Ref.Tag != n.Ref.Tag
	switch {
	case s.has("room for an unknown session") && session == nil && ended == nil,
		s.has("room for an expired session") && session != nil && !s.alive(session, s.now()),
		s.has("room for an ended session") && ended != nil,
		s.has("room for another user's session") && others && *n.Replaces == session.Ref,
		s.has("room for another user's ID") && others && n.Replaces.Tag == n.Ref.Tag:
		return 1
	}
	return 0
}

// evictionOrder sorts the session that ends first to the front.
func (s *naive) evictionOrder(a, b *naiveSession) int {
	switch {
	case s.has("cap by creation"):
		return a.serial - b.serial
	case s.has("cap ends the last used"):
		a, b = b, a
	}
	return a.seen.Compare(b.seen)
}
