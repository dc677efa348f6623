package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// A flakyStore is a memory store that behaves as if a network were in front of it.
type flakyStore struct {
	store *memstore.Store

	mu     sync.Mutex
	refuse bool
	lose   int // one in this many answers is lost; 0 means none
	delay  time.Duration
	thawed chan struct{} // a closed channel unless the store is frozen
}

func newFlakyStore(store *memstore.Store) *flakyStore {
	thawed := make(chan struct{})
	close(thawed)
	return &flakyStore{store: store, thawed: thawed}
}

func (f *flakyStore) set(change func(*flakyStore)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func outage(what string) error {
	return fmt.Errorf("%w: soak: %s", googlesession.ErrUnavailable, what)
}

// through calls the store with the faults that are set. A call that waits in a frozen store
// until ctx ends returns an outage. If late is true, the store executes that call
// nevertheless when it thaws.
func through[T any](ctx context.Context, f *flakyStore, late bool, call func(context.Context) (T, error)) (T, error) {
	var none T
	f.mu.Lock()
	refuse, lose, delay, thawed := f.refuse, f.lose, f.delay, f.thawed
	f.mu.Unlock()
	if refuse {
		return none, outage("refused")
	}
	if delay > 0 {
		pause(ctx, rand.N(delay)) //nolint:gosec // the random delay of a call is not a secret
	}
	select {
	case <-thawed:
	case <-ctx.Done():
		if late {
			go func() {
				<-thawed
				_, _ = call(context.WithoutCancel(ctx))
			}()
		}
		return none, fmt.Errorf("%w: %w", outage("frozen"), ctx.Err())
	}
	answer, err := call(ctx)
	if lose > 0 && rand.IntN(lose) == 0 { //nolint:gosec // the random choice of the lost answer is not a secret
		return none, outage("answer lost")
	}
	return answer, err
}

func (f *flakyStore) CreateSession(ctx context.Context, s googlesession.NewSession) (googlesession.Session, error) {
	return through(ctx, f, true, func(ctx context.Context) (googlesession.Session, error) { return f.store.CreateSession(ctx, s) })
}

func (f *flakyStore) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	return through(ctx, f, false, func(ctx context.Context) (googlesession.Session, error) {
		return f.store.CheckSession(ctx, r, touchAfter)
	})
}

func (f *flakyStore) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	return through(ctx, f, true, func(ctx context.Context) (bool, error) { return f.store.RevokeSession(ctx, r) })
}

func (f *flakyStore) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	return through(ctx, f, true, func(ctx context.Context) (int, error) { return f.store.RevokeUser(ctx, userID, keep) })
}

func (f *flakyStore) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	return through(ctx, f, false, func(ctx context.Context) (bool, error) { return f.store.PutUser(ctx, u) })
}

func (f *flakyStore) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	return through(ctx, f, false, func(ctx context.Context) ([]googlesession.Session, error) { return f.store.Sessions(ctx, userID) })
}

func (f *flakyStore) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	return through(ctx, f, false, func(ctx context.Context) (googlesession.User, error) { return f.store.SignIn(ctx, id) })
}

func (f *flakyStore) User(ctx context.Context, id string) (googlesession.User, error) {
	return through(ctx, f, false, func(ctx context.Context) (googlesession.User, error) { return f.store.User(ctx, id) })
}

func (f *flakyStore) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	return through(ctx, f, false, func(ctx context.Context) ([]googlesession.User, error) { return f.store.Users(ctx, q) })
}

func (f *flakyStore) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	return through(ctx, f, false, func(ctx context.Context) (googlesession.User, error) { return f.store.SetAccess(ctx, id, a) })
}

func (f *flakyStore) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	return through(ctx, f, false, func(ctx context.Context) (googlesession.User, error) { return f.store.RefuseTokens(ctx, id, t) })
}

func (f *flakyStore) DeleteUser(ctx context.Context, id string) error {
	_, err := through(ctx, f, false, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.store.DeleteUser(ctx, id) })
	return err
}

func (f *flakyStore) AllSessions(ctx context.Context, after string, limit int) (page []googlesession.Session, next string, err error) {
	page, err = through(ctx, f, false, func(ctx context.Context) (page []googlesession.Session, err error) {
		page, next, err = f.store.AllSessions(ctx, after, limit)
		return page, err
	})
	return page, next, err
}

func (f *flakyStore) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	return through(ctx, f, false, func(ctx context.Context) (googlesession.User, error) { return f.store.SetData(ctx, id, data, old) })
}

func (f *flakyStore) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) ([]googlesession.BrowserID, error) {
	return through(ctx, f, false, func(ctx context.Context) ([]googlesession.BrowserID, error) { return f.store.Browsers(ctx, id, seen) })
}
