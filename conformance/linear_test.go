package conformance_test

import (
	"context"
	"os"
	"slices"
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
			requireLinearizable(t, r, seed+uint64(i))
		}
		record(b.name, "linearizable histories of 1000", histories())
	})
}

// checkTime is plenty: most histories take milliseconds.
const checkTime = time.Minute

// requireLinearizable returns how long it took to find out.
func requireLinearizable(t *testing.T, r *recorder, seed uint64) time.Duration {
	t.Helper()
	require.Empty(t, brokenPromises(r.history), "seed %d", seed)
	began := time.Now()
	switch porcupine.CheckOperationsTimeout(model(), r.history, checkTime) {
	case porcupine.Unknown:
		_, changes := r.unknown()
		require.Fail(t, "too hard a history", "seed %d: whether %d operations are linearizable was not found out in %v, so this run shows nothing; unknown outcomes of each user's: %v",
			seed, len(r.history), checkTime, changes)
	case porcupine.Illegal:
		result, info := porcupine.CheckOperationsVerbose(model(), r.history, checkTime)
		file, err := os.CreateTemp("", "history-*.html") //nolint:usetesting // to be read after the test
		require.NoError(t, err)
		require.NoError(t, porcupine.Visualize(model(), info, file))
		require.NoError(t, file.Close())
		require.Equal(t, porcupine.Ok, result, "seed %d: see %s", seed, file.Name())
	case porcupine.Ok:
	}
	return time.Since(began)
}

// What is known to be wrong is found, or the test above would mean nothing.
func TestLinearizableFinds(t *testing.T) {
	for name, tt := range map[string]struct {
		bad    func() googlesession.SessionStore
		admits bool // what has been revoked
	}{
		"renewal that writes the record back":   {func() googlesession.SessionStore { return newNaive() }, true},
		"checks that join one in flight":        {func() googlesession.SessionStore { return &joining{SessionStore: newNaive(careful)} }, true},
		"sign-ins counted before they are made": {func() googlesession.SessionStore { return newNaive(careful, hasty) }, false},
		"sessions of refused tokens":            {func() googlesession.SessionStore { return newNaive(careful, lax) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			found, broken := 0, 0
			for i := range 10 {
				r := newRecorder(tt.bad())
				r.run(context.Background(), uint64(i), linearOps)
				if porcupine.CheckOperations(model(), r.history) {
					continue
				}
				found++
				broken += len(brokenPromises(r.history))
			}
			t.Logf("%d of 10 histories are bad, with %d admissions after a revocation had returned", found, broken)
			require.NotZero(t, found)
			require.Equal(t, tt.admits, broken > 0)
		})
	}
	t.Run("but not what is right", func(t *testing.T) {
		r := newRecorder(newNaive(careful))
		r.run(t.Context(), 1, linearOps)
		require.True(t, porcupine.CheckOperations(model(), r.history))
	})
}

// What clients see of an outage, with more calls than anybody could check, is checked
// in no time. What is lost in it is found, unless a change of unknown outcome explains
// it.
func TestLinearizableOutage(t *testing.T) {
	for name, loses := range map[string]bool{"and nothing is lost": false, "and the latest is lost": true} {
		t.Run(name, func(t *testing.T) {
			found, unknown := 0, 0
			for i := range 5 {
				r := newRecorder(&outage{naive: newNaive(careful), loses: loses})
				r.run(t.Context(), uint64(i), linearOps)
				r.run(t.Context(), uint64(i), linearOps)
				require.False(t, slices.ContainsFunc(r.clients[:], func(c *linearClient) bool { return c.lost }), "it ends for each client")
				calls, changes := r.unknown()
				require.GreaterOrEqual(t, calls, outageEnds-outageBegins-linearClients)
				for _, n := range changes {
					require.LessOrEqual(t, n, linearUnknown+linearClients)
					unknown += n
				}
				verdict := porcupine.CheckOperationsTimeout(model(), r.history, checkTime)
				require.NotEqual(t, porcupine.Unknown, verdict)
				if verdict == porcupine.Illegal {
					found++
				}
			}
			t.Logf("%d of 5 histories are bad, with %d changes of unknown outcome", found, unknown)
			require.NotZero(t, unknown)
			require.Equal(t, loses, found > 0)
		})
	}
}
