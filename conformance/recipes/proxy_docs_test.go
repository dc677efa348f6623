package recipes_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/proxies.md shows what the tests run, and its tables have a row for each mistake.
func TestProxyDocument(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(text)
	}
	document := read("../../docs/proxies.md")

	files, err := filepath.Glob(filepath.Join(proxyFolder, "*"))
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, file := range files {
		language := map[string]string{".conf": "nginx", ".yml": "yaml", "": "caddy"}[filepath.Ext(file)]
		require.Contains(t, document, "```"+language+"\n"+read(file)+"```\n", file)
	}

	_, recipe, ok := strings.Cut(read("proxy_forwardauth_test.go"), "\n)\n\n")
	require.True(t, ok)
	require.Contains(t, document, "```go\n"+recipe+"```\n")

	server, found := read("proxy_server_test.go"), 0
	for line := range strings.Lines(document) {
		if strings.HasPrefix(line, "mux.Handle(") {
			require.Contains(t, server, "\t"+line)
			found++
		}
	}
	require.Equal(t, 2, found, "lines that mount the recipe")

	for _, m := range proxyMistakes {
		require.Contains(t, document, "\n| "+m.name+" |")
	}
	for _, m := range askMistakes {
		require.Contains(t, document, "\n| "+m.name+" |")
	}
}
