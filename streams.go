package googlesession

import (
	"context"
	"net/http"
	"slices"
	"time"
)

const (
	defaultRecheck = time.Minute
	minRecheck     = time.Second
)

// EndWithSession returns a middleware for handlers that run for long, such as server-sent
// events and WebSockets. It cancels the context of the request when its session ends.
// [context.Cause] then returns the reason, which matches [ErrNoSession] or
// [ErrUserDisabled] under [errors.Is]. When an administrator becomes an ordinary user, it
// cancels too, with a [Denial] of [CodeNotAdmin], because the guard in front may have been
// [Manager.RequireAdmin]. It works inside a guard and around one. Without a session it
// changes nothing.
//
// A session that this Manager ends is noticed at once. To notice a session that expires
// or that another server ends, it asks the store when the stream begins and then once per
// recheck, for all streams of a session together. A recheck of zero or less means a
// minute, and any other of less than a second means a second. During an outage it cancels
// no stream.
//
// If the session is bound to its browser ([Config.DeviceBinding]), the context ends with the
// proof that the request brought, at most [Config.BoundFor] and a minute later. The cause is a
// Denial of [CodeProofMissing], which does not match ErrNoSession, because the session goes on.
// An EventSource opens the stream again by itself, and a page opens its WebSocket again. If a
// guard admits a session only because its browser may still bind it, the context ends two minutes
// after the sign-in with a Denial of [CodeBindingNeeded].
//
// An open stream does not count as a use of the session, because it does not show that a
// person is there, so the session may expire meanwhile. The request that opens it counts like
// any other, unless it is inside [Manager.WithoutUse]. That helps if the page opens its stream
// again by itself, as an EventSource does after an interruption. If a user has [Config.MaxStreams]
// open streams, the middleware refuses the next (429 too_many_streams). A handler that has
// taken the connection over ([http.Hijacker]) has to close it when the context is done.
func (m *Manager) EndWithSession(recheck time.Duration) func(http.Handler) http.Handler {
	if recheck <= 0 {
		recheck = defaultRecheck
	}
	recheck = max(recheck, minRecheck)
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, auth := m.authenticate(r)
			if auth.err != nil {
				h.ServeHTTP(w, r)
				return
			}
			ctx := r.Context()
			if !auth.provedUntil.IsZero() {
				var stop context.CancelFunc
				ctx, stop = context.WithDeadlineCause(ctx, auth.provedUntil, errProofEnded)
				defer stop()
			}
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			s := &stream{
				ref: auth.session.Ref, admin: auth.session.User.Admin, proved: !auth.provedUntil.IsZero(), recheck: recheck, cancel: cancel,
			}
			if !m.watchStream(ctx, s, auth.session.ExpiresAt) { //nolint:contextcheck // ctx is derived from the context of r
				m.denyGuarded(w, r, denial(CodeTooManyStreams, nil))
				return
			}
			defer m.streams.leave(s)
			defer m.endUnbound(auth, cancel)()
			h.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // ctx is derived from the context of r
		})
	}
}

// watchStream begins to watch over a stream. It reports false if the user has too many
// streams.
func (m *Manager) watchStream(ctx context.Context, s *stream, expires time.Time) bool {
	w, isNew, ok := m.streams.join(s, m.cfg.MaxStreams)
	if isNew {
		// The watch goes on when the first stream ends before the others, so ctx loses the
		// cancellation of that stream. The store gets the values of the first stream's
		// context.
		ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
		w.running.Go(func() { m.watch(ctx, w, expires) })
	}
	return ok
}

// watch asks the store about a session whenever it is woken and every recheck, until ctx
// is done or the session has ended. A question to the store begins after the waking that
// caused it, so the answer is not older than the waking.
func (m *Manager) watch(ctx context.Context, w *watcher, expires time.Time) {
	for {
		// The session may expire before the next recheck, by the store's clock.
		timer := time.NewTimer(max(minRecheck, min(m.streams.recheck(w), time.Until(expires))))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-w.woken:
			timer.Stop()
		case <-timer.C:
		}
		question := m.streams.beginQuestion(w)
		now, err := m.checkWithoutUse(ctx, w.ref)
		switch {
		case err == nil:
			expires = now.ExpiresAt
			m.streams.settle(w, question, now.User.Admin)
			if grace, ok := m.graceEnd(&now); ok && m.streams.endUnproved(w, question, grace) {
				expires = earlier(expires, grace)
			}
		case denialFor(err).Code == CodeUnavailable:
			expires = time.Now().Add(maxLifetime) // the expiry is unknown, so the next question is after recheck
		default:
			m.streams.end(w, err)
			return
		}
	}
}

// wakeEnded wakes the watches over those of the user's sessions that are not live any
// more. It is called after a sign-in, which may have ended a session to make room. It
// reads the user's list of sessions, so it asks the store once and not once per session.
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
