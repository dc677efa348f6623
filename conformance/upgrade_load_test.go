package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A process is a server of some version. Each method is one call of that version's store, or
// the two calls of a sign-in. The method isLive records the use of a live session.
type process interface {
	signIn(ctx context.Context, userID string) (googlesession.Ref, error)
	isLive(ctx context.Context, r googlesession.Ref) (bool, error)
	list(ctx context.Context, userID string) (int, error)
	revoke(ctx context.Context, r googlesession.Ref) error
	revokeUser(ctx context.Context, userID string) error
	disable(ctx context.Context, userID string) error
	put(ctx context.Context, userID string) error
	purge(ctx context.Context) error
}

// A newProcess is a server of this version.
type newProcess struct{ store *sqlstore.Store }

func (p newProcess) signIn(ctx context.Context, userID string) (googlesession.Ref, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	u, err := p.store.SignIn(ctx, googlesession.Identity{Subject: userID, Email: "a@example.com", Name: "A", IssuedAt: time.Now()})
	if err != nil {
		return googlesession.Ref{}, err
	}
	n := newSession(u)
	n.TokenIssuedAt = time.Now()
	_, err = p.store.CreateSession(ctx, n)
	return n.Ref, err
}

func (p newProcess) isLive(ctx context.Context, r googlesession.Ref) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := p.store.CheckSession(ctx, r, 0)
	if errors.Is(err, googlesession.ErrNoSession) || errors.Is(err, googlesession.ErrUserDisabled) {
		return false, nil
	}
	return err == nil, err
}

func (p newProcess) list(ctx context.Context, userID string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sessions, err := p.store.Sessions(ctx, userID)
	if err != nil {
		return 0, err
	}
	if _, err := p.store.User(ctx, userID); err != nil {
		return 0, err
	}
	_, err = p.store.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: userID}, Limit: 10})
	return len(sessions), err
}

func (p newProcess) revoke(ctx context.Context, r googlesession.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := p.store.RevokeSession(ctx, r)
	return err
}

func (p newProcess) revokeUser(ctx context.Context, userID string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := p.store.RevokeUser(ctx, userID, nil)
	return err
}

