package soak

import (
	"slices"
	"sync"
	"time"
)

// grace is how long after its answer a request whose outcome is unknown may still have
// its effect: it is on its way to a server that is frozen, stopped or restarting.
const grace = 4 * time.Second

// remembered is how many ended sessions and old tokens of a user are tried again.
const remembered = 16

// A user is what the judge knows of one. All times are of this process, so an act that
// was acknowledged before a request began is over for that request.
type user struct {
	email, id string
	report    *Report

	acting sync.Mutex // an administrator's or Google's act on this user, one at a time

	mu        sync.Mutex
	sessions  []*session
	tokens    []token
	open      int       // acts on all of the user's sessions that are on their way
	moved     time.Time // until when such an act may have had its effect
	ghosts    []ghost
	entering  int // sign-ins that are on their way
	replacing int // those of them that replace a session
	signIns   int // how many have begun

	bans     int       // how many times a disable or a deletion has begun
	disabled bool      // acknowledged, and enabling has not begun
	banned   bool      // a disable or a deletion has begun, and its end is not acknowledged
	refused  time.Time // tokens from before this sign nobody in
	stale    time.Time // tokens from after this are not refused as too old
}

// A ghost is a sign-in of unknown outcome, which may have left a session.
type ghost struct {
	at    time.Time
	extra bool // beside the one that it was to replace, so it may exceed the limit
}

// A session is one that a sign-in has answered with a cookie.
type session struct {
	user   *user
	cookie string
	token  token
	ref    string // "" until a list has told it

	acts  int       // that may end it and have begun
	ended time.Time // zero until its end was acknowledged or seen
	why   string    // it has ended
}

// A token is one of Google's, with the nonce cookie that belongs to it.
type token struct {
	credential, nonce string
	minted            time.Time
}

// issued is the token's iat claim, which is in whole seconds.
func (t token) issued() time.Time { return t.minted.Truncate(time.Second) }

// The acts after which old tokens sign nobody in.
const kindDelete, kindEvent = "delete", "event"

// An act is a request that ends sessions of one user.
type act struct {
	user    *user
	kind    string
	all     bool // not only the one that it names
	began   time.Time
	targets []*session // those that are over once it is acknowledged
}

// begin notes an act on one session before it is sent.
func (s *session) begin(kind string) *act {
	s.user.mu.Lock()
	defer s.user.mu.Unlock()
	s.acts++
	return &act{user: s.user, kind: kind, began: time.Now(), targets: []*session{s}}
}

// begin notes an act on all sessions of the user but keep before it is sent.
func (u *user) begin(kind string, keep *session) *act {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := &act{user: u, kind: kind, all: true, began: time.Now()}
	for _, s := range u.sessions {
		if s != keep {
			s.acts++
			a.targets = append(a.targets, s)
		}
	}
	u.open++
	return a
}

// acknowledged ends what the act has promised to end.
func (a *act) acknowledged() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	now := time.Now()
	for _, s := range a.targets {
		s.end(now, a.kind)
	}
	if a.all {
		// A ghost may come late, and one that began since the act did is not ended.
		a.user.ghosts = slices.DeleteFunc(a.user.ghosts, func(g ghost) bool { return g.at.Add(grace).Before(a.began) })
	}
	a.over(now)
	a.user.report.acted(a.kind)
}

// failed says that the act has had no effect.
func (a *act) failed() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	a.over(time.Now())
}

// unknown says that the act may have had its effect, or may still have it.
func (a *act) unknown() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	a.over(time.Now().Add(grace))
	a.user.report.unknown()
}

// finish is one of the three, as the answer says.
func (a *act) finish(x answer, acknowledged bool) {
	switch {
	case acknowledged:
		a.acknowledged()
	case x.unknown():
		a.unknown()
	default:
		a.failed()
	}
}

func (a *act) over(until time.Time) {
	if a.all {
		a.user.open--
		a.user.moved = later(a.user.moved, until)
	}
	if a.kind == kindDelete || a.kind == kindEvent {
		a.user.stale = later(a.user.stale, until)
	}
}

// end needs the user's lock.
func (s *session) end(at time.Time, why string) {
	if s.ended.IsZero() {
		s.ended, s.why = at, why
	}
}

// hasEnded says why a request that begins now must be refused, "" if it may pass.
func (s *session) hasEnded() string {
	s.user.mu.Lock()
	defer s.user.mu.Unlock()
	return s.why
}

// judge compares the answer to a request of this session with what was known when the
// request began.
func (s *session) judge(q request, x answer, why string) {
	switch {
	case x.unknown():
	case x.refused():
		s.user.mu.Lock()
		defer s.user.mu.Unlock()
		if s.acts == 0 {
			s.user.report.falseLogout("%s %s: %d %s for a session that no act has begun to end, of a token from %v ago",
				q.method, q.path, x.status, x.code, time.Since(s.token.minted).Round(time.Millisecond))
		}
		if why != "" {
			s.user.report.endedRefused()
		}
		s.end(x.ended, "refused before")
	case why != "":
		s.user.report.violation("%s %s: %d for a session that has ended (%s)", q.method, q.path, x.status, why)
	default:
		s.user.report.admitted(s.begun() == 0)
	}
}

// begun returns how many acts that may end the session have begun.
func (s *session) begun() int {
	s.user.mu.Lock()
	defer s.user.mu.Unlock()
	return s.acts
}

// crowd reports how many sessions the user may have now.
func (u *user) crowd() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count(nil)
}

// count needs the lock. It leaves out the session that is replaced.
func (u *user) count(replaced *session) int {
	n := len(u.ghosts) + u.entering
	for _, s := range u.sessions {
		if s.ended.IsZero() && s != replaced {
			n++
		}
	}
	return n
}

// trim forgets ended sessions, the oldest first. It needs the lock.
func (u *user) trim() {
	ended := 0
	for i, s := range slices.Backward(u.sessions) {
		if s.ended.IsZero() {
			continue
		}
		if ended++; ended > remembered {
			u.sessions = slices.Delete(u.sessions, i, i+1)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
