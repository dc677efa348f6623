package storetest_test

import (
	"errors"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// naiveBugs is what only stores with bugs have.
type naiveBugs struct {
	ended   map[[32]byte]*naiveSession
	heard   map[string]time.Time // when PutUser brought the user
	revoked map[string]int       // by RevokeSession
	flights map[googlesession.Ref]*flight
	lists   map[string][]googlesession.Session
	limits  map[string]int  // the last Max
	refused map[string]bool // over Max

	refusedToken map[string]bool // who came with a stale one
}

// A flight is a check that others join.
type flight struct {
	sync.WaitGroup

	session googlesession.Session
	err     error
}

// changed ends a call that may have changed something.
func (s *naive) changed() {
	clear(s.cache)
	clear(s.lists)
	s.mu.Unlock()
}

func (s *naive) remove(session *naiveSession) {
	delete(s.sessions, session.Ref.ID)
	s.ended[session.Ref.ID] = session
	if s.has("user forgotten with the last session") && len(s.of(session.owner)) == 0 {
		delete(s.users, session.owner)
	}
}

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

// overMax refuses a sign-in.
func (s *naive) overMax(n googlesession.NewSession, owner string, before googlesession.User) error {
	s.refused[owner] = true
	switch {
	case s.has("User of a refused sign-in forgotten"):
		s.users[owner] = before
	case s.has("refused and yet created"):
		s.insert(n, owner)
	case s.has("refused, and an outage"):
		return errors.Join(googlesession.ErrUnavailable, googlesession.ErrTooManySessions)
	}
	return googlesession.ErrTooManySessions
}

// again is what a store with a bug says to the Ref of an ended session.
func (s *naive) again(n googlesession.NewSession, owner string) error {
	if s.ended[n.Ref.ID] == nil {
		return nil
	}
	switch {
	case s.has("Ref of an ended session is an outage"):
		return unavailable("Ref again")
	case s.has("Ref of an ended session exists and is created"):
		s.insert(n, owner)
		return googlesession.ErrExists
	}
	return nil
}

// spoil changes a session as it is stored.
func (s *naive) spoil(session *naiveSession) {
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

// touchEnded is a touch that does not look whether the session is there.
func (s *naive) touchEnded(r googlesession.Ref, touchAfter time.Duration) {
	session := s.ended[r.ID]
	if s.has("touch revives") && session != nil && session.Ref == r && s.now().Sub(session.seen) >= touchAfter {
		s.sessions[r.ID] = session
	}
}

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

// joined is a check that takes the answer of one in flight.
func (s *naive) joined(r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
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
		f.session, f.err = s.look(r, touchAfter)
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

// cached is a check that takes this server's last answer, if it needs no touch.
func (s *naive) cached(r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	hit, ok := s.cache[r]
	if ok && s.now().Before(hit.ExpiresAt) && s.now().Sub(hit.SeenAt) < touchAfter {
		return hit, nil
	}
	session, err := s.look(r, touchAfter)
	if err == nil {
		s.cache[r] = session
	}
	return session, err
}
