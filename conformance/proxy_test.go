package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/faults"
)

// newProxy returns a proxy to the target. It is closed when the test ends.
func newProxy(tb testing.TB, target string) *faults.Proxy {
	tb.Helper()
	p, err := faults.NewProxy(target)
	require.NoError(tb, err)
	tb.Cleanup(p.Close)
	return p
}
