package googlesession_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

const storeTimeout = 2 * time.Second

// A checker is a store whose only method is written by the test.
type checker struct {
	googlesession.SessionStore

	check func(context.Context) error
}

func (c checker) CheckSession(ctx context.Context, r googlesession.Ref, _ time.Duration) (googlesession.Session, error) {
	return googlesession.Session{Ref: r, User: googlesession.User{ID: "alice"}}, c.check(ctx)
}

// checked sends alice's cookie through a guard, with a store whose CheckSession is check.
func checked(ctx context.Context, t *testing.T, check func(context.Context) error) int {
	t.Helper()
	return checker{check: check}.guarded(t)(ctx)
}

func (c checker) guarded(t *testing.T) func(context.Context) (status int) {
	t.Helper()
	m, err := googlesession.New(googlesession.Config{Sessions: c, StoreTimeout: storeTimeout, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	token, _ := m.NewToken("alice")
	h := m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "in")
	}))
	return func(ctx context.Context) int {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		r.Header.Set("Cookie", sessionCookie+"="+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
}

// A store's context ends after StoreTimeout and gives the reason, in whichever way the store
// uses it.
func TestStoreTimeout(t *testing.T) {
	for _, tt := range []struct {
		name string
		wait func(context.Context) error
	}{
		{"waits for Done", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}},
		{"asks for the error first", func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}},
		{"asks for the error in a loop", func(ctx context.Context) error {
			for ctx.Err() == nil {
				advance(time.Millisecond)
			}
			return ctx.Err()
		}},
		{"asks for the deadline", func(ctx context.Context) error {
			at, ok := ctx.Deadline()
			require.True(t, ok)
			advance(time.Until(at) + time.Millisecond)
			return ctx.Err()
		}},
		{"derives a context", func(ctx context.Context) error {
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			<-derived.Done()
			require.ErrorIs(t, context.Cause(derived), context.DeadlineExceeded)
			return derived.Err()
		}},
		{"has an own timeout, longer", func(ctx context.Context) error {
			derived, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-derived.Done()
			return derived.Err()
		}},
		{"asks from many goroutines", func(ctx context.Context) error {
			errs := make(chan error)
			for range 10 {
				go func() {
					<-ctx.Done()
					errs <- ctx.Err()
				}()
			}
			for range 9 {
				if err := <-errs; err == nil {
					return nil
				}
			}
			return <-errs
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ask := checker{check: func(ctx context.Context) error {
					err := tt.wait(ctx)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					return err
				}}.guarded(t)
				for range 2 {
					began := time.Now()
					require.Equal(t, http.StatusServiceUnavailable, ask(t.Context()))
					require.WithinDuration(t, began.Add(storeTimeout), time.Now(), storeTimeout/64)
				}
			})
		})
	}
}

// A store's context keeps the other promises of a context.
func TestStoreContext(t *testing.T) {
	type key struct{}
	for name, look := range map[string]func(context.Context){
		"before": func(context.Context) {},
		"after":  func(ctx context.Context) { ctx.Done() },
	} {
		t.Run(name, func(t *testing.T) {
			parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
			require.Equal(t, http.StatusOK, checked(parent, t, func(ctx context.Context) error {
				look(ctx)
				require.Equal(t, "value", ctx.Value(key{}))
				require.NoError(t, ctx.Err())
				require.NoError(t, ctx.Err(), "twice")
				cancel()
				require.NoError(t, ctx.Err(), "it does not end with the request")
				require.NoError(t, context.Cause(ctx))
				return nil
			}))
			require.Equal(t, http.StatusServiceUnavailable, checked(parent, t, func(context.Context) error {
				require.Fail(t, "the store was asked about a request that has ended")
				return nil
			}))
		})
	}
	t.Run("a deadline of the request", func(t *testing.T) {
		at := time.Now().Add(time.Second)
		near, cancel := context.WithDeadline(t.Context(), at)
		defer cancel()
		checked(near, t, func(ctx context.Context) error {
			got, ok := ctx.Deadline()
			require.True(t, ok)
			require.True(t, got.Equal(at))
			cancel()
			require.NoError(t, ctx.Err(), "the request's deadline counts, its cancellation does not")
			return nil
		})
	})
	t.Run("no goroutine for a derived context", func(t *testing.T) {
		checked(t.Context(), t, func(ctx context.Context) error {
			before := runtime.NumGoroutine()
			_, cancel := context.WithCancel(ctx)
			defer cancel()
			require.Equal(t, before, runtime.NumGoroutine())
			return nil
		})
	})
}

// Calls that follow each other closely share a timeout. It is not longer than StoreTimeout
// and not much shorter, and it does not end with one of the calls.
func TestStoreTimeoutShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends []time.Time
		ask := checker{check: func(ctx context.Context) error {
			require.NoError(t, ctx.Err())
			at, ok := ctx.Deadline()
			require.True(t, ok)
			left := time.Until(at)
			require.LessOrEqual(t, left, storeTimeout)
			require.Greater(t, left, storeTimeout-storeTimeout/64)
			ends = append(ends, at)
			return nil
		}}.guarded(t)
		for range 10 * 128 {
			require.Equal(t, http.StatusOK, ask(t.Context()))
			advance(storeTimeout / 1000)
		}
		require.Less(t, len(slices.CompactFunc(ends, time.Time.Equal)), 10*128/5)
	})
}

// The clock of each synctest bubble begins at the same time. A Manager that is used in
// several bubbles does not give a call the timeout that ended in an earlier bubble.
func TestStoreTimeoutInLaterBubble(t *testing.T) {
	ask := checker{check: func(ctx context.Context) error { return ctx.Err() }}.guarded(t)
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			require.Equal(t, http.StatusOK, ask(t.Context()))
			advance(storeTimeout + time.Second)
		})
	}
}
