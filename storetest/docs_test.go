package storetest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/writing-a-store.md shows TestStore as it is, so that its code compiles and passes.
func TestGuideShowsTestStore(t *testing.T) {
	t.Parallel()
	_, code, ok := strings.Cut(read(t, "example_suite_test.go"), "\nfunc TestStore(")
	require.True(t, ok)
	code, _, ok = strings.Cut(code, "\n}\n")
	require.True(t, ok)
	require.Contains(t, read(t, "../docs/writing-a-store.md"), "```go\nfunc TestStore("+code+"\n}\n```\n")
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
