package conformance_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) {
	// The drivers would log each connection that a test cuts.
	redis.SetLogger(silent{})
	_ = mysql.SetLogger(silent{})
	code := m.Run()
	stopServers()
	printRecords()
	os.Exit(code)
}

// silent drops what the drivers log.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
func (silent) Print(...any)                           {}

// records counts what has been checked, for the table at the end.
var records struct {
	sync.Mutex

	counts map[string]map[string]int // the first key is the suite, the second the backend
}

// record adds n to what the suite counts for this backend, such as rules or histories.
func record(backend, suite string, n int) {
	records.Lock()
	defer records.Unlock()
	if records.counts == nil {
		records.counts = make(map[string]map[string]int)
	}
	if records.counts[suite] == nil {
		records.counts[suite] = make(map[string]int)
	}
	records.counts[suite][backend] += n
}

// printRecords prints a table with a line for each suite and a column for each backend. It
// also writes it to the file that GOOGLESESSION_TEST_TABLE names, because go test ./...
// does not show the output of a package that passes.
func printRecords() {
	records.Lock()
	defer records.Unlock()
	backends := make(map[string]bool)
	for _, counts := range records.counts {
		for backend := range counts {
			backends[backend] = true
		}
	}
	if len(backends) == 0 {
		return
	}
	out := io.Writer(os.Stdout)
	if name := os.Getenv("GOOGLESESSION_TEST_TABLE"); name != "" {
		file, err := os.Create(name) //nolint:gosec // the caller's choice
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		defer func() { _ = file.Close() }()
		out = io.MultiWriter(out, file)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	columns := slices.Sorted(maps.Keys(backends))
	_, _ = fmt.Fprintln(table, "\t"+strings.Join(columns, "\t")+"\t")
	for _, suite := range slices.Sorted(maps.Keys(records.counts)) {
		_, _ = fmt.Fprint(table, suite, "\t")
		for _, backend := range columns {
			if n := records.counts[suite][backend]; n > 0 {
				_, _ = fmt.Fprint(table, n)
			}
			_, _ = fmt.Fprint(table, "\t")
		}
		_, _ = fmt.Fprintln(table)
	}
	_ = table.Flush()
}
