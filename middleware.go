package googlesession

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// RequireUser calls h for signed-in users only. Others get 401, a disabled user
// 403, a cross-origin request with an unsafe method 403, and 503 while the store
// does not answer. The handshake of a WebSocket counts as unsafe, although it is a GET.
// The cookie is left alone: a late answer about an old value must not delete a new one.
//
// h finds the user with [UserFrom]. The answer is Cache-Control: no-store unless
// h says otherwise.
func (m *Manager) RequireUser(h http.Handler) http.Handler {
	return m.require(h, func(*Session) error { return nil })
}

// RequireAdmin calls h for administrators only: 403 for other users, otherwise as
// [Manager.RequireUser]. The flag is the user's current one, as CheckSession of
// this request reports it.
func (m *Manager) RequireAdmin(h http.Handler) http.Handler {
	return m.require(h, func(s *Session) error {
		if !s.User.Admin {
			return denial(CodeNotAdmin, nil)
		}
		return nil
	})
}

// RequireFresh calls h only for users who signed in at most d ago, for what a borrowed
// or forgotten browser must not do. Others get 401 reauth_needed: the page asks Google
// again and posts the token with "reauth": true, or calls [Manager.Reauthenticate].
// Otherwise it is as [Manager.RequireUser], and goes inside [Manager.RequireAdmin] as
// well.
//
// The age is counted by this server's clock from [Session.TokenIssuedAt], or from
// [Session.CreatedAt] if that is earlier. A token that was kept for a while before it was
// posted therefore makes a session that is as old as the token.
//
// It shows that Google has vouched for this browser since, not that a person has typed
// a password: Google does not support requests for re-authentication.
func (m *Manager) RequireFresh(d time.Duration) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return m.require(h, func(s *Session) error {
			if time.Since(s.vouchedAt()) > d {
				return denial(CodeReauthNeeded, nil)
			}
			return nil
		})
	}
}

// vouchedAt is when Google vouched for the browser, as far as both clocks tell.
func (s *Session) vouchedAt() time.Time {
	if !s.TokenIssuedAt.IsZero() && s.TokenIssuedAt.Before(s.CreatedAt) {
		return s.TokenIssuedAt
	}
	return s.CreatedAt
}

func (m *Manager) require(h http.Handler, allow func(*Session) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, a := m.load(r)
		err := a.err
		if err == nil {
			err = allow(&a.session)
		}
		if err != nil {
			m.refuse(w, r, classify(err))
			return
		}
		a.mark(w.Header())
		h.ServeHTTP(w, r)
	})
}

// Load calls h for everybody: for pages that greet whoever is signed in. It never
// refuses; [UserFrom] reports false without a session, and on an outage or for a
// cross-origin request that [Manager.RequireUser] would refuse too. A guard further in
// acts on the same answer without asking the store again.
func (m *Manager) Load(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, a := m.load(r)
		if errors.Is(a.err, errNoCookie) {
			varyCookie(w.Header()) // anybody's answer, until there is a cookie
		} else {
			a.mark(w.Header())
		}
		if a.err != nil {
			if d := classify(a.err); d.Code == CodeUnavailable {
				m.record(r, d)
			}
		}
		h.ServeHTTP(w, r)
	})
}

// UserFrom returns the user that a guard or [Manager.Load] found; false if
// neither is in front of the handler, or nobody is signed in.
func UserFrom(ctx context.Context) (User, bool) {
	a, ok := ctx.Value(verdictKey{}).(*verdict)
	if !ok || a.err != nil {
		return User{}, false
	}
	return a.session.User, true
}

// SessionFrom returns the session, as [UserFrom] the user. Its Device is empty.
func SessionFrom(ctx context.Context) (Session, bool) {
	a, ok := ctx.Value(verdictKey{}).(*verdict)
	if !ok || a.err != nil {
		return Session{}, false
	}
	return a.session, true
}

type verdictKey struct{}

