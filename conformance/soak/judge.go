package soak

import (
	"slices"
	"sync"
	"time"
)

// grace is for how long a request can still take effect after an answer that leaves its
// outcome unknown. The request may be on its way to a server that is frozen, stopped or
// restarting.
const grace = 4 * time.Second

// remembered is how many ended sessions, and how many used ID tokens, are kept for each
// user. Workers present them again to see that ended sessions are refused, and that tokens
// from before a deletion or a security event make no session.
const remembered = 16

// A user holds what the judge knows about one user of the application. All times are from
// the clock of this process. So a request that begins after an act was acknowledged must
// see the effect of that act.
type user struct {
	email, id string
	report    *Report

	acting sync.Mutex // held during a disable, a deletion or a security event, so that these do not overlap

	mu        sync.Mutex
	sessions  []*session
	tokens    []token
	open      int       // number of unanswered acts on all sessions of the user
	moved     time.Time // until this time an answered act on all sessions may still take effect
	ghosts    []ghost
	entering  int // number of unanswered sign-ins
	replacing int // number of unanswered sign-ins that replace a session
	signIns   int // number of all sign-ins that have begun

	bans     int       // number of disables and deletions that have begun
	disabled bool      // a disable was acknowledged, and enabling the user again has not begun
	banned   bool      // a disable has begun and the enable is not acknowledged, or the outcome of a deletion is open
	refused  time.Time // tokens from before this time must not make a session
	stale    time.Time // tokens from after this time must not be refused as too old
}

// A ghost is a sign-in of unknown outcome, which may have left a session.
type ghost struct {
	at    time.Time
	extra bool // the sign-in presented a session to replace, which may still be live, so the limit may be exceeded by one
}

// A session holds what the judge knows about one session. It is made when a sign-in answers
// with the session's cookie.
type session struct {
	user   *user
	cookie string
	token  token
	ref    string // the reference, or "" until the session has asked for a list, which contains it

	acts  int       // number of acts that have begun and may end the session
	ended time.Time // zero until an act that ends the session is acknowledged, or a request of the session is refused
	why   string    // the reason why the session has ended, or "" if it is not known to have ended
}

// A token is an ID token from the stand-in for Google, with the value of the nonce cookie
// that belongs to it.
type token struct {
	credential, nonce string
	minted            time.Time
}

// issued returns the token's iat claim, which is in whole seconds.
func (t token) issued() time.Time { return t.minted.Truncate(time.Second) }

// kindDelete and kindEvent are the kinds of the acts after which older tokens make no
// session.
const kindDelete, kindEvent = "delete", "event"

// An act is a request that ends sessions of one user.
type act struct {
	user    *user
	kind    string
	all     bool // the act may end all sessions of the user, or all but one
	began   time.Time
	targets []*session // the sessions that count as ended when the act is acknowledged
}

// begin notes that an act on the session is about to be sent.
func (s *session) begin(kind string) *act {
	s.user.mu.Lock()
	defer s.user.mu.Unlock()
	s.acts++
	return &act{user: s.user, kind: kind, began: time.Now(), targets: []*session{s}}
}

// begin notes that an act on all sessions of the user except keep is about to be sent. Nil
// for keep means all sessions.
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

// acknowledged notes that the application has confirmed the act, and that its targets have
// ended.
func (a *act) acknowledged() {
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	now := time.Now()
	for _, s := range a.targets {
		s.end(now, a.kind)
	}
	if a.all {
		// Keep a ghost whose sign-in may have taken effect after the act began, because the
		// act may not have ended its session.
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

// finish calls the method acknowledged if the parameter acknowledged is true. Otherwise it
// calls unknown or failed, depending on the answer.
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

// end notes when and why the session has ended, unless that is noted already. The caller
// holds the user's lock.
func (s *session) end(at time.Time, why string) {
	if s.ended.IsZero() {
		s.ended, s.why = at, why
	}
}

// hasEnded returns why a request of the session that begins now must be refused, or "" if
// it may be admitted.
func (s *session) hasEnded() string {
	s.user.mu.Lock()
	defer s.user.mu.Unlock()
	return s.why
}

// judge compares x, the answer to a request q of the session, with why, which hasEnded
// returned before the request was sent.
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

// crowd returns how many live sessions the user has at most now.
func (u *user) crowd() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count(nil)
}

// count returns how many live sessions the user has at most now. It does not count
// replaced, which may be nil. The caller holds the user's lock.
func (u *user) count(replaced *session) int {
	n := len(u.ghosts) + u.entering
	for _, s := range u.sessions {
		if s.ended.IsZero() && s != replaced {
			n++
		}
	}
	return n
}

// trim forgets the oldest ended sessions of the user until at most remembered are left. The
// caller holds the user's lock.
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
