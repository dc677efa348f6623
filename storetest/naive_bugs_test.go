package storetest_test

import (
	"errors"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// naiveBugs holds the data that only bugs need.
type naiveBugs struct {
	ended   map[[32]byte]*naiveSession
	heard   map[string]time.Time // by user, the time of the last PutUser
	revoked map[string]int       // by user, the calls of RevokeSession
	flights map[googlesession.Ref]*flight
	lists   map[string][]googlesession.Session
	limits  map[string]int  // by user, the last Max
	refused map[string]bool // the users of sign-ins refused over Max

	refusedToken map[string]bool // the users of sign-ins refused for a stale token

	copies map[bindingCopy]string // bindings that a handle has seen
	used   map[[32]byte]bool      // the IDs of Refs that SwapBinding has not found
	freed  string                 // the Binding of the last session that ended
}

// A flight is a check in flight, whose result other checks take.
type flight struct {
	sync.WaitGroup

	session googlesession.Session
	err     error
}

// changed unlocks after a call that may have changed something.
func (s *naive) changed() {
	clear(s.cache)
	clear(s.lists)
	s.mu.Unlock()
}

// remove ends a session.
func (s *naive) remove(session *naiveSession) {
	delete(s.sessions, session.Ref.ID)
	s.ended[session.Ref.ID] = session
	s.freed = session.binding
	s.unbindAll(session.owner, "end of a session forgets the bindings")
	if s.has("user forgotten with the last session") && len(s.of(session.owner)) == 0 {
		delete(s.users, session.owner)
	}
}

// applyAtSignIn is apply in CreateSession.
func (s *naive) applyAtSignIn(u googlesession.User) {
	known, ok := s.users[s.key(u.ID)]
	heard, put := s.heard[s.key(u.ID)]
	switch {
	case ok && s.has("sign-in changes no User"):
	case ok && s.has("sign-in replaces the User"):
		s.users[s.key(u.ID)] = u
	case ok && s.has("disabled at sign-in keeps sessions") && u.Disabled:
		if u.Version > known.Version {
			s.users[s.key(u.ID)] = u
		}
	case put && s.has("users remembered too shortly") && s.now().Sub(heard) >= googlesession.SignInWindow/2 && len(s.of(s.key(u.ID))) == 0:
		s.users[s.key(u.ID)] = u
	case s.refused[s.key(u.ID)] && s.has("User of a refused sign-in forgotten later") && s.count(s.of(s.key(u.ID))) == 0:
		s.users[s.key(u.ID)] = u
	case s.refusedToken[s.key(u.ID)] && s.has("User of a stale sign-in forgotten later") && s.count(s.of(s.key(u.ID))) == 0:
		s.users[s.key(u.ID)] = u
	case put && s.has("TokensAfter remembered too shortly") && !s.refusedToken[s.key(u.ID)] && s.now().Sub(heard) >= googlesession.SignInWindow/2:
		known.TokensAfter = time.Time{}
		s.users[s.key(u.ID)] = known
	case put && s.has("TokensAfter forgotten with the last session") && s.count(s.of(s.key(u.ID))) == 0:
		known.TokensAfter = time.Time{}
		s.users[s.key(u.ID)] = known
		s.apply(u, true)
	default:
		s.apply(u, true)
	}
}

// overMax refuses a sign-in that is over the limit.
func (s *naive) overMax(n googlesession.NewSession, owner string, before googlesession.User) error {
	s.refused[owner] = true
	switch {
	case s.has("User of a refused sign-in forgotten"):
		s.users[owner] = before
	case s.has("refused but created"):
		s.insert(n, owner)
	case s.has("refusal wraps ErrUnavailable too"):
		return errors.Join(googlesession.ErrUnavailable, googlesession.ErrTooManySessions)
	}
	return googlesession.ErrTooManySessions
}

// createEndedRef returns the error for the Ref of an ended session. A store without a bug
// makes a new session.
func (s *naive) createEndedRef(n googlesession.NewSession, owner string) error {
	if s.used[n.Ref.ID] {
		return googlesession.ErrExists
	}
	if s.ended[n.Ref.ID] == nil {
		return nil
	}
	switch {
	case s.has("Ref of an ended session returns ErrUnavailable"):
		return unavailable("Ref again")
	case s.has("Ref of an ended session returns ErrExists but is created"):
		s.insert(n, owner)
		return googlesession.ErrExists
	}
	return nil
}

// storeWrongly changes a new session, in a store with such a bug.
func (s *naive) storeWrongly(session *naiveSession) {
	old, again := s.ended[session.Ref.ID]
	switch {
	case s.has("Device lost"):
		session.Device = googlesession.Device{}
	case s.has("Device cut"):
		session.Device.UserAgent = session.Device.UserAgent[:min(255, len(session.Device.UserAgent))]
	case s.has("last use of an ended session kept") && again:
		session.seen = old.seen
	}
}

// touchEnded records a use of a session that has ended.
func (s *naive) touchEnded(r googlesession.Ref, touchAfter time.Duration) {
	session := s.ended[r.ID]
	if s.has("touch revives") && session != nil && session.Ref == r && s.now().Sub(session.seen) >= touchAfter {
		s.sessions[r.ID] = session
	}
}

// keepBugs does to the session that RevokeUser keeps what a bug does.
func (s *naive) keepBugs(owner string, keep *googlesession.Ref) {
	if keep == nil {
		return
	}
	if session := s.ended[keep.ID]; session != nil && s.has("keep revives") {
		s.sessions[keep.ID] = session
	}
	if session := s.sessions[keep.ID]; session != nil && s.has("keep takes over") {
		session.owner = owner
	}
}

// checkShared is a check that takes the result of a check in flight.
func (s *naive) checkShared(r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	s.mu.Lock()
	f, ok := s.flights[r]
	if !ok {
		f = &flight{}
		f.Add(1)
		s.flights[r] = f
	}
	s.mu.Unlock()
	if !ok {
		s.mu.Lock()
		f.session, f.err = s.checkLocked(r, touchAfter)
		s.mu.Unlock()
		time.Sleep(time.Microsecond) //nolint:forbidigo // synctest
		s.mu.Lock()
		delete(s.flights, r)
		s.mu.Unlock()
		f.Done()
	}
	f.Wait()
	return f.session, f.err
}

// checkCached is a check that takes the last result of this server, if no use is due.
func (s *naive) checkCached(r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	hit, ok := s.cache[r]
	if ok && s.now().Before(hit.ExpiresAt) && s.now().Sub(hit.SeenAt) < touchAfter {
		return hit, nil
	}
	session, err := s.checkLocked(r, touchAfter)
	if err == nil {
		s.cache[r] = session
	}
	return session, err
}
