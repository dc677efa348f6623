package soak

import (
	"slices"
	"sync"
	"time"
)

// grace is how long after its answer a request of unknown outcome may still take effect. It
// may be on its way to a server that is frozen, stopped or restarting.
const grace = 4 * time.Second

// remembered is how many ended sessions and old tokens of a user are tried again.
const remembered = 16

// A user holds what the judge knows of a user. All times are those of this process. So if
// an act was acknowledged before a request began, the request must see its effect.
type user struct {
	email, id string
	report    *Report

	acting sync.Mutex // lets one act of the administrator or of Google on this user run at a time

	mu        sync.Mutex
	sessions  []*session
	tokens    []token
	open      int       // counts unanswered acts on all sessions of the user
	moved     time.Time // until then an earlier act of that kind may still take effect
	ghosts    []ghost
	entering  int // counts unanswered sign-ins
	replacing int // counts those of them that replace a session
	signIns   int // counts all sign-ins that have begun

	bans     int       // counts the disables and deletions that have begun
	disabled bool      // a disable is acknowledged, and enabling has not begun
	banned   bool      // a disable or a deletion has begun, and its end is not acknowledged
	refused  time.Time // tokens from before this must not make a session
	stale    time.Time // tokens from after this must not be refused as too old
}

// A ghost is a sign-in of unknown outcome, which may have left a session.
type ghost struct {
	at    time.Time
	extra bool // the session that it was to replace may live too, so the limit may be exceeded
}

// A session is a session whose cookie a sign-in has answered.
type session struct {
	user   *user
	cookie string
	token  token
	ref    string // "" until a list has contained it

	acts  int       // counts the acts that have begun and may end the session
	ended time.Time // zero until its end was acknowledged or seen
	why   string    // says why the session has ended; "" while it has not
}

// A token is an ID token of Google with the nonce cookie that belongs to it.
type token struct {
	credential, nonce string
	minted            time.Time
}

// issued returns the token's iat claim, which is in whole seconds.
func (t token) issued() time.Time { return t.minted.Truncate(time.Second) }

// kindDelete and kindEvent are the acts after which old tokens make no session.
const kindDelete, kindEvent = "delete", "event"

// An act is a request that ends sessions of one user.
type act struct {
	user    *user
	kind    string
	all     bool // the act ends all sessions of the user, perhaps but one
	began   time.Time
	targets []*session // the sessions that have ended once the act is acknowledged
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

// acknowledged notes that the sessions of the act have ended.
func (a *act) acknowledged() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	now := time.Now()
	for _, s := range a.targets {
		s.end(now, a.kind)
	}
	if a.all {
		// The act has not ended a ghost that may have arrived after the act began.
		a.user.ghosts = slices.DeleteFunc(a.user.ghosts, func(g ghost) bool { return g.at.Add(grace).Before(a.began) })
	}
	a.over(now)
	a.user.report.acted(a.kind)
}

// failed notes that the act had no effect.
func (a *act) failed() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	a.over(time.Now())
}

// unknown notes that the act may have taken effect, or may still take effect.
func (a *act) unknown() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	a.over(time.Now().Add(grace))
	a.user.report.unknown()
}

// finish calls acknowledged, unknown or failed, depending on the answer.
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

// end notes the end of the session unless it has ended before. The caller holds the user's
// lock.
func (s *session) end(at time.Time, why string) {
	if s.ended.IsZero() {
		s.ended, s.why = at, why
	}
}

// hasEnded returns why a request that begins now must be refused, or "" if it may be
// admitted.
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

// crowd returns how many sessions the user may have now.
func (u *user) crowd() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count(nil)
}

// count returns how many sessions the user may have, without the replaced one. The caller
// holds the user's lock.
func (u *user) count(replaced *session) int {
	n := len(u.ghosts) + u.entering
	for _, s := range u.sessions {
		if s.ended.IsZero() && s != replaced {
			n++
		}
	}
	return n
}

// trim forgets the oldest ended sessions. The caller holds the user's lock.
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
