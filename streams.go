package googlesession

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

const (
	defaultRecheck    = time.Minute
	minRecheck        = time.Second
	defaultMaxStreams = 10_000
)

// EndWithSession is for handlers that do not return soon, such as server-sent events
// and WebSockets: it cancels the request's context when its session ends, with the
// reason as [context.Cause], which is [ErrNoSession] or [ErrUserDisabled] by
// [errors.Is]. It does so, too, when an administrator becomes an ordinary user, with a
// [Denial] of [CodeNotAdmin], because the guard in front may have been for administrators.
//
// A session that this Manager ends is noticed at once. A session that expires or is ended
// elsewhere is noticed at the next look at the store, which is one at the start and then
// one every recheck, at least a second. Zero means a minute. The streams of one session
// share their looks. During an outage no stream is cancelled.
//
// It looks without recording a use, because an open stream does not show that a person is
// there, so the session may expire under it. Without a session it changes nothing. It
// works inside a guard and around one. A user who has [Config.MaxStreams] open streams is
// refused with 429 too_many_streams. A handler that has taken the connection over
// ([http.Hijacker]) has to close it itself when the context is done.
func (m *Manager) EndWithSession(recheck time.Duration) func(http.Handler) http.Handler {
	if recheck <= 0 {
		recheck = defaultRecheck
	}
	recheck = max(recheck, minRecheck)
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, a := m.load(r)
			if a.err != nil {
				h.ServeHTTP(w, r)
				return
			}
			ctx, cancel := context.WithCancelCause(r.Context())
			defer cancel(nil)
			s := &stream{ref: a.session.Ref, admin: a.session.User.Admin, recheck: recheck, cancel: cancel}
			if !m.join(ctx, s, a.session.ExpiresAt) { //nolint:contextcheck // load's request has the same one, with the answer
				m.refuse(w, r, denial(CodeTooManyStreams, nil))
				return
			}
			defer m.streams.leave(s)
			h.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // as above
		})
	}
}

// join begins to watch over a stream, or reports false if its user has too many.
func (m *Manager) join(ctx context.Context, s *stream, expires time.Time) bool {
	w, isNew, ok := m.streams.join(s, m.cfg.MaxStreams)
	if isNew {
		// The first stream may end before the others do. The store gets its values.
		ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
		w.running.Go(func() { m.watch(ctx, w, expires) })
	}
	return ok
}

// watch asks the store about a session again and again, until ctx is done or the session
// has ended. Each question begins after the waking that it is for.
func (m *Manager) watch(ctx context.Context, w *watcher, expires time.Time) {
	for {
		// Its own end may come first; the store's clock decides.
		timer := time.NewTimer(max(minRecheck, min(m.streams.recheck(w), time.Until(expires))))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-w.woken:
			timer.Stop()
		case <-timer.C:
		}
		question := m.streams.ask(w)
		var now Session
		err := m.checkRef(ctx, w.ref, neverTouch, &now)
		switch {
		case err == nil:
			expires = now.ExpiresAt
			m.streams.settle(w, question, now.User.Admin)
		case classify(err).Code == CodeUnavailable:
			expires = time.Now().Add(maxLifetime) // unknown: the next look is after recheck
		default:
			m.streams.end(w, err)
			return
		}
	}
}

// wakeEnded has those streams of the user look at the store whose session is not live any
// more, after a change that may have ended one to make room. A list is one question for
// all of the user's sessions.
func (m *Manager) wakeEnded(ctx context.Context, userID string) {
	tag := UserTag(userID)
	watched := m.streams.watched(tag)
	if len(watched) == 0 {
		return
	}
	live, err := m.Sessions(context.WithoutCancel(ctx), userID)
	if err != nil {
		m.streams.wakeUser(tag, nil)
		return
	}
	for _, ref := range watched {
		if !slices.ContainsFunc(live, func(s Session) bool { return s.Ref == ref }) {
			m.streams.wake(ref)
		}
	}
}

// wakeChanged has the user's streams look at the store after a change of the user store,
// which may be the session store too. After an outage the change may have been made.
func (m *Manager) wakeChanged(userID string, err error) {
	if errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrLastAdmin) {
		m.streams.wakeUser(UserTag(userID), nil)
	}
}
