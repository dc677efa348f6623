package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// ask runs a method that reads.
func ask[T any](ctx context.Context, s *Store, doing string, work func() (T, error)) (T, error) {
	var value T
	var err error
	if s.driver.heeds {
		value, err = attempt(ctx, s, work)
	} else {
		value, err = outrun(ctx, func() (T, error) { return attempt(ctx, s, work) })
	}
	return verdict(ctx, s, doing, value, err)
}

// act runs a method that writes. If the time is over when the work is done, the outcome
// counts as unknown: a server that was told to give up may have stopped to wait for its
// standby, and calls that a success.
func act[T any](ctx context.Context, s *Store, doing string, work func() (T, error)) (T, error) {
	value, err := outrun(ctx, func() (T, error) { return attempt(ctx, s, work) })
	if err == nil {
		err = ctx.Err()
	}
	return verdict(ctx, s, doing, value, err)
}

// attempt runs work and looks after the pool if it was refused.
func attempt[T any](ctx context.Context, s *Store, work func() (T, error)) (T, error) {
	value, err := work()
	if err != nil {
		s.discardAfter(ctx, err)
	}
	return value, err
}

func verdict[T any](ctx context.Context, s *Store, doing string, value T, err error) (T, error) {
	if err != nil {
		var none T
		return none, s.classify(ctx, doing, err)
	}
	return value, nil
}

// outrun returns what work returns, or the context's error if the context ends first.
//
// Then work goes on, in a goroutine that outlives the call, because it cannot be
// stopped: database/sql gives a driver no context for COMMIT and ROLLBACK, and some
// drivers wait for a server's answer however long it takes. The driver's own timeouts
// bound it, or the end of its connection. All later steps of work fail at once, since
// they have the same context; what it returns is thrown away; and it releases its
// connection, its lane and its lock itself.
func outrun[T any](ctx context.Context, work func() (T, error)) (T, error) {
	if ctx.Done() == nil {
		return work()
	}
	type result struct {
		value    T
		err      error
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errUnfinished}
		defer func() {
			// A panic belongs to the caller, whose server may catch it.
			if p := recover(); p != nil {
				r.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			done <- r
		}()
		r.value, r.err = work()
	}()
	select {
	case r := <-done:
		if r.panicked != nil {
			panic(r.panicked)
		}
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// errUnfinished: a hook of a test's or of a driver's has ended the goroutine.
var errUnfinished = errors.New("call did not finish")

// share returns a context for what a call can do without. It has a quarter of the time
// that is left.
func share(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/4)
}