// verdict is what a request's cookie turned out to be. It is written once, before
// the handler runs. It is itself the context in which the handler finds it, and has
// room for what else a guarded request needs, so that they are one allocation.
type verdict struct {
	context.Context //nolint:containedctx // the request's own; it is one itself

	manager *Manager // whose cookie it is
	session Session
	err     error // nil: admitted
	call    storeContext
	header  [2]string
}

// Value implements [context.Context].
func (a *verdict) Value(key any) any {
	if key == (verdictKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// mark says that the answer is for this browser alone, and depends on who asks.
func (a *verdict) mark(h http.Header) {
	if h["Vary"] != nil {
		h.Set("Cache-Control", "no-store")
		varyCookie(h)
		return
	}
	a.header = [2]string{"no-store", "Cookie"}
	h["Cache-Control"], h["Vary"] = a.header[0:1:1], a.header[1:2:2]
}

// load returns the request with the answer in its context, asking the store
// unless this Manager has done so for this request.
func (m *Manager) load(r *http.Request) (*http.Request, *verdict) {
	if a, ok := r.Context().Value(verdictKey{}).(*verdict); ok && a.manager == m {
		return r, a
	}
	a := &verdict{
		Context: r.Context(),
		manager: m,
		call:    storeContext{Context: r.Context(), manager: m},
	}
	a.err = m.check(r, a)
	return r.WithContext(a), a //nolint:contextcheck // a is the request's context
}

var (
	errNoCookie    = errors.New("googlesession: no session cookie")
	errManyCookies = errors.New("googlesession: more than one session cookie")
	errBadCookie   = errors.New("googlesession: malformed session cookie")
	errForeignHost = errors.New("googlesession: host is not this machine")
)

// check decides who sends a request, and writes the session into a if it returns
// nil. It is the one decision; the guards only turn it into HTTP.
func (m *Manager) check(r *http.Request, a *verdict) error {
	if err := m.checkSource(r, m.origins); err != nil {
		return err
	}
	value, count := m.session.read(r)
	switch {
	case count == 0:
		return denial(CodeNoSession, errNoCookie)
	case count > 1:
		return denial(CodeNoSession, errManyCookies)
	}
	ref, ok := m.refOf(value)
	if !ok {
		return denial(CodeNoSession, errBadCookie)
	}
	if err := m.askFor(r.Context(), a, ref); err != nil {
		return err
	}
	if s := &a.session; s.Touched {
		m.emit(r.Context(), Event{Kind: EventTouched, Actor: s.User.ID, UserID: s.User.ID, Ref: ref})
	}
	return nil
}

// askFor is ask with a timeout, or with the request's deadline if that is nearer, and
// with nothing else of the request's end: see storeContext.
func (m *Manager) askFor(ctx context.Context, a *verdict, ref Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if at, ok := ctx.Deadline(); ok {
		ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), at)
		defer cancel()
		return m.checkRef(ctx, ref, m.cfg.TouchEvery, &a.session)
	}
	return m.ask(&a.call, ref, m.cfg.TouchEvery, &a.session) //nolint:contextcheck // it has the request's values
}

// checkRef is ask with a timeout.
func (m *Manager) checkRef(ctx context.Context, ref Ref, touchAfter time.Duration, s *Session) error {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	return m.ask(ctx, ref, touchAfter, s)
}

// ask asks the store. It writes the answer into s, the zero Session if there is an
// error: to return it would be to copy four hundred bytes once more, with each request.
func (m *Manager) ask(ctx context.Context, ref Ref, touchAfter time.Duration, s *Session) (err error) {
	*s, err = m.cfg.Sessions.CheckSession(ctx, ref, touchAfter)
	switch { // Stores promise the second and the third. A store that breaks this promise admits no one.
	case err != nil:
	case s.User.Disabled:
		err = ErrUserDisabled
	case s.User.ID == "" || UserTag(s.User.ID) != ref.Tag, s.isStale():
		err = ErrNoSession
	default:
		return nil
	}
	*s = Session{}
	return err
}

// isStale reports whether the session is of a token that its user's TokensAfter refuses.
// A server of an older version may have created it.
func (s *Session) isStale() bool {
	after := s.User.TokensAfter
	return !after.IsZero() && !s.TokenIssuedAt.After(after)
}
