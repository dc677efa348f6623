package googlesession

import (
	"context"
	"sync/atomic"
	"time"
)

// A storeContext is a request's context with a timeout, for one call to a store. Its
// timer begins when the store waits, or asks for the second time: a store that
// answers at once, from memory, pays for none.
type storeContext struct {
	context.Context //nolint:containedctx // the request's; it is one itself

	timeout time.Duration
	asked   atomic.Bool
	timer   atomic.Pointer[storeTimer]
}

type storeTimer struct {
	context.Context //nolint:containedctx // as above

	cancel context.CancelFunc
}

// start returns the context with the timer, which it starts if there is none.
func (c *storeContext) start() *storeTimer {
	if t := c.timer.Load(); t != nil {
		return t
	}
	ctx, cancel := context.WithTimeout(c.Context, c.timeout)
	t := &storeTimer{ctx, cancel}
	if !c.timer.CompareAndSwap(nil, t) {
		cancel()
	}
	return c.timer.Load()
}

// stop ends the timer, and reports whether there is one. The store's call is over.
func (c *storeContext) stop() bool {
	t := c.timer.Load()
	if t != nil {
		t.cancel()
	}
	return t != nil
}

// Deadline implements [context.Context].
func (c *storeContext) Deadline() (time.Time, bool) { return c.start().Deadline() }

// Done implements [context.Context].
func (c *storeContext) Done() <-chan struct{} { return c.start().Done() }

// Err implements [context.Context].
func (c *storeContext) Err() error {
	if c.timer.Load() == nil && !c.asked.Swap(true) {
		return c.Context.Err()
	}
	return c.start().Err()
}

// Value implements [context.Context]. Where there is a timer, it leads to its context:
// then those derived from it need no goroutine to end with it.
func (c *storeContext) Value(key any) any {
	if t := c.timer.Load(); t != nil {
		return t.Value(key)
	}
	return c.Context.Value(key)
}
