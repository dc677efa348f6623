package googlesession_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The programs in the README are those that tests run.
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

// Every test that the documents name exists.
func TestDocumentsNameTests(t *testing.T) {
	root := os.DirFS(".")
	tests := map[string]bool{}
	defined := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	require.NoError(t, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		for _, m := range defined.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	}))
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	documents, err := fs.Glob(root, "docs/*.md")
	require.NoError(t, err)
	found := 0
	for _, name := range append(documents, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := fs.ReadFile(root, name)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			require.True(t, tests[m[1]], "%s names %s, which does not exist", name, m[1])
		}
	}
	require.Greater(t, found, 50)
}

// The operations guide lists every kind of event.
func TestDocumentsListEvents(t *testing.T) {
	source, err := os.ReadFile("events.go")
	require.NoError(t, err)
	guide, err := os.ReadFile("docs/operations.md")
	require.NoError(t, err)
	kinds := regexp.MustCompile(`EventKind = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(kinds), 10)
	for _, kind := range kinds {
		require.Contains(t, string(guide), "\n| `"+kind[1]+"` |")
	}
}
