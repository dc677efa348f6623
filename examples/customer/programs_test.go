package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// programs returns how to run the two programs of docs/programs.md.
func programs(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/programs.md")
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(language, name string) string {
		block := regexp.MustCompile("(?ms)^```" + language + "\n(.*?\n)```$").FindSubmatch(text)
		require.NotNil(t, block, language)
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, block[1], 0o600)) //nolint:gosec // the folder is the test's own
		return file
	}
	return map[string][]string{
		"Go":     {"go", "run", write("go", "main.go")},
		"Python": {"python3", write("python", "program.py")},
	}
}

// The programs of the document sign in without cookies. When an administrator ends the
// session, the next request of the program is refused.
func TestPrograms(t *testing.T) {
	for language, command := range programs(t) {
		t.Run(language, func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil && os.Getenv("GOOGLESESSION_TEST_ALL") == "" {
				t.Skip(err)
			}
			s := newSite(t, "-db", "memory")
			program := exec.CommandContext(t.Context(), command[0], append(command[1:], s.url, s.demo.key)...)
			program.Stderr = os.Stderr
			stdout, err := program.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, program.Start())
			lines := bufio.NewScanner(stdout)
			require.True(t, lines.Scan(), "the program has printed nothing")
			require.Equal(t, "signed in as ada@example.com", lines.Text())

			path := "/api/admin/users/" + s.demo.google.Subject("ada@example.com") + "/sessions"
			var list struct {
				Sessions []struct{ ID, Kind, Label string }
			}
			require.NoError(t, json.Unmarshal([]byte(s.get(t, s.admin, path).body), &list))
			require.Len(t, list.Sessions, 1)
			require.Equal(t, "bearer", list.Sessions[0].Kind)
			require.Contains(t, list.Sessions[0].Label, language)
			require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodDelete, path+"/"+list.Sessions[0].ID, "").status)

			last := ""
			for lines.Scan() {
				last = lines.Text()
			}
			require.Equal(t, "the session has ended", last)
			require.NoError(t, program.Wait())
		})
	}
}
