package conformance_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// histories is how many a backend has to stand.
func histories() int {
	switch {
	case testing.Short():
		return 5
	case long():
		return 400
	default:
		return 50
	}
}

// firstSeed makes the clients choose as in an earlier run.
func firstSeed(tb testing.TB) uint64 {
	tb.Helper()
	text := os.Getenv("GOOGLESESSION_TEST_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(tb, err)
	return seed
}

// Eight clients on three servers that share a store: whatever they saw, one client
// after the other could have seen. E3, E4, E39.
func TestLinearizable(t *testing.T) {
	onEach(t, func(t *testing.T, b backend) {
		open := b.start(t)
		handles := []googlesession.SessionStore{open(t), open(t), open(t)}
		seed := firstSeed(t)
		t.Logf("GOOGLESESSION_TEST_SEED=%d", seed)
		for i := range histories() {
			r := newRecorder(handles...)
			r.run(t.Context(), seed+uint64(i), linearOps)
			require.Empty(t, r.errs, "seed %d", seed+uint64(i))
			requireLinearizable(t, r.history, seed+uint64(i))
		}
		record(b.name, "linearizable histories of 1000", histories())
	})
}

func requireLinearizable(t *testing.T, history []porcupine.Operation, seed uint64) {
	t.Helper()
	require.Empty(t, brokenPromises(history), "seed %d", seed)
	result, info := porcupine.CheckOperationsVerbose(model(), history, time.Minute)
	if result == porcupine.Ok {
		return
	}
	file, err := os.CreateTemp("", "history-*.html") //nolint:usetesting // to be read after the test
	require.NoError(t, err)
	require.NoError(t, porcupine.Visualize(model(), info, file))
	require.NoError(t, file.Close())
	require.Equal(t, porcupine.Ok, result, "seed %d: see %s", seed, file.Name())
}

// What is known to be wrong is found, or the test above would mean nothing.
func TestLinearizableFinds(t *testing.T) {
	for name, bad := range map[string]func() googlesession.SessionStore{
		"renewal that writes the record back": func() googlesession.SessionStore { return newNaive() },
		"checks that join one in flight":      func() googlesession.SessionStore { return &joining{SessionStore: newNaive(careful)} },
	} {
		t.Run(name, func(t *testing.T) {
			found, broken := 0, 0
			for i := range 10 {
				r := newRecorder(bad())
				r.run(context.Background(), uint64(i), linearOps)
				if porcupine.CheckOperations(model(), r.history) {
					continue
				}
				found++
				broken += len(brokenPromises(r.history))
			}
			t.Logf("%d of 10 histories are bad, with %d admissions after a revocation had returned", found, broken)
			require.NotZero(t, found)
			require.NotZero(t, broken)
		})
	}
	t.Run("but not what is right", func(t *testing.T) {
		r := newRecorder(newNaive(careful))
		r.run(t.Context(), 1, linearOps)
		require.True(t, porcupine.CheckOperations(model(), r.history))
	})
}
