package googlesession

import (
	"context"
	"sync/atomic"
	"time"
)

// A storeContext is the context of a guard's call to a store: it has the request's
// values, and a timeout of its own. It does not end with the request: a check is over in
// a moment, while to break one off costs an SQL server's connection, so that whoever
// hangs up again and again would cost one each time.
//
// Its timeout is one that it shares, and begins when the store looks at it, but for one
// look at Err: a store that answers at once, from memory, has none.
type storeContext struct {
	context.Context //nolint:containedctx // the request's; it is one itself

	manager *Manager
	asked   atomic.Bool
	begun   atomic.Pointer[timeout]
}

func (c *storeContext) begin() *timeout {
	if t := c.begun.Load(); t != nil {
		return t
	}
	c.begun.CompareAndSwap(nil, c.manager.beginTimeout())
	return c.begun.Load()
}

// Deadline implements [context.Context].
func (c *storeContext) Deadline() (time.Time, bool) { return c.begin().Deadline() }

// Done implements [context.Context].
func (c *storeContext) Done() <-chan struct{} { return c.begin().Done() }

// Err implements [context.Context].
func (c *storeContext) Err() error {
	if c.begun.Load() == nil && !c.asked.Swap(true) {
		return nil
	}
	return c.begin().Err()
}

// Value implements [context.Context]. The timeout has one value: package context finds
// it by that, and then starts no goroutine for a context that is derived from c.
func (c *storeContext) Value(key any) any {
	if v := c.begin().Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// A timeout is a context that ends by itself, for all calls that begin within a while:
// a timer for each call would be a tenth of what a check costs that asks a server.
type timeout struct {
	context.Context //nolint:containedctx // it is one itself

	began time.Time
	end   context.CancelFunc // before its time; nobody does
}

// timeoutShares: a call has StoreTimeout, less up to one part of so many.
const timeoutShares = 128

func (m *Manager) beginTimeout() *timeout {
	now := time.Now()
	if latest := m.timeout.Load(); latest != nil {
		if age := now.Sub(latest.began); 0 <= age && age < m.cfg.StoreTimeout/timeoutShares {
			return latest
		}
	}
	ctx, end := context.WithDeadline(context.Background(), now.Add(m.cfg.StoreTimeout)) //nolint:gosec // it ends by itself
	fresh := &timeout{ctx, now, end}
	m.timeout.Store(fresh)
	return fresh
}
