package storetest_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/storetest"
)

//go:generate go test -run=^TestRulesAreListed$ -update

var update = flag.Bool("update", false, "write the rules into RULES.md")

// RULES.md lists all rules. After a change of a rule, go generate writes them.
func TestRulesAreListed(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	list.WriteString("# Rules of the suites\n\nA subtest of a suite has the name of its rule. `go generate` in storetest writes this file.\n")
	listRules(&list, "TestSessions", storetest.SessionRules())
	listRules(&list, "TestBindings", storetest.BindingRules())
	listRules(&list, "TestUsers", storetest.UserRules())
	if *update {
		require.NoError(t, os.WriteFile("RULES.md", []byte(list.String()), 0o600))
		return
	}
	require.Equal(t, list.String(), read(t, "RULES.md"), "RULES.md is stale: run go generate in storetest")
}

// listRules writes a section of RULES.md.
func listRules[Suite any](list *strings.Builder, suite string, rules []storetest.Rule[Suite]) {
	list.WriteString("\n## " + suite + "\n\n")
	for _, r := range rules {
		line := "- **" + r.Name + "**:"
		for word := range strings.FieldsSeq(r.Words + ".") {
			if len(line)+1+len(word) > 120 {
				list.WriteString(line + "\n")
				line = " "
			}
			line += " " + word
		}
		list.WriteString(line + "\n")
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
