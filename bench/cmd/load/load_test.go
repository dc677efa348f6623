package main

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/servers"
)

// Each load works at small sizes.
func TestLoads(t *testing.T) {
	small := sizes{signIns: 10, ended: 100, live: 100, streams: 5}
	for on, figures := range map[string]int{"sqlite": 3, "postgres": 13, "mysql": 13} {
		t.Run(on, func(t *testing.T) {
			rows, err := measure(t.Context(), small, []string{"convoy", "history", "size"}, on, t.TempDir())
			if errors.Is(err, servers.ErrNoBinary) && os.Getenv("GOOGLESESSION_TEST_ALL") == "" {
				t.Skip(err)
			}
			require.NoError(t, err)
			require.Len(t, rows, figures)
		})
	}
}
