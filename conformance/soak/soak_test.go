package soak_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/soak"
)

// The processes that serve are this test program.
func TestMain(m *testing.M) {
	if !soak.IsApp() {
		os.Exit(m.Run())
	}
	if err := soak.ServeApp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(t *testing.T, o soak.Options) *soak.Report {
	t.Helper()
	o.Pause = 200 * time.Millisecond
	o.StoreTimeout = 500 * time.Millisecond
	report, err := soak.Run(t.Context(), o)
	require.NoError(t, err)
	var row strings.Builder
	report.Print(&row)
	t.Logf("seed %d\n%s", report.Options.Seed, row.String())
	return report
}

// A short soak of the stores that need no server finds nothing.
func TestSoak(t *testing.T) {
	for _, backend := range []string{"memory", "sqlite"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, run(t, soak.Options{Backend: backend, For: 2500 * time.Millisecond}).Err())
		})
	}
}

// The judge finds stores that are broken on purpose.
func TestSoakFindsBrokenStores(t *testing.T) {
	for name, want := range map[string]string{
		"forget":  "violation: a session that has ended",
		"cache":   "violation: a session that has ended",
		"logout":  "false logout: no act has begun to end",
		"replay":  "violation: a token from before a deletion or an event",
		"limit":   "violation: more than the limit",
		"lenient": "violation: a disabled user is signed in",
		"slow":    "slow: 503 after",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, soak.Options{Backend: "memory", For: 2500 * time.Millisecond, Break: name})
			for range 3 { // a busy machine does little in that time
				if report.Err() != nil {
					break
				}
				report = run(t, soak.Options{Backend: "memory", For: 20 * time.Second, Break: name})
			}
			require.Error(t, report.Err())
			violations, falseLogouts, slow := report.Found()
			lists := map[string][]string{"violation": violations, "false logout": falseLogouts, "slow": slow}
			kind, text, _ := strings.Cut(want, ": ")
			require.Contains(t, strings.Join(lists[kind], "\n"), text)
		})
	}
}

func TestSoakOptions(t *testing.T) {
	for name, o := range map[string]soak.Options{
		"no time":         {Backend: "memory"},
		"unknown backend": {Backend: "x", For: time.Second},
		"unknown break":   {Backend: "memory", For: time.Second, Break: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := soak.Run(t.Context(), o)
			require.Error(t, err)
		})
	}
}
