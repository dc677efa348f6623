package soak

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
)

// A worker sends requests one after the other. For each operation it chooses one of all
// users.
type worker struct {
	run    *run
	random *rand.Rand
}

// An operation is something that a worker does for a user.
type operation struct {
	weight int
	do     func(*worker, context.Context, *user)
	all    bool // the operation may end all sessions of the user, or all but one
}

// operations have weights with which they end about as many sessions as they begin.
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

// choose returns a random user for the operation. Nearly all operations that may end all
// sessions of a user are for the first third of the users. So the judge knows more for
// certain about the sessions of the other users.
func (w *worker) choose(o operation) *user {
	n := len(w.run.users)
	if o.all && w.random.IntN(20) > 0 {
		n = (n + 2) / 3
	}
	return w.run.users[w.random.IntN(n)]
}

func (w *worker) app() *app { return w.run.apps[w.random.IntN(len(w.run.apps))] }

// pick returns a random session of the user that has ended if ended is true, or else one
// that is not known to have ended. If the user does not have one of that kind, pick
// returns nil.
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

// ask sends the request q with the session's cookie to a random app, and judges the answer.
func (w *worker) ask(ctx context.Context, s *session, q request) answer {
	return s.askAt(ctx, w.app(), q)
}

// askAt sends the request q with the session's cookie to the app a, and judges the answer.
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

// enter signs in the user, in a browser with or without a session, if the limit of sessions
// is far away. Near the limit it mostly checks a session instead, and in one case of 20
// signs in so often that the limit is exceeded.
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
	for range maxSessions { // a list is refused if the limit has ended the session that asks, so several are requested
		w.list(ctx, u)
	}
}

// enterFrom signs in the user with a new token, in a browser that sends the cookie of
// presents if that is not nil.
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

// replay tries to sign in with a token that must no longer make a session.
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

// endOne lets one session of the user end another one by its reference.
func (w *worker) endOne(ctx context.Context, u *user) {
	own, target := w.pick(u, false), w.pickListed(u)
	if own == nil || target == nil || own == target {
		return
	}
	act := target.begin("end one")
	x := w.ask(ctx, own, request{method: http.MethodDelete, path: "/sessions/{ref}", args: []string{target.ref}})
	act.finish(x, w.endedOne(x, target))
}

// endedOne reports whether the answer to an act on target says that target has ended. A
// session that was not found has ended too.
func (w *worker) endedOne(x answer, target *session) bool {
	if x.status == http.StatusNotFound && target.begun() == 1 {
		w.run.report.falseLogout("DELETE /sessions/{ref}: 404 for a session that no other act has begun to end")
	}
	return x.status == http.StatusNoContent || x.status == http.StatusNotFound
}

// pickListed returns a random live session of the user, or nil if the reference of that
// session is not known.
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

// list requests the list of the user's sessions and compares it with the sessions that the
// judge knows. It learns the reference of the session that sends the request.
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
	ended   map[string]string // why each ended session has ended, by its reference
	certain []*session        // the sessions that the list must contain, unless an act on them begins meanwhile
	most    int               // how many sessions the list may contain, without sign-ins that begin later
	signIns int               // the number of sign-ins that had begun
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
