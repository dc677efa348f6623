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

// histories returns how many histories are recorded and checked for each backend. With
// GOOGLESESSION_TEST_LONG there are twenty times as many.
func histories() int {
	switch {
	case testing.Short():
		return 5
	case long():
		return 400
	default:
		return 20
	}
}

// firstSeed returns the seed of the clients' choices. GOOGLESESSION_TEST_SEED repeats
// those of an earlier run.
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

// Eight clients call three servers that share a store. The answers that they got are
// those that they could have got by calling one after the other.
func TestLinearizable(t *testing.T) {
	onEach(t, func(t *testing.T, b backend) {
		t.Parallel() // no backend shares a server with another one
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

// checkTime is how long the check of one history may take. Most take milliseconds.
const checkTime = time.Minute

// requireLinearizable returns how long the check took.
func requireLinearizable(t *testing.T, r *recorder, seed uint64) time.Duration {
	t.Helper()
	require.Empty(t, brokenPromises(r.history), "seed %d", seed)
	began := time.Now()
	switch porcupine.CheckOperationsTimeout(model(), r.history, checkTime) {
	case porcupine.Unknown:
		_, changes := r.unknown()
		require.Fail(t, "history is too hard to check", "seed %d: checking %d operations took more than %v, so this run shows nothing; changes of unknown outcome, by user: %v",
			seed, len(r.history), checkTime, changes)
	case porcupine.Illegal:
		result, info := porcupine.CheckOperationsVerbose(model(), r.history, checkTime)
		file, err := os.CreateTemp("", "history-*.html") //nolint:usetesting // it is read after the test
		require.NoError(t, err)
		require.NoError(t, porcupine.Visualize(model(), info, file))
		require.NoError(t, file.Close())
		require.Equal(t, porcupine.Ok, result, "seed %d: see %s", seed, file.Name())
	case porcupine.Ok:
	}
	return time.Since(began)
}

// The check finds stores with known mistakes. Otherwise TestLinearizable would mean
// nothing.
func TestLinearizableFinds(t *testing.T) {
	for name, tt := range map[string]struct {
		bad    func() googlesession.SessionStore
		admits bool // the mistake admits revoked sessions
	}{
		"renewal that writes the record back":   {func() googlesession.SessionStore { return newNaive() }, true},
		"checks that join one in flight":        {func() googlesession.SessionStore { return &joining{BindingStore: newNaive(careful)} }, true},
		"sign-ins counted before they are made": {func() googlesession.SessionStore { return newNaive(careful, hasty) }, false},
		"Bindings compared before they are set": {func() googlesession.SessionStore { return newNaive(careful, rash) }, false},
		"sessions of refused tokens":            {func() googlesession.SessionStore { return newNaive(careful, lax) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			found, broken := 0, 0
			for i := range 20 {
				r := newRecorder(tt.bad())
				r.run(context.Background(), uint64(i), linearOps)
				if porcupine.CheckOperations(model(), r.history) {
					continue
				}
				found++
				broken += len(brokenPromises(r.history))
			}
			t.Logf("%d of 20 histories are bad, with %d admissions after a revocation had returned", found, broken)
			require.NotZero(t, found)
			require.Equal(t, tt.admits, broken > 0)
		})
	}
	t.Run("nothing in a correct store", func(t *testing.T) {
		r := newRecorder(newNaive(careful))
		r.run(t.Context(), 1, linearOps)
		require.True(t, porcupine.CheckOperations(model(), r.history))
	})
}

// A history with an outage can be checked, although each change of unknown outcome doubles
// the work. The check finds that the outage has lost changes, unless changes of unknown
// outcome explain what the clients saw.
func TestLinearizableOutage(t *testing.T) {
	for name, loses := range map[string]bool{"nothing is lost": false, "the latest changes are lost": true} {
		t.Run(name, func(t *testing.T) {
			found, unknown := 0, 0
			for i := range 5 {
				r := newRecorder(&outage{naive: newNaive(careful), loses: loses})
				r.run(t.Context(), uint64(i), linearOps)
				r.run(t.Context(), uint64(i), linearOps)
				require.False(t, slices.ContainsFunc(r.clients[:], func(c *linearClient) bool { return c.lost }), "the outage is over for each client")
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
