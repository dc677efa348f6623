package googlesession_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README shows programs that tests run: the same text, or it lies.
func TestREADME(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	readme := read("README.md")

	minimal := read("examples/minimal/main.go")
	require.Contains(t, readme, "```go\n"+minimal+"\n```", "README.md does not show examples/minimal/main.go as it is")
	require.LessOrEqual(t, strings.Count(minimal, "\n")+1, 40, "lines of examples/minimal")

	base, tour, ok := strings.Cut(read("examples/customer/testdata/tour.sh"), "\n")
	require.True(t, ok)
	require.Contains(t, readme, strings.TrimSuffix(strings.Replace(base, "${1:-", "", 1), "}")+"\n"+tour+"\n```")

	before, _, ok := strings.Cut(readme, "go run ./examples/customer")
	require.True(t, ok)
	require.Less(t, strings.Count(before, "\n"), 25, "a running program by line 25")
}
