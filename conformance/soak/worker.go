package soak

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
)

// A worker sends one request after the other, for all users.
type worker struct {
	run    *run
	random *rand.Rand
}

// An operation is something that a worker does for a user.
type operation struct {
	weight int
	do     func(*worker, context.Context, *user)
	all    bool // the operation may end all sessions of the user
}

// operations end about as many sessions as they begin.
var operations = []operation{
	{400, (*worker).check, false},
	{250, (*worker).checkEnded, false},
	{60, (*worker).list, false},
	{160, (*worker).enter, false},
	{40, (*worker).replay, false},
	{30, (*worker).logout, false},
	{30, (*worker).endOne, false},
	{15, (*worker).endOthers, true},
	{10, (*worker).adminEndOne, false},
	{10, (*worker).adminEndAll, true},
	{8, (*worker).disable, true},
	{8, (*worker).delete, true},
	{8, (*worker).event, true},
}

func (w *worker) work(ctx context.Context) {
	total := 0
	for _, o := range operations {
		total += o.weight
	}
	for ctx.Err() == nil {
		n := w.random.IntN(total)
		for _, o := range operations {
			if n -= o.weight; n < 0 {
				o.do(w, ctx, w.choose(o))
				w.run.report.operation()
				break
			}
		}
	}
}

// choose returns a random user. Nearly all acts that end all sessions of a user are for one
// third of the users, so that much is certain about the sessions of the others.
func (w *worker) choose(o operation) *user {
	n := len(w.run.users)
	if o.all && w.random.IntN(20) > 0 {
		n = (n + 2) / 3
	}
	return w.run.users[w.random.IntN(n)]
}

func (w *worker) app() *app { return w.run.apps[w.random.IntN(len(w.run.apps))] }

