package conformance_test

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// A naive store is for the tests of the tests. Like many stores, it reads a record and
// writes it back in a second step to record a use. So it brings back a session that was
// removed in between, unless it is careful.
type naive struct {
	careful bool // it writes a record back only if the record is still there
	hasty   bool // it counts sessions and creates one in a second step, which is another mistake
	lax     bool // it refuses tokens and keeps their sessions, which is another mistake
	rash    bool // it compares Bindings and sets one in a second step, which is another mistake

	mu    sync.Mutex
	users map[string]*naiveUser
}

type naiveUser struct {
	user googlesession.User
	live map[googlesession.Ref]googlesession.Session
}

type naiveOption int

const (
	careful naiveOption = iota
	hasty
	lax
	rash
)

func newNaive(o ...naiveOption) *naive {
	return &naive{
		careful: slices.Contains(o, careful), hasty: slices.Contains(o, hasty), lax: slices.Contains(o, lax),
		rash: slices.Contains(o, rash), users: make(map[string]*naiveUser),
	}
}

// apply applies u if it is newer. It returns the user and whether u was applied. The caller
// holds the lock.
func (n *naive) apply(u googlesession.User) (*naiveUser, bool) {
	user := n.users[u.ID]
	if user == nil {
		user = &naiveUser{live: make(map[googlesession.Ref]googlesession.Session)}
		n.users[u.ID] = user
	}
	if u.Version <= user.user.Version {
		return user, false
	}
	user.user = u
	maps.DeleteFunc(user.live, func(_ googlesession.Ref, s googlesession.Session) bool {
		return u.Disabled || !n.lax && user.stale(s.TokenIssuedAt)
	})
	return user, true
}

func (u *naiveUser) stale(token time.Time) bool { return !token.After(u.user.TokensAfter) }

func (n *naive) CreateSession(_ context.Context, s googlesession.NewSession) (googlesession.Session, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	user, _ := n.apply(s.User)
	if user.user.Disabled {
		return googlesession.Session{}, googlesession.ErrUserDisabled
	}
	if user.stale(s.TokenIssuedAt) { // all tokens of the recorder have a time
		return googlesession.Session{}, googlesession.ErrStaleToken
	}
	others := maps.Clone(user.live)
	if s.Replaces != nil {
		delete(others, *s.Replaces)
	}
	if s.Max > 0 && len(others) >= s.Max { // the recorder always sets RefuseOverMax
		return googlesession.Session{}, googlesession.ErrTooManySessions
	}
	if n.hasty {
		n.mu.Unlock()
		runtime.Gosched()
		n.mu.Lock()
	}
	session := googlesession.Session{Ref: s.Ref, User: user.user, TokenIssuedAt: s.TokenIssuedAt}
	user.live[s.Ref] = session
	return session, nil
}

func (n *naive) CheckSession(_ context.Context, r googlesession.Ref, _ time.Duration) (googlesession.Session, error) {
	user, session, ok := n.find(r)
	if !ok {
		return googlesession.Session{}, googlesession.ErrNoSession
	}
	runtime.Gosched()
	n.mu.Lock()
	defer n.mu.Unlock()
	written := session
	now, there := user.live[r]
	if n.careful {
		written.Binding = now.Binding
	}
	if there || !n.careful {
		user.live[r] = written
	}
	return session, nil
}

func (n *naive) find(r googlesession.Ref) (*naiveUser, googlesession.Session, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, user := range n.users {
		if session, ok := user.live[r]; ok {
			session.User = user.user
			return user, session, true
		}
	}
	return nil, googlesession.Session{}, false
}

func (n *naive) RevokeSession(_ context.Context, r googlesession.Ref) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, user := range n.users {
		if _, ok := user.live[r]; ok {
			delete(user.live, r)
			return true, nil
		}
	}
	return false, nil
}

func (n *naive) RevokeUser(_ context.Context, userID string, keep *googlesession.Ref) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	user := n.users[userID]
	if user == nil {
		return 0, nil
	}
	before := len(user.live)
	maps.DeleteFunc(user.live, func(r googlesession.Ref, _ googlesession.Session) bool { return keep == nil || r != *keep })
	return before - len(user.live), nil
}

func (n *naive) PutUser(_ context.Context, u googlesession.User) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, applied := n.apply(u)
	return applied, nil
}

// No client of a history lists sessions.
func (n *naive) Sessions(context.Context, string) ([]googlesession.Session, error) { return nil, nil }

func (n *naive) AllSessions(context.Context, string, int) ([]googlesession.Session, string, error) {
	return nil, "", nil
}

// A joining store sends one check at a time for each session. Other checks of that session
// wait for the same answer. So a check that begins after a revocation has returned may get
// an answer from before it.
type joining struct {
	googlesession.BindingStore

	mu      sync.Mutex
	flights map[googlesession.Ref]*flight
}

type flight struct {
	done    chan struct{}
	session googlesession.Session
	err     error
}

func (j *joining) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	j.mu.Lock()
	if f := j.flights[r]; f != nil {
		j.mu.Unlock()
		<-f.done
		return f.session, f.err
	}
	if j.flights == nil {
		j.flights = make(map[googlesession.Ref]*flight)
	}
	f := &flight{done: make(chan struct{})}
	j.flights[r] = f
	j.mu.Unlock()
	f.session, f.err = j.BindingStore.CheckSession(ctx, r, touchAfter)
	for range 20 { // for about as long as a network would take
		runtime.Gosched()
	}
	j.mu.Lock()
	delete(j.flights, r)
	j.mu.Unlock()
	close(f.done)
	return f.session, f.err
}

// An outage is a store that gives no answers for a while. Every second call takes effect
// nevertheless.
type outage struct {
	*naive

	loses bool // after the outage the store has an older state

	turn  sync.Mutex
	calls int
	saved map[string]*naiveUser
}

// An outage saves its state, begins and ends with the calls of these numbers.
const (
	outageSaves  = 200
	outageBegins = 400
	outageEnds   = 600
)

func (o *outage) CreateSession(ctx context.Context, s googlesession.NewSession) (googlesession.Session, error) {
	return during(o, func() (googlesession.Session, error) { return o.naive.CreateSession(ctx, s) })
}

func (o *outage) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	return during(o, func() (googlesession.Session, error) { return o.naive.CheckSession(ctx, r, touchAfter) })
}

func (o *outage) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	return during(o, func() (bool, error) { return o.naive.RevokeSession(ctx, r) })
}

func (o *outage) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	return during(o, func() (int, error) { return o.naive.RevokeUser(ctx, userID, keep) })
}

func (o *outage) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	return during(o, func() (bool, error) { return o.naive.PutUser(ctx, u) })
}

func during[T any](o *outage, call func() (T, error)) (T, error) {
	o.turn.Lock()
	o.calls++
	n := o.calls
	switch {
	case n == outageSaves:
		o.saved = o.save()
	case n == outageEnds && o.loses:
		o.restore(o.saved)
	}
	o.turn.Unlock()
	if n < outageBegins || n >= outageEnds {
		return call()
	}
	if n%2 == 0 {
		_, _ = call()
	}
	var none T
	return none, googlesession.ErrUnavailable
}

func (n *naive) save() map[string]*naiveUser {
	n.mu.Lock()
	defer n.mu.Unlock()
	saved := make(map[string]*naiveUser)
	for id, user := range n.users {
		saved[id] = &naiveUser{user.user, maps.Clone(user.live)}
	}
	return saved
}

func (n *naive) restore(saved map[string]*naiveUser) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.users = saved
}
