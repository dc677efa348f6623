package googlesession

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errProofEnded is the cause with which a stream ends when its proof does.
var errProofEnded = denial(CodeProofMissing, errors.New("googlesession: the stream's proof has ended"))

// streams holds the open requests that end with their session. The zero value is ready.
// Its methods are safe for concurrent use.
type streams struct {
	mu    sync.Mutex
	byTag map[[12]byte]*userStreams
}

// userStreams holds the open streams of one user.
type userStreams struct {
	count    int // number of streams, including cancelled streams whose handler has not returned
	watchers map[Ref]*watcher
}

// A watcher asks the store about one session for all of the session's streams. Its
// goroutine ends before the last stream's call of leave returns. When the session has
// ended, the watcher is removed from userStreams.
type watcher struct {
	ref     Ref
	woken   chan struct{} // holds at most one request to ask the store
	running sync.WaitGroup
	stop    context.CancelFunc // ends the goroutine; set by the stream that joined first

	// The mutex of streams guards the fields below.

	streams   map[*stream]bool
	admins    map[*stream]bool      // streams to cancel when the user stops being an administrator
	rechecks  map[time.Duration]int // how many streams have each recheck
	questions int                   // how many questions to the store have begun
}

// A stream is a request that ends with its session.
type stream struct {
	ref     Ref
	admin   bool // whether the user was an administrator when the guard decided
	proved  bool // whether the stream ends by itself with the proof of its request
	recheck time.Duration
	cancel  context.CancelCauseFunc
	watcher *watcher
	since   int // the number of the first question that began after the stream joined
}

// join adds a stream to the watcher of its session, and wakes the watcher, because a
// revocation between the guard's check and the call of join may have woken no watcher. It
// reports whether the watcher is new and has to be started. The result ok is false if the
// user already has maxStreams streams.
func (s *streams) join(st *stream, maxStreams int) (w *watcher, isNew, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byTag[st.ref.Tag]
	if u == nil {
		if s.byTag == nil {
			s.byTag = make(map[[12]byte]*userStreams)
		}
		u = &userStreams{watchers: make(map[Ref]*watcher)}
		s.byTag[st.ref.Tag] = u
	}
	if u.count >= maxStreams {
		return nil, false, false
	}
	w = u.watchers[st.ref]
	if w == nil {
		isNew = true
		w = &watcher{
			ref:      st.ref,
			woken:    make(chan struct{}, 1),
			streams:  make(map[*stream]bool),
			admins:   make(map[*stream]bool),
			rechecks: make(map[time.Duration]int),
		}
		u.watchers[st.ref] = w
	}
	st.watcher, st.since = w, w.questions+1
	u.count++
	w.streams[st] = true
	w.rechecks[st.recheck]++
	if st.admin {
		w.admins[st] = true
	}
	w.wake()
	return w, isNew, true
}

// leave removes a stream. If it was the last one of its watcher, leave waits until the
// watcher has ended.
func (s *streams) leave(st *stream) {
	if w := s.remove(st); w != nil {
		w.stop()
		w.running.Wait()
	}
}

// remove removes a stream, and returns its watcher if this was the watcher's last stream.
func (s *streams) remove(st *stream) *watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, u := st.watcher, s.byTag[st.ref.Tag]
	if u.count--; u.count == 0 {
		delete(s.byTag, st.ref.Tag)
	}
	delete(w.streams, st)
	delete(w.admins, st)
	if w.rechecks[st.recheck]--; w.rechecks[st.recheck] == 0 {
		delete(w.rechecks, st.recheck)
	}
	if len(w.streams) > 0 {
		return nil
	}
	if u.watchers[w.ref] == w {
		delete(u.watchers, w.ref)
	}
	return w
}

// recheck returns the shortest recheck among the watcher's streams.
func (s *streams) recheck(w *watcher) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	shortest := maxLifetime // the result if the last stream has left and the watcher is ending
	for d := range w.rechecks {
		shortest = min(shortest, d)
	}
	return shortest
}

// beginQuestion counts a question to the store that begins now, and returns its number.
func (s *streams) beginQuestion(w *watcher) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.questions++
	return w.questions
}

// settle applies an answer of the store, which says that the session is live and whether
// the user is an administrator. It leaves streams alone that joined after the question
// began, because their guard has a newer answer about the user.
func (s *streams) settle(w *watcher, question int, admin bool) {
	for _, st := range s.demoted(w, question, admin) {
		st.cancel(denial(CodeNotAdmin, nil))
	}
}

// demoted returns the streams to cancel if the user is not an administrator any more. If
// the user is an administrator, it notes that for streams that joined earlier and returns
// nil.
func (s *streams) demoted(w *watcher, question int, admin bool) (list []*stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if admin {
		if len(w.admins) < len(w.streams) { // some streams joined before the user became an administrator
			for st := range w.streams {
				if st.since <= question {
					w.admins[st] = true
				}
			}
		}
		return nil
	}
	for st := range w.admins {
		if st.since <= question {
			list = append(list, st)
			delete(w.admins, st)
		}
	}
	return list
}

// endUnproved cancels the streams that have no proof, if the session needs one from the given
// time on and that time has come. These streams began before the session was bound. It reports
// whether such streams are left.
func (s *streams) endUnproved(w *watcher, question int, from time.Time) (left bool) {
	list := s.unproved(w, question)
	if time.Now().Before(from) {
		return len(list) > 0
	}
	for _, st := range list {
		st.cancel(errProofEnded)
	}
	return false
}

// unproved returns the streams without a proof that joined before the question.
func (s *streams) unproved(w *watcher, question int) (list []*stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range w.streams {
		if !st.proved && st.since <= question {
			list = append(list, st)
		}
	}
	return list
}

// end cancels all streams of a session that has ended. That includes streams that joined
// after the question began, because an ended session does not come back. Streams that join
// from now on get a new watcher.
func (s *streams) end(w *watcher, cause error) {
	for _, st := range s.retire(w) {
		st.cancel(cause)
	}
}

// retire removes the watcher from userStreams and returns its streams.
func (s *streams) retire(w *watcher) []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.byTag[w.ref.Tag]; u != nil && u.watchers[w.ref] == w {
		delete(u.watchers, w.ref)
	}
	list := make([]*stream, 0, len(w.streams))
	for st := range w.streams {
		list = append(list, st)
	}
	return list
}

// watched returns those of the user's sessions that have open streams.
func (s *streams) watched(tag [12]byte) []Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byTag[tag]
	if u == nil {
		return nil
	}
	list := make([]Ref, 0, len(u.watchers))
	for ref := range u.watchers {
		list = append(list, ref)
	}
	return list
}

// wake makes the watcher of a session ask the store. It does not wait for the answer.
func (s *streams) wake(ref Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.byTag[ref.Tag]; u != nil && u.watchers[ref] != nil {
		u.watchers[ref].wake()
	}
}

// wakeUser is wake for all sessions of a user except *keep.
func (s *streams) wakeUser(tag [12]byte, keep *Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byTag[tag]
	if u == nil {
		return
	}
	for ref, w := range u.watchers {
		if keep == nil || *keep != ref {
			w.wake()
		}
	}
}

// wake makes the watcher ask the store, and never blocks. One waiting request is enough,
// because the question that it leads to begins later than everything that has woken the
// watcher so far.
func (w *watcher) wake() {
	select {
	case w.woken <- struct{}{}:
	default: // the watcher has been woken already and will ask
	}
}