// pick returns a random session of the user, or nil if there is none. If ended is true the
// session has ended, else it is live as far as is known.
func (w *worker) pick(u *user, ended bool) *session {
	u.mu.Lock()
	defer u.mu.Unlock()
	var some []*session
	for _, s := range u.sessions {
		if s.ended.IsZero() != ended {
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[w.random.IntN(len(some))]
}

// ask sends a request of the session to a random app.
func (w *worker) ask(ctx context.Context, s *session, q request) answer {
	return s.askAt(ctx, w.app(), q)
}

// askAt sends a request of the session to an app and judges the answer.
func (s *session) askAt(ctx context.Context, a *app, q request) answer {
	why := s.hasEnded()
	q.cookies = []string{s.cookie}
	x := a.do(ctx, q)
	s.judge(q, x, why)
	return x
}

func (w *worker) check(ctx context.Context, u *user)      { w.checkOne(ctx, w.pick(u, false)) }
func (w *worker) checkEnded(ctx context.Context, u *user) { w.checkOne(ctx, w.pick(u, true)) }

func (w *worker) checkOne(ctx context.Context, s *session) {
	if s == nil {
		return
	}
	x := w.ask(ctx, s, request{method: http.MethodGet, path: "/user"})
	var body struct{ ID string }
	if x.status == http.StatusOK && (json.Unmarshal(x.body, &body) != nil || body.ID != s.user.id) {
		w.run.report.violation("GET /user: another user than the session's")
	}
}

// enter signs in the user, in a browser with or without a session. Sometimes it exceeds the
// limit of sessions.
func (w *worker) enter(ctx context.Context, u *user) {
	if u.crowd() < maxSessions-2 {
		var presents *session
		if w.random.IntN(2) == 0 {
			presents = w.pick(u, w.random.IntN(4) == 0)
		}
		w.enterFrom(ctx, u, presents)
		return
	}
	if w.random.IntN(20) > 0 {
		w.check(ctx, u)
		return
	}
	for range maxSessions {
		w.enterFrom(ctx, u, nil)
	}
	for range maxSessions { // one of the sessions may have been ended
		w.list(ctx, u)
	}
}

// enterFrom signs in the user with a new token.
func (w *worker) enterFrom(ctx context.Context, u *user, presents *session) {
	a := w.app()
	t, ok := w.run.newToken(ctx, a, u)
	if !ok {
		return
	}
	if s, _ := w.run.signIn(ctx, a, u, t, presents); s != nil {
		w.run.report.signedIn()
	}
}

// replay signs in with a token that must not be accepted any more.
func (w *worker) replay(ctx context.Context, u *user) {
	if t, ok := u.oldToken(); ok {
		_, x := w.run.signIn(ctx, w.app(), u, t, nil)
		if x.refused() {
			w.run.report.replayRefused()
		}
	}
}

func (w *worker) logout(ctx context.Context, u *user) {
	s := w.pick(u, false)
	if s == nil {
		return
	}
	act := s.begin("logout")
	x := w.app().do(ctx, request{method: http.MethodPost, path: "/logout", cookies: []string{s.cookie}})
	act.finish(x, x.status == http.StatusNoContent)
}

// endOne ends another session of the same user by its reference.
func (w *worker) endOne(ctx context.Context, u *user) {
	own, target := w.pick(u, false), w.pickListed(u)
	if own == nil || target == nil || own == target {
		return
	}
	act := target.begin("end one")
	x := w.ask(ctx, own, request{method: http.MethodDelete, path: "/sessions/{ref}", args: []string{target.ref}})
	act.finish(x, w.endedOne(x, target))
}

// endedOne reports whether the session has ended. It has ended too if it was not found.
func (w *worker) endedOne(x answer, target *session) bool {
	if x.status == http.StatusNotFound && target.begun() == 1 {
		w.run.report.falseLogout("DELETE /sessions/{ref}: 404 for a session that no other act has begun to end")
	}
	return x.status == http.StatusNoContent || x.status == http.StatusNotFound
}

// pickListed returns a live session of the user if its reference is known, else nil.
func (w *worker) pickListed(u *user) *session {
	s := w.pick(u, false)
	if s == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.ref == "" {
		return nil
	}
	return s
}

func (w *worker) endOthers(ctx context.Context, u *user) {
	own := w.pick(u, false)
	if own == nil {
		return
	}
	act := u.begin("end others", own)
	x := w.ask(ctx, own, request{method: http.MethodDelete, path: "/sessions"})
	act.finish(x, x.status == http.StatusOK)
}

// list compares a list with the sessions that are known, and learns the reference of the
// session that asks.
func (w *worker) list(ctx context.Context, u *user) {
	s := w.pick(u, false)
	if s == nil {
		return
	}
	before := u.look()
	x := w.ask(ctx, s, request{method: http.MethodGet, path: "/sessions"})
	var body struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	if x.status != http.StatusOK {
		return
	}
	if err := json.Unmarshal(x.body, &body); err != nil {
		w.run.report.violation("GET /sessions: %v", err)
		return
	}
	listed := make(map[string]bool)
	for _, one := range body.Sessions {
		listed[one.ID] = true
		if one.Current {
			u.mu.Lock()
			if s.ref == "" { // it never changes, so pickListed's callers read it without the lock
				s.ref = one.ID
			}
			u.mu.Unlock()
		}
	}
	u.judgeList(before, listed)
}

// A view holds what was known about a user's sessions before their list was requested.
type view struct {
	ended   map[string]string // from the reference of an ended session to why it has ended
	certain []*session        // the sessions that the list must have, unless an act begins
	most    int               // how many sessions the user may have by the sign-ins that had begun
	signIns int               // how many sign-ins had begun
}

func (u *user) look() view {
	u.mu.Lock()
	defer u.mu.Unlock()
	v := view{ended: make(map[string]string), most: maxSessions + u.replacing, signIns: u.signIns}
	for _, g := range u.ghosts {
		if g.extra {
			v.most++
		}
	}
	for _, s := range u.sessions {
		switch {
		case s.ref == "":
		case !s.ended.IsZero():
			v.ended[s.ref] = s.why
		case s.acts == 0:
			v.certain = append(v.certain, s)
		}
	}
	return v
}

func (u *user) judgeList(before view, listed map[string]bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for ref, why := range before.ended {
		if listed[ref] {
			u.report.violation("GET /sessions: lists a session that has ended (%s)", why)
		}
	}
	for _, s := range before.certain {
		if s.acts == 0 && !listed[s.ref] {
			u.report.falseLogout("GET /sessions: does not list a session that no act has begun to end")
		}
	}
	if len(listed) > before.most+u.signIns-before.signIns {
		u.report.violation("GET /sessions: %d sessions, more than the limit", len(listed))
	}
}
