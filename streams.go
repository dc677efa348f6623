package googlesession

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	defaultRecheck = time.Minute
	minRecheck     = time.Second
)

// EndWithSession is for handlers that do not return soon, such as server-sent events
// and WebSockets: it cancels the request's context when its session ends, with the
// reason as [context.Cause], which is [ErrNoSession] or [ErrUserDisabled] by
// [errors.Is]. It does so, too, when an administrator becomes an ordinary user, with a
// [Denial] of [CodeNotAdmin]: the guard in front may have been for administrators. A session that this Manager ends is noticed at once; one that expires
// or is ended elsewhere at the next look at the store: one at the start, then every
// recheck, at least a second. Zero means a minute. While the store does not answer
// nothing ends.
//
// It looks without recording a use: a stream that is open is nobody's activity, so
// the session may expire under it. Without a session it changes nothing; it works
// inside a guard and around one. A handler that has taken the connection over
// ([http.Hijacker]) has to close it itself when the context is done.
func (m *Manager) EndWithSession(recheck time.Duration) func(http.Handler) http.Handler {
	if recheck <= 0 {
		recheck = defaultRecheck
	}
	recheck = max(recheck, minRecheck)
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:contextcheck // load's request has the same one, with the answer
			r, a := m.load(r)
			if a.err != nil {
				h.ServeHTTP(w, r)
				return
			}
			ctx, cancel := context.WithCancelCause(r.Context())
			woken := m.streams.add(a.session.Ref.Tag)
			var watcher sync.WaitGroup
			watcher.Go(func() { m.watch(ctx, cancel, a.session, woken, recheck) })
			defer watcher.Wait()
			defer m.streams.remove(a.session.Ref.Tag, woken)
			defer cancel(nil)
			h.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // as above
		})
	}
}

// watch asks the store again and again, until ctx is done.
func (m *Manager) watch(ctx context.Context, cancel context.CancelCauseFunc, s Session, woken <-chan struct{}, recheck time.Duration) {
	for {
		// Its own end may come first; the store's clock decides.
		timer := time.NewTimer(max(minRecheck, min(recheck, time.Until(s.ExpiresAt))))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-woken:
			timer.Stop()
		case <-timer.C:
		}
		var now Session
		err := m.checkRef(ctx, s.Ref, neverTouch, &now)
		switch {
		case err == nil && s.User.Admin && !now.User.Admin:
			cancel(denial(CodeNotAdmin, nil))
			return
		case err == nil:
			s = now
		case classify(err).Code == CodeUnavailable:
			s.ExpiresAt = time.Now().Add(recheck) // it cannot be asked at that time
		default:
			cancel(err)
			return
		}
	}
}

// streams are the requests that end with their session, by user. The zero value is
// ready.
type streams struct {
	mu    sync.Mutex
	byTag map[[12]byte]map[chan struct{}]bool
}

// add returns what wake wakes. It is awake at first: whoever ended the session between
// the guard's look and this has woken nobody.
func (s *streams) add(tag [12]byte) chan struct{} {
	woken := make(chan struct{}, 1)
	woken <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byTag == nil {
		s.byTag = make(map[[12]byte]map[chan struct{}]bool)
	}
	if s.byTag[tag] == nil {
		s.byTag[tag] = make(map[chan struct{}]bool)
	}
	s.byTag[tag][woken] = true
	return woken
}

func (s *streams) remove(tag [12]byte, woken chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byTag[tag], woken)
	if len(s.byTag[tag]) == 0 {
		delete(s.byTag, tag)
	}
}

// wake has all streams of a user look at the store: some of the user's sessions may
// have ended. It does not wait for them.
func (s *streams) wake(tag [12]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for woken := range s.byTag[tag] {
		select {
		case woken <- struct{}{}:
		default: // it is about to look anyway
		}
	}
}
