package storetest_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/storetest"
)

//go:generate go test -run=^TestDocListsRules$ -update

var update = flag.Bool("update", false, "write the rules into doc.go")

// The package doc lists all rules. After a change of a rule, go generate writes them.
func TestDocListsRules(t *testing.T) {
	t.Parallel()
	doc := read(t, "doc.go")
	written, _, ok := strings.Cut(doc, "// # Rules of TestSessions\n")
	require.True(t, ok)
	var list strings.Builder
	list.WriteString(written)
	listRules(&list, "TestSessions", storetest.SessionRules())
	list.WriteString("//\n")
	listRules(&list, "TestUsers", storetest.UserRules())
	list.WriteString("package storetest\n")
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(list.String()), 0o600))
		return
	}
	require.Equal(t, list.String(), doc, "doc.go is stale: run go generate in storetest")
}

// listRules writes a section of the package doc.
func listRules[Suite any](doc *strings.Builder, suite string, rules []storetest.Rule[Suite]) {
	doc.WriteString("// # Rules of " + suite + "\n//\n")
	for _, r := range rules {
		line := "//   - " + r.Name + ":"
		for word := range strings.FieldsSeq(r.Words + ".") {
			if len(line)+1+len(word) > 108 {
				doc.WriteString(line + "\n")
				line = "//    "
			}
			line += " " + word
		}
		doc.WriteString(line + "\n")
	}
}

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
