package lane_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/internal/lane"
)

// Calls are admitted in the order of their class, then of their arrival.
func TestOrder(t *testing.T) {
	const d, r, s = lane.Disable, lane.Revoke, lane.SignIn
	for name, tt := range map[string]struct {
		arrive []lane.Class // the first is admitted at once
		want   string       // the order of admission, as indexes of arrive
	}{
		"one call":                        {[]lane.Class{s}, "0"},
		"same class, in order of arrival": {[]lane.Class{s, s, s, s}, "0 1 2 3"},
		"disabling goes first":            {[]lane.Class{s, s, s, d}, "0 3 1 2"},
		"then revocations":                {[]lane.Class{s, s, r, d, r}, "0 3 2 4 1"},
		"each class in order of arrival":  {[]lane.Class{r, s, d, r, d, s, r}, "0 2 4 3 6 1 5"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lanes lane.Lanes
				var got []int
				for i, class := range tt.arrive {
					go func() {
						leave, err := lanes.Enter(t.Context(), "ada", class)
						if err != nil {
							panic(err)
						}
						got = append(got, i)    // the lane is the lock
						time.Sleep(time.Second) //nolint:forbidigo // synctest
						leave()
					}()
					synctest.Wait() // until it waits inside Enter or is admitted
				}
				time.Sleep(time.Hour) //nolint:forbidigo // synctest
				synctest.Wait()
				require.Equal(t, "["+tt.want+"]", fmt.Sprint(got))
			})
		})
	}
}

// A thousand calls of one user do not make another user wait.
func TestLanesAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lanes lane.Lanes
		ctx, cancel := context.WithCancel(t.Context())
		for range 1000 {
			go func() {
				if leave, err := lanes.Enter(ctx, "mallory", lane.SignIn); err == nil {
					<-ctx.Done()
					leave()
				}
			}()
		}
		synctest.Wait()
		leave, err := lanes.Enter(t.Context(), "ada", lane.SignIn)
		require.NoError(t, err)
		leave()
		cancel()
		synctest.Wait()
		leave, err = lanes.Enter(t.Context(), "mallory", lane.SignIn)
		require.NoError(t, err, "calls that gave up have left the lane")
		leave()
	})
}

// Enter stops waiting when the context ends, and the next call is admitted instead.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lanes lane.Lanes
		leave, err := lanes.Enter(t.Context(), "ada", lane.SignIn)
		require.NoError(t, err)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err = lanes.Enter(ctx, "ada", lane.Disable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		_, err = lanes.Enter(ctx, "grace", lane.SignIn)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the context ended before the call")

		entered := make(chan func())
		go func() {
			leave, err := lanes.Enter(t.Context(), "ada", lane.SignIn)
			if err != nil {
				panic(err)
			}
			entered <- leave
		}()
		synctest.Wait()
		leave()
		leave = <-entered
		leave()
	})
}

// Contexts end while calls are admitted. The lane still admits every other call.
func TestNoAdmissionIsLost(t *testing.T) {
	var lanes lane.Lanes
	done := make(chan int)
	for range 8 {
		go func() {
			entered := 0
			for i := range 2000 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*time.Microsecond)
				if leave, err := lanes.Enter(ctx, "ada", lane.Class(i%3)); err == nil {
					entered++
					leave()
				}
				cancel()
			}
			done <- entered
		}()
	}
	entered := 0
	for range 8 {
		entered += <-done
	}
	require.Positive(t, entered)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	leave, err := lanes.Enter(ctx, "ada", lane.SignIn)
	require.NoError(t, err)
	leave()
}
