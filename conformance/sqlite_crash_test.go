package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// An acknowledged ending survives a crash of the process that wrote it.
func TestSQLiteCrash(t *testing.T) {
	const variable, mark = "GOOGLESESSION_TEST_CRASH", "ended: "
	if file := os.Getenv(variable); file != "" {
		store := openStore(t, file, nil)
		for _, e := range append(endings(), evicted) {
			u, r := e.before(t, store)
			if e.after != nil {
				require.NoError(t, e.after(t.Context(), store, u))
			}
			if err := e.end(t.Context(), store, u, r); err != nil {
				require.ErrorIs(t, err, googlesession.ErrNotFound)
			}
			fmt.Println(mark + r.String())
		}
		self, err := os.FindProcess(os.Getpid())
		require.NoError(t, err)
		_ = self.Kill()
		select {} // until the signal arrives
	}
	file := newFile(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLiteCrash$")
	child.Env = append(os.Environ(), variable+"="+file)
	out, err := child.CombinedOutput()
	require.ErrorContains(t, err, "killed", string(out))
	store, ended := openStore(t, file, nil), 0
	for line := range strings.Lines(string(out)) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), mark)
		if !ok {
			continue
		}
		r, err := googlesession.ParseRef(text)
		require.NoError(t, err)
		require.ErrorIs(t, check(t, store, r, time.Hour), googlesession.ErrNoSession)
		ended++
	}
	require.Len(t, append(endings(), evicted), ended, string(out))
	record("SQLite", "endings before a crash", ended)
}
