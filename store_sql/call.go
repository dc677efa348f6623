package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// runRead runs the work of a method that reads. The text doing says in an error what the
// method was doing.
func runRead[T any](ctx context.Context, s *Store, doing string, work func() (T, error)) (T, error) {
	var value T
	var err error
	if s.driver.cancels {
		value, err = runAndDiscard(ctx, s, work)
	} else {
		value, err = runOrAbandon(ctx, func() (T, error) { return runAndDiscard(ctx, s, work) })
	}
	return withContractError(ctx, s, doing, value, err)
}

// runWrite runs the work of a method that writes. If ctx has ended when the work is done,
// runWrite returns an error even if the work succeeded, and the outcome counts as
// unknown, because a server that was told to cancel may report success although it has
// stopped waiting for its standby.
func runWrite[T any](ctx context.Context, s *Store, doing string, work func() (T, error)) (T, error) {
	value, err := runOrAbandon(ctx, func() (T, error) { return runAndDiscard(ctx, s, work) })
	if err == nil {
		err = ctx.Err()
	}
	return withContractError(ctx, s, doing, value, err)
}

// runAndDiscard runs work. If a standby refused the work, runAndDiscard closes idle
// connections that lead to standbys.
func runAndDiscard[T any](ctx context.Context, s *Store, work func() (T, error)) (T, error) {
	value, err := work()
	if err != nil {
		s.discardAfter(ctx, err)
	}
	return value, err
}

func withContractError[T any](ctx context.Context, s *Store, doing string, value T, err error) (T, error) {
	if err != nil {
		var none T
		return none, s.contractError(ctx, doing, err)
	}
	return value, nil
}

// runOrAbandon returns what work returns, or the context's error if the context ends
// first.
//
// If the context ends first, work goes on in a goroutine that outlives the call. The
// goroutine cannot be stopped, because database/sql gives a driver no context for COMMIT
// and ROLLBACK, and some drivers wait for a server's answer without a limit. The
// goroutine ends with the driver's own timeouts or with its connection. All later steps
// of work fail at once, because they have the same context. The result of work is
// dropped, and work itself releases its connection, its lane and its lock.
func runOrAbandon[T any](ctx context.Context, work func() (T, error)) (T, error) {
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
			// The panic is repeated in the caller's goroutine, where an HTTP server recovers it.
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

// errUnfinished is the error of a call whose work has ended its own goroutine, as a hook
// of a test or of a driver can do with runtime.Goexit.
var errUnfinished = errors.New("call ended its goroutine (runtime.Goexit)")

// withQuarter returns a context for work that a call does not need to finish. If ctx has
// a deadline, the context ends after a quarter of the time that is left.
func withQuarter(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/4)
}
