package googlesession

import (
	"context"
	"time"
)

// Every call to a store has a timeout, so that a store that hangs costs a request at most
// StoreTimeout. There are three kinds. A call that reads ends with the caller's context.
// A call that changes something does not, because a browser must not be able to stop a
// revocation by hanging up. A guard's call does not either, for the reason that the
// comment on guardContext gives.

// withStoreTimeout returns a context for one call to a store.
func (m *Manager) withStoreTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, m.cfg.StoreTimeout)
}

// detach returns a context for a change that must not stop half way. That context does
// not end with ctx, because a caller who has asked for a session's end and then hung up
// still wants it. detach returns an error if ctx is done already.
func detach(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable("context is done", err)
	}
	return context.WithoutCancel(ctx), nil
}

// callDetached runs call, which changes something in a store. The context of call has a
// timeout of its own and does not end with ctx.
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
	context.Context //nolint:containedctx // the timeout that many guard calls share; guardContext is itself a Context

	request context.Context //nolint:containedctx // the context of the request, used for its values only; guardContext is itself a Context
}

// Value implements [context.Context]. It asks the timeout before the request, because
// package context finds the timeout by a value and then starts no goroutine for a context
// derived from a guardContext.
func (c guardContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.request.Value(key)
}

// A sharedTimeout is a context that ends StoreTimeout after it began. All guards that ask
// a store within a short time share one sharedTimeout, because a timer for each call
// would take a tenth of the time of a check over the network.
type sharedTimeout struct {
	context.Context //nolint:containedctx // the timeout that many guard calls share; sharedTimeout is itself a Context

	began  time.Time
	cancel context.CancelFunc // not called, because the context ends by its timer
}

// timeoutShares sets how long calls share a timeout, which is until the timeout is
// StoreTimeout/timeoutShares old. A guard's timeout may be shorter than StoreTimeout by
// that much.
const timeoutShares = 128

// guardTimeout returns a context for a guard's call to a store, and the function that
// releases it. If the request has a deadline, the context has that deadline too.
func (m *Manager) guardTimeout(request context.Context) (context.Context, context.CancelFunc) {
	if at, ok := request.Deadline(); ok {
		at = earlier(at, time.Now().Add(m.cfg.StoreTimeout))
		return context.WithDeadline(context.WithoutCancel(request), at)
	}
	return guardContext{m.latestTimeout(), request}, func() {}
}

// latestTimeout returns the latest shared timeout, or a new one if the latest is too old
// or has ended. In tests a timeout can have ended before it is too old, because the clock
// of each bubble of testing/synctest begins at the same time.
func (m *Manager) latestTimeout() *sharedTimeout {
	now := time.Now()
	if latest := m.timeout.Load(); latest != nil && latest.Err() == nil {
		if age := now.Sub(latest.began); 0 <= age && age < m.cfg.StoreTimeout/timeoutShares {
			return latest
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(m.cfg.StoreTimeout)) //nolint:gosec // the context ends by its timer, so no timer leaks if cancel is not called
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
