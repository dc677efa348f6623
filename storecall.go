package googlesession

import (
	"context"
	"time"
)

// Every call to a store has a timeout, so that a store that hangs costs a request at most
// StoreTimeout. There are three kinds. A call that reads ends with the caller's context. A
// call that changes something does not, because a browser must not be able to stop a
// revocation by hanging up. A guard's call does not either, for the reason below.

// withStoreTimeout returns a context for one call to a store.
func (m *Manager) withStoreTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, m.cfg.StoreTimeout)
}

// detach begins a change that must not stop half way. It returns an error if ctx is done
// already. The context that it returns does not end with ctx, because a caller who has
// asked for a session's end and then hung up still wants it.
func detach(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable("context is done", err)
	}
	return context.WithoutCancel(ctx), nil
}

// callDetached calls a store to change something. The call has a timeout of its own and
// does not end with ctx.
func (m *Manager) callDetached(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := m.withStoreTimeout(context.WithoutCancel(ctx))
	defer cancel()
	return call(ctx)
}

// A guardContext is the context of a guard's call to a store. It has the values of the
// request and the timeout of many requests. It does not end with the request, because
// database/sql drops the connection of a cancelled query, and a client that keeps hanging up
// could drain the pool.
type guardContext struct {
	context.Context //nolint:containedctx // a shared timeout; this type is a context itself

	request context.Context //nolint:containedctx // for its values
}

// Value implements [context.Context]. The timeout comes first, because package context
// finds it by a value and then starts no goroutine for a context derived from this one.
func (c guardContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.request.Value(key)
}

// A sharedTimeout is a context that ends StoreTimeout after it began. All guards that ask a
// store within a short time share one, because a timer for each call would take a tenth of
// the time of a check over the network.
type sharedTimeout struct {
	context.Context //nolint:containedctx // the shared one

	began  time.Time
	cancel context.CancelFunc // not called, because the context ends by its timer
}

// timeoutShares says how long calls share a timeout. They do so until the timeout is
// StoreTimeout/timeoutShares old, so a guard's timeout may be that much shorter than
// StoreTimeout.
const timeoutShares = 128

// guardTimeout returns a context for a guard's call to a store, and its release. If the
// request has a deadline of its own, the call has that too.
func (m *Manager) guardTimeout(request context.Context) (context.Context, context.CancelFunc) {
	if at, ok := request.Deadline(); ok {
		at = earlier(at, time.Now().Add(m.cfg.StoreTimeout))
		return context.WithDeadline(context.WithoutCancel(request), at)
	}
	return guardContext{m.latestTimeout(), request}, func() {}
}

// latestTimeout returns the latest shared timeout, or a new one if that is too old or has
// ended. One that is not too old can have ended in tests, because the clock of each bubble of
// testing/synctest begins at the same time.
func (m *Manager) latestTimeout() *sharedTimeout {
	now := time.Now()
	if latest := m.timeout.Load(); latest != nil && latest.Err() == nil {
		if age := now.Sub(latest.began); 0 <= age && age < m.cfg.StoreTimeout/timeoutShares {
			return latest
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(m.cfg.StoreTimeout)) //nolint:gosec // its timer ends it
	fresh := &sharedTimeout{ctx, now, cancel}
	m.timeout.Store(fresh)
	return fresh
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
