package soak

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// An administrator is the browser of an administrator who ends the sessions of users. No
// act of the soak ends the administrator's own session.
type administrator struct {
	run  *run
	user *user

	mu      sync.Mutex
	session *session
}

func (a *administrator) signIn(ctx context.Context) error {
	t, ok := a.run.newToken(ctx, a.run.apps[0], a.user)
	if !ok {
		return errors.New("no token")
	}
	s, x := a.run.signIn(ctx, a.run.apps[0], a.user, t, nil)
	if s == nil {
		return fmt.Errorf("POST /login: %s: %s", x.describe(), x.body)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session = s
	return nil
}

// askAsAdmin sends the request q with the administrator's session to a random app.
func (w *worker) askAsAdmin(ctx context.Context, q request) answer {
	return w.run.admin.askAt(ctx, w.app(), q)
}

func (a *administrator) askAt(ctx context.Context, at *app, q request) answer {
	a.mu.Lock()
	s := a.session
	a.mu.Unlock()
	x := s.askAt(ctx, at, q)
	if x.refused() { // the refusal is judged already, so it suffices to sign in again
		_ = a.signIn(ctx)
	}
	return x
}

func (w *worker) adminEndOne(ctx context.Context, u *user) {
	target := w.pickListed(u)
	if target == nil {
		return
	}
	act := target.begin("admin: end one")
	x := w.askAsAdmin(ctx, request{method: http.MethodDelete, path: "/admin/users/{id}/sessions/{ref}", args: []string{u.id, target.ref}})
	act.finish(x, w.endedOne(x, target))
}

func (w *worker) adminEndAll(ctx context.Context, u *user) {
	act := u.begin("admin: end all", nil)
	x := w.askAsAdmin(ctx, request{method: http.MethodDelete, path: "/admin/users/{id}/sessions", args: []string{u.id}})
	act.finish(x, x.status == http.StatusOK || x.status == http.StatusNotFound) // 404 means that the user is deleted, and a deleted user has no sessions
}

// insist repeats an act on all sessions of the user while its outcome is unknown and ctx is
// not done. The statuses in done acknowledge the act. insist returns when the first and the
// last try began, and the last answer.
func (w *worker) insist(ctx context.Context, u *user, kind string, try func() answer, done ...int) (first, last time.Time, x answer) {
	for {
		act := u.begin(kind, nil)
		if last = act.began; first.IsZero() {
			first = last
		}
		x = try()
		ok := false
		for _, status := range done {
			ok = ok || x.status == status
		}
		act.finish(x, ok)
		if ok || !x.unknown() || ctx.Err() != nil {
			return first, last, x
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// disable disables the user, tries to sign in as that user, and enables the user again.
func (w *worker) disable(ctx context.Context, u *user) {
	if !u.acting.TryLock() {
		return
	}
	defer u.acting.Unlock()
	access := func(disabled bool) func() answer {
		return func() answer {
			return w.askAsAdmin(ctx, request{
				method: http.MethodPatch, path: "/admin/users/{id}", args: []string{u.id},
				body: fmt.Sprintf(`{"disabled":%t}`, disabled), contentType: "application/json",
			})
		}
	}
	u.ban()
	_, _, x := w.insist(ctx, u, "disable", access(true), http.StatusOK, http.StatusNotFound)
	if x.status == http.StatusOK {
		u.update(func() {
			u.disabled = true
			for _, s := range u.sessions { // includes the sessions of sign-ins that were answered after the act began
				s.acts++
				s.end(time.Now(), "disable")
			}
		})
		for range 3 {
			w.enterFrom(ctx, u, nil)
			w.checkEnded(ctx, u)
		}
	}
	for ctx.Err() == nil {
		u.update(func() { u.disabled = false })
		x = access(false)()
		if x.status == http.StatusOK || x.status == http.StatusNotFound {
			u.update(func() { u.banned = false })
			w.run.report.acted("enable")
			return
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// delete deletes the user, who may sign in again with a newer token.
func (w *worker) delete(ctx context.Context, u *user) {
	if !u.acting.TryLock() {
		return
	}
	defer u.acting.Unlock()
	u.ban() // during the deletion, a sign-in may be refused with the code user_disabled
	first, last, x := w.insist(ctx, u, kindDelete, func() answer {
		return w.askAsAdmin(ctx, request{method: http.MethodDelete, path: "/admin/users/{id}", args: []string{u.id}})
	}, http.StatusNoContent, http.StatusNotFound)
	switch {
	case x.status == http.StatusNoContent:
		u.refuseTokens(last, kindDelete)
	case x.status == http.StatusNotFound && first != last: // an earlier try of unknown outcome has deleted the user
		u.refuseTokens(first, kindDelete)
	}
	if !x.unknown() {
		u.update(func() { u.banned = false })
	}
}

// ban notes that a disable or a deletion of the user begins, which refuses the user's
// sign-ins.
func (u *user) ban() {
	u.update(func() {
		u.banned = true
		u.bans++
	})
}

// event delivers a security event about the user, made by the stand-in for Google. It
// repeats the delivery while the outcome is unknown.
func (w *worker) event(ctx context.Context, u *user) {
	if !u.acting.TryLock() {
		return
	}
	defer u.acting.Unlock()
	kind := []googlesession.AccountChangeKind{
		googlesession.ChangeSessionsRevoked, googlesession.ChangeTokensRevoked, googlesession.ChangeAccountDisabled,
	}[w.random.IntN(3)]
	minted := time.Now()
	draft := w.run.google.EventDraft(kind, u.email)
	if kind == googlesession.ChangeAccountDisabled {
		draft.Event(kind)["reason"] = "hijacking"
	}
	credential := w.run.google.Mint(draft)
	_, _, x := w.insist(ctx, u, kindEvent, func() answer {
		return w.app().do(ctx, request{method: http.MethodPost, path: "/security-events", body: credential, contentType: "application/secevent+jwt"})
	}, http.StatusAccepted)
	if x.status == http.StatusAccepted {
		u.refuseTokens(minted, kindEvent)
	}
}

func (u *user) update(change func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change()
}

// refuseTokens notes that tokens from before t make no session, and that all sessions of
// such tokens have ended. These include the sessions of sign-ins that were answered after
// the act began.
func (u *user) refuseTokens(t time.Time, why string) {
	u.update(func() {
		u.refused = later(u.refused, t)
		for _, s := range u.sessions {
			if s.token.minted.Before(t) {
				s.acts++
				s.end(time.Now(), why)
			}
		}
	})
}
