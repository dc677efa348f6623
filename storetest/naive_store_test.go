package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// A naive is a handle on a session store in plain maps. It is correct except for one bug, by
// name. mutants_sessions_test.go lists the bugs.
type naive struct {
	*naiveData

	bug     string
	perUser int
	second  bool                                        // whether it is not the first server
	cache   map[googlesession.Ref]googlesession.Session // only for a bug
}

// naiveData holds the data that the handles share.
type naiveData struct {
	offset time.Duration // of the clock, which does not move during a call, so it needs no lock

	mu       sync.Mutex
	users    map[string]googlesession.User // The store forgets no user.
	sessions map[[32]byte]*naiveSession
	serial   int
	naiveBugs
}

type naiveSession struct {
	googlesession.NewSession

	owner         string // the key of the user
	serial        int    // counts sessions in order of creation
	created, seen time.Time
	touched       bool // whether a use was ever recorded
	binding       string
	postponed     bool // only for a bug
}

func newNaiveData() *naiveData {
	return &naiveData{
		users:    map[string]googlesession.User{},
		sessions: map[[32]byte]*naiveSession{},
		naiveBugs: naiveBugs{
			ended:   map[[32]byte]*naiveSession{},
			revoked: map[string]int{},
			heard:   map[string]time.Time{},
			flights: map[googlesession.Ref]*flight{},
			lists:   map[string][]googlesession.Session{},
			limits:  map[string]int{},
			refused: map[string]bool{},
			copies:  map[bindingCopy]string{},
			used:    map[[32]byte]bool{},

			refusedToken: map[string]bool{},
		},
	}
}

func (s *naive) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := s.checkSession(ctx, n); err != nil {
		return googlesession.Session{}, err
	}
	s.mu.Lock()
	defer s.changed()

	owner := s.key(n.User.ID)
	stale := s.staleBefore(n, owner)
	if s.has("room made for refused sign-ins") {
		s.makeRoom(owner, n)
	}
	if _, ok := s.sessions[n.Ref.ID]; ok && !s.has("existing Ref overwritten") {
		return googlesession.Session{}, fmt.Errorf("%w%s", googlesession.ErrExists, s.leak(n.Ref.String(), "errors hold the Ref"))
	}
	if err := s.createEndedRef(n, owner); err != nil {
		return googlesession.Session{}, err
	}
	s.pause("sign-in looks for the Ref first")
	before := s.users[owner]
	s.applyAtSignIn(n.User)
	off := s.users[owner].Disabled
	if s.has("sign-in goes by its own User") {
		off = n.User.Disabled
	}
	s.pause("sign-in looks at the user first")
	stale = s.staleNow(n, owner, stale)
	if off && (!stale || !s.has("stale token before disabled")) {
		return googlesession.Session{}, googlesession.ErrUserDisabled
	}
	if stale {
		return googlesession.Session{}, s.refuseToken(n, owner, before)
	}
	if !s.makeRoom(owner, n) {
		return googlesession.Session{}, s.overMax(n, owner, before)
	}
	s.pause("sign-in makes room first")
	created := s.session(s.insert(n, owner))
	created.Touched = s.has("Touched by sign-ins")
	return created, nil
}

func (s *naive) insert(n googlesession.NewSession, owner string) *naiveSession {
	now := s.now()
	s.serial++
	session := &naiveSession{NewSession: n, owner: owner, serial: s.serial, created: now, seen: now}
	s.storeWrongly(session)
	s.markWrongly(session)
	s.bindWrongly(session)
	s.sessions[n.Ref.ID] = session
	return session
}

func (s *naive) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	if err := s.done(ctx); err != nil {
		return googlesession.Session{}, err
	}
	if s.has("singleflight") {
		return s.checkShared(r, touchAfter)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has("cache") {
		return s.checkCached(r, touchAfter)
	}
	return s.checkLocked(r, touchAfter)
}

// checkLocked is CheckSession for a caller that holds the lock.
func (s *naive) checkLocked(r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	session := s.find(r)
	if session == nil {
		s.touchEnded(r, touchAfter)
		return googlesession.Session{}, googlesession.ErrNoSession
	}
	now := s.now()
	if !s.alive(session, now) {
		return googlesession.Session{}, googlesession.ErrSessionExpired
	}
	if s.users[session.owner].Disabled && !s.has("disable keeps sessions") {
		return googlesession.Session{}, googlesession.ErrUserDisabled
	}
	touched := s.due(now.Sub(session.seen), touchAfter, session.IdleTimeout)
	s.pause("touch looks first")
	if touched {
		s.touch(session, now)
	}
	found := s.session(session)
	found.Touched = found.Touched || touched && !s.has("never Touched") || s.has("always Touched")
	if !s.has("Device in CheckSession") {
		found.Device = googlesession.Device{}
	}
	if !s.has("Label in CheckSession") {
		found.Label = ""
	}
	found.Binding = s.bindingInCheck(session)
	return found, nil
}

func (s *naive) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := s.done(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.changed()
	s.waitForPage()
	session := s.find(r)
	if session == nil {
		return s.has("revoke is always true"), nil
	}
	alive := s.alive(session, s.now())
	if !alive && s.has("revoke of an expired session fails") {
		return false, unavailable("expired")
	}
	s.pause("revoke looks first")
	s.revoked[session.owner]++
	switch {
	case s.has("revoke does nothing"):
	case s.has("revoke ends all"):
		s.end(session.owner, nil)
	default:
		s.remove(session)
	}
	return alive, nil
}

func (s *naive) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	if err := s.done(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.changed()
	if _, ok := s.users[s.key(userID)]; !ok && s.has("unknown user is an error") {
		return 0, unavailable("unknown user")
	}
	s.keepBugs(s.key(userID), keep)
	if keep != nil && s.sessions[keep.ID] != nil {
		s.unmark(s.sessions[keep.ID], "keep resets the marks")
	}
	if s.has("RevokeUser counts first") {
		n := s.count(s.ending(s.key(userID), keep))
		s.pause(s.bug)
		s.end(s.key(userID), keep)
		return n, nil
	}
	return s.end(s.key(userID), keep), nil
}

func (s *naive) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := s.check(ctx, u); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.changed()
	s.heard[s.key(u.ID)] = s.now()
	applied := s.apply(u, false)
	if s.has("users without sessions forgotten") && len(s.of(s.key(u.ID))) == 0 {
		delete(s.users, s.key(u.ID))
	}
	return applied, nil
}

func (s *naive) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if err := s.done(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if list := s.lists[s.key(userID)]; len(list) > 0 {
		return list, nil
	}
	list := []googlesession.Session{}
	for _, session := range s.of(s.key(userID)) {
		if s.alive(session, s.now()) || s.has("expired sessions listed") {
			list = append(list, s.inSessions(session))
		}
	}
	slices.SortStableFunc(list, s.order)
	if s.has("shared memory") {
		s.lists[s.key(userID)] = list
	}
	return list, nil
}
