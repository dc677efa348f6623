package recipes_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shown finds the code that a document shows. It is a declaration with the line
// "//recipe:NAME" above it, where NAME is the name of the document.
var shown = regexp.MustCompile(`(?m)^//recipe:([\w-]+)\n((?:func|type|var|const) [^\n]*(?:\}|(?:\n[^\n]*)*?\n[\x60})]+))\n`)

// linterComment finds comments for the linter, which the documents do not show.
var linterComment = regexp.MustCompile(` //nolint:[^\n]*`)

// The code in the documents is the code that the tests run. Each document shows all
// declarations that are marked for it, and no other Go code.
func TestDocumentsShowTheRecipes(t *testing.T) {
	marked := map[string]map[string]bool{} // by document, then by the text of the declaration
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := shown.FindAllStringSubmatch(string(text), -1)
		require.Len(t, found, strings.Count("\n"+string(text), "\n//recipe:"), "%s: a mark without a declaration below it", file)
		for _, m := range found {
			if marked[m[1]] == nil {
				marked[m[1]] = map[string]bool{}
			}
			marked[m[1]][linterComment.ReplaceAllString(m[2], "")] = true
		}
	}
	require.Contains(t, marked, "frameworks")

	var scripts []string
	files, err = filepath.Glob("testdata/*.js")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		scripts = append(scripts, strings.TrimSpace(string(text)))
	}

	script := regexp.MustCompile("(?ms)^```js\n(.*?)\n```$")
	block := regexp.MustCompile("(?ms)^```go\n(.*?)\n```$")
	for name, declarations := range marked {
		text, err := os.ReadFile("../../docs/" + name + ".md")
		require.NoError(t, err)
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			rest := m[1]
			for rest != "" {
				found := ""
				for _, m := range script.FindAllStringSubmatch(string(text), -1) {
					require.Contains(t, scripts, m[1], "docs/%s.md shows a script that no test runs", name)
				}
				for d := range declarations {
					if strings.HasPrefix(rest, d) {
						found = d
					}
				}
				require.NotEmpty(t, found, "docs/%s.md shows code that no test has:\n%s", name, rest)
				delete(declarations, found)
				rest = strings.TrimLeft(strings.TrimPrefix(rest, found), "\n")
			}
		}
		for _, m := range script.FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, scripts, m[1], "docs/%s.md shows a script that no test runs", name)
		}
		for d := range declarations {
			t.Errorf("docs/%s.md does not show this code, or shows it twice:\n%s", name, d)
		}
	}
}
