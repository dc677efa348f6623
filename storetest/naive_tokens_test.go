package storetest_test

import (
	"time"

	"github.com/googlesession/googlesession"
)

// isStale reports whether u refuses a token issued at that time.
func (s *naive) isStale(issued time.Time, u googlesession.User) bool {
	switch {
	case u.TokensAfter.IsZero():
		return false
	case s.has("equal token accepted"):
		return issued.Before(u.TokensAfter)
	case s.has("token without time accepted") && issued.IsZero():
		return false
	}
	return !issued.After(u.TokensAfter)
}

// staleBefore reports whether the token is stale before CreateSession applies the User.
func (s *naive) staleBefore(n googlesession.NewSession, owner string) bool {
	newest := s.users[owner]
	if n.User.Version > newest.Version {
		newest = n.User
	}
	stale := s.isStale(n.TokenIssuedAt, newest)
	s.pause("token looked at first")
	return stale
}

// staleNow reports whether the token is stale after CreateSession has applied the User. A
// store with a bug returns what staleBefore returned.
func (s *naive) staleNow(n googlesession.NewSession, owner string, before bool) bool {
	switch {
	case s.has("token looked at first"):
		return before
	case s.has("token judged by the sign-in's own User"):
		return s.isStale(n.TokenIssuedAt, n.User)
	}
	return s.isStale(n.TokenIssuedAt, s.users[owner])
}

// refuseToken refuses a sign-in with a stale token.
func (s *naive) refuseToken(n googlesession.NewSession, owner string, before googlesession.User) error {
	s.refusedToken[owner] = true
	switch {
	case s.has("stale sign-in creates"):
		s.insert(n, owner)
	case s.has("room made for stale tokens"):
		s.makeRoom(owner, n)
	case s.has("limit before stale tokens") && n.RefuseOverMax && !s.makeRoom(owner, n):
		return googlesession.ErrTooManySessions
	case s.has("stale sign-in applies TokensAfter only") && 0 < before.Version && before.Version < n.User.Version:
		before.TokensAfter, before.Version = n.User.TokensAfter, n.User.Version
		s.users[owner] = before
	case s.has("User of a stale sign-in forgotten"):
		s.users[owner] = before
	}
	return googlesession.ErrStaleToken
}

// refuseTokens ends the sessions of tokens that the new TokensAfter refuses.
func (s *naive) refuseTokens(owner string, before, after time.Time, atSignIn bool) {
	switch {
	case !after.After(before),
		s.has("later TokensAfter ends nothing") && !atSignIn,
		s.has("later TokensAfter at sign-in ends nothing") && atSignIn:
		return
	case s.has("later TokensAfter ends all") && !atSignIn:
		s.end(owner, nil)
		return
	}
	s.pause("TokensAfter first, sessions later")
	for _, session := range s.of(owner) {
		issued := session.TokenIssuedAt
		kept := issued.After(after) ||
			s.has("sessions of equal tokens kept") && issued.Equal(after) ||
			s.has("sessions of tokens without time kept") && issued.IsZero() && !atSignIn ||
			s.has("sessions of tokens without time kept at sign-in") && issued.IsZero() && atSignIn
		if !kept {
			s.remove(session)
		}
	}
}

// applyOldTokensAfter applies the TokensAfter of a User that is not newer, in a store with
// that bug.
func (s *naive) applyOldTokensAfter(u googlesession.User) {
	known := s.users[s.key(u.ID)]
	if s.has("older TokensAfter counts") && u.TokensAfter.After(known.TokensAfter) {
		s.refuseTokens(s.key(u.ID), known.TokensAfter, u.TokensAfter, false)
	}
}

// tokenTime returns the TokenIssuedAt of the session.
func (s *naive) tokenTime(session *naiveSession) time.Time {
	issued := session.TokenIssuedAt.UTC()
	switch {
	case s.has("token times in seconds"):
		return issued.Truncate(time.Second)
	case s.has("token time zero is 1970") && issued.IsZero():
		return time.Unix(0, 0).UTC()
	case s.has("token times as given"):
		return session.TokenIssuedAt
	}
	return issued
}
