package bench_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/bench"
	"github.com/googlesession/googlesession/conformance/servers"
)

// Each section of the table can be measured. The figures of such a short run mean nothing.
func TestTable(t *testing.T) {
	var out bytes.Buffer // Table starts the installed servers if running returns nil
	err := bench.Table(&out, bench.Options{Quick: true, Passes: 1, Pass: time.Millisecond, Servers: running()})
	if err != nil {
		require.ErrorIs(t, err, bench.ErrMissed, out.String())
	}
	for _, title := range []string{
		"A request, in memory", "A request, SQLite", "A request, PostgreSQL", "A request, Redis", "A bound session, memory", "A bound session, SQLite", "Verifying an ID token",
		"Ending all sessions", "Over HTTP", "### Memory", "Bytes of a session", "Among more sessions, memory", "Among more sessions, SQLite",
		"A user's past, SQLite", "A page of users, memory", "A page of users, SQLite",
		"A page of all sessions, memory", "A page of all sessions, SQLite", "A sign-in among more sessions, SQLite", "### Targets",
	} {
		require.Contains(t, out.String(), title)
	}
	if os.Getenv("GOOGLESESSION_TEST_ALL") != "" { // every server has to be there
		require.NotContains(t, out.String(), "Skipped")
	}
}

// running returns the servers that scripts/services has started, or nil.
func running() *bench.Servers {
	s := servers.Running()
	if s == nil {
		return nil
	}
	return &bench.Servers{Postgres: s.Postgres, MySQL: s.MySQL, Redis: s.Redis}
}