func (p newProcess) disable(ctx context.Context, userID string) error {
	for _, disabled := range []bool{true, false} {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		_, err := p.store.SetAccess(ctx, userID, googlesession.AccessChange{Disabled: &disabled})
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func (p newProcess) put(ctx context.Context, userID string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := p.store.PutUser(ctx, googlesession.User{ID: userID, Email: "a@example.com", Name: "A", Version: 1})
	return err
}

func (p newProcess) purge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := p.store.Purge(ctx, 10)
	return err
}

// A load is what users do during an upgrade. Each worker has users of its own, and so it
// knows which of their sessions are live. Each of its calls goes to a process at random.
type load struct {
	filling *filling
	calls   atomic.Int64
	errs    []error         // by worker
	worst   []time.Duration // the slowest call, by worker
	before  []time.Duration // by worker, before the upgrade

	mu        sync.Mutex
	processes []process
	ended     map[int]bool // sessions of the filling that the load has ended

	stop    chan struct{}
	working sync.WaitGroup
}

// roundsBefore and roundsAfter are how many rounds each worker makes before the upgrade, and
// after it.
const (
	roundsBefore = 5
	roundsAfter  = 20
)

// startLoad returns when each worker has made roundsBefore.
func startLoad(tb testing.TB, f *filling, p process) *load {
	tb.Helper()
	const workers = 2
	l := &load{
		filling: f, errs: make([]error, workers), worst: make([]time.Duration, workers), before: make([]time.Duration, workers),
		processes: []process{p}, ended: map[int]bool{}, stop: make(chan struct{}),
	}
	var begun sync.WaitGroup
	begun.Add(workers)
	for w := range workers {
		l.working.Go(func() {
			for i := 0; l.errs[w] == nil && i < roundsBefore; i++ {
				l.errs[w] = l.round(tb.Context(), w, workers, i)
			}
			l.before[w] = l.worst[w]
			begun.Done()
			for i, rest := roundsBefore, 0; l.errs[w] == nil && rest < roundsAfter; i++ {
				l.errs[w] = l.round(tb.Context(), w, workers, i)
				select {
				case <-l.stop:
					rest++
				default:
				}
			}
		})
	}
	begun.Wait()
	return l
}

// join adds a process to which calls go from now on.
func (l *load) join(p process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.processes = append(l.processes, p)
}

// finish ends the load after roundsAfter, and returns the sessions of the filling that it has
// ended.
func (l *load) finish() map[int]bool {
	close(l.stop)
	l.working.Wait()
	return l.ended
}

// limit is how long a call may take. A machine may be slow without an upgrade.
func (l *load) limit() time.Duration { return max(storeTimeout, 20*slices.Max(l.before)) }

func (l *load) slowest() time.Duration { return slices.Max(l.worst) }

// call makes a call to a process at random.
func (l *load) call(w int, f func(process) error) error {
	l.mu.Lock()
	p := l.processes[rand.IntN(len(l.processes))] //nolint:gosec // not a secret
	l.mu.Unlock()
	began := time.Now()
	err := f(p)
	l.worst[w] = max(l.worst[w], time.Since(began))
	l.calls.Add(1)
	if err != nil {
		return fmt.Errorf("%T: %w", p, err)
	}
	return nil
}

// expect checks a session three times.
func (l *load) expect(ctx context.Context, w int, r googlesession.Ref, want bool, what string) error {
	for range 3 {
		err := l.call(w, func(p process) error {
			live, err := p.isLive(ctx, r)
			if err == nil && live != want {
				err = fmt.Errorf("%s is live: %v, want %v", what, live, want)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// round lets one of the worker's users sign in twice, and ends the sessions. It also checks
// and ends sessions of the filling.
func (l *load) round(ctx context.Context, w, workers, i int) error {
	userID := fmt.Sprintf("worker-%d-%d", w, i%50)
	var refs [2]googlesession.Ref
	for j := range refs {
		err := l.call(w, func(p process) (err error) { refs[j], err = p.signIn(ctx, userID); return err })
		if err != nil {
			return err
		}
		if err := l.expect(ctx, w, refs[j], true, "a new session"); err != nil {
			return err
		}
	}
	steps := []func(process) error{
		func(p process) error {
			n, err := p.list(ctx, userID)
			if err == nil && n != len(refs) {
				err = fmt.Errorf("%d sessions are listed, want %d", n, len(refs))
			}
			return err
		},
		func(p process) error { return p.revoke(ctx, refs[0]) },
	}
	for _, step := range steps {
		if err := l.call(w, step); err != nil {
			return err
		}
	}
	if err := l.expect(ctx, w, refs[0], false, "a revoked session"); err != nil {
		return err
	}
	if err := l.expect(ctx, w, refs[1], true, "the other session"); err != nil {
		return err
	}
	ends := []func(process) error{
		func(p process) error { return p.revoke(ctx, refs[1]) },
		func(p process) error { return p.revokeUser(ctx, userID) },
		func(p process) error { return p.disable(ctx, userID) },
	}
	if err := l.call(w, ends[i%len(ends)]); err != nil {
		return err
	}
	if err := l.expect(ctx, w, refs[1], false, "an ended session"); err != nil {
		return err
	}
	if i%10 == 0 {
		for _, step := range []func(process) error{
			func(p process) error { return p.put(ctx, "copy-"+userID) },
			func(p process) error { return p.purge(ctx) },
		} {
			if err := l.call(w, step); err != nil {
				return err
			}
		}
	}
	return l.useFilling(ctx, w, workers)
}

// useFilling checks sessions of the filling, and ends one of them. Worker w uses every
// workers-th session.
func (l *load) useFilling(ctx context.Context, w, workers int) error {
	for j := range 3 {
		i := rand.IntN(l.filling.sessions/workers)*workers + w //nolint:gosec // not a secret
		what, ref := fmt.Sprintf("session %d of the filling", i), l.filling.ref(i)
		l.mu.Lock()
		live := l.filling.isLive(i) && !l.ended[i]
		l.mu.Unlock()
		if err := l.expect(ctx, w, ref, live, what); err != nil {
			return err
		}
		if j > 0 {
			continue
		}
		if err := l.call(w, func(p process) error { return p.revoke(ctx, ref) }); err != nil {
			return err
		}
		l.mu.Lock()
		l.ended[i] = true
		l.mu.Unlock()
		if err := l.expect(ctx, w, ref, false, what); err != nil {
			return err
		}
	}
	return nil
}
