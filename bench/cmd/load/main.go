// Command load measures how the load of one user affects the others and administrators,
// and prints one table. It uses only the public API, so that its folder can be copied into
// an earlier commit to compare. It starts private servers of the databases that are
// installed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/googlesession/googlesession/conformance/servers"
)

// sizes are the amounts of data and requests of the loads.
type sizes struct {
	signIns int // how many sign-ins one user sends at once
	ended   int // how many ended sessions one user has
	live    int // how many users there are, each with one live session
	streams int // how many streams one session has
}

func main() {
	s := sizes{}
	flag.IntVar(&s.signIns, "sign-ins", 800, "how many sign-ins one user sends at once")
	flag.IntVar(&s.ended, "ended", 1_000_000, "how many ended sessions one user has")
	flag.IntVar(&s.live, "live", 1_000_000, "how many sessions live, and how many users there are")
	flag.IntVar(&s.streams, "streams", 2000, "how many streams one session has")
	only := flag.String("only", "convoy,history,size,streams", "which loads to measure")
	on := flag.String("on", "postgres,mysql,sqlite", "on which databases")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, strings.Split(*only, ","), strings.Split(*on, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// A row is one line of the table.
type row struct{ load, database, what, figure string }

func run(ctx context.Context, s sizes, only, on []string) (err error) {
	dir, err := os.MkdirTemp("", "googlesession-load-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var rows []row
	for _, name := range on {
		figures, err := measure(ctx, s, only, name, dir)
		if errors.Is(err, servers.ErrNoBinary) {
			fmt.Fprintln(os.Stderr, "load:", err)
			continue
		}
		rows = append(rows, figures...)
		if err != nil { // the figures that were measured before the error are printed too
			return errors.Join(err, printTable(rows))
		}
	}
	return printTable(rows)
}

func printTable(rows []row) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	_, _ = fmt.Fprintln(table, "| load\t| database\t| measured\t| figure\t|\n| ---\t| ---\t| ---\t| ---\t|")
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "| %s\t| %s\t| %s\t| %s\t|\n", r.load, r.database, r.what, r.figure)
	}
	return table.Flush()
}

// measure starts one database and puts the loads on it.
func measure(ctx context.Context, s sizes, only []string, name, dir string) (rows []row, err error) {
	d, stop, err := start(ctx, name, dir)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, l := range loads {
		if !slices.Contains(only, l.name) || !slices.Contains(l.on, name) {
			continue
		}
		figures, err := l.measure(ctx, d, s)
		if err != nil {
			return rows, fmt.Errorf("%s: %s: %w", name, l.name, err)
		}
		rows = append(rows, figures...)
	}
	return rows, nil
}

// loads lists the loads that can be measured, each with the databases on which it can be
// measured.
var loads = []struct {
	name    string
	on      []string
	measure func(context.Context, *database, sizes) ([]row, error)
}{
	{"convoy", []string{"postgres", "mysql", "sqlite"}, convoy},
	{"history", []string{"postgres", "mysql"}, history},
	{"size", []string{"postgres", "mysql"}, size},
	{"streams", []string{"postgres"}, manyStreams},
}

// start starts a private server, or chooses a file in dir for SQLite. It returns a function
// that ends the server.
func start(ctx context.Context, name, dir string) (*database, func() error, error) {
	nothing := func() error { return nil }
	var server *servers.Server
	var err error
	switch name {
	case "postgres":
		server, err = servers.NewPostgres(ctx, "shared_buffers = 1GB", "max_wal_size = 4GB")
	case "mysql":
		server, err = servers.NewMySQL(ctx, "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M")
	case "sqlite":
		d := databases[name]
		d.dsn = "file:" + filepath.Join(dir, "load.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
		return &d, nothing, nil
	default:
		return nil, nothing, errors.New("unknown database")
	}
	if err != nil {
		return nil, nothing, err
	}
	d := databases[name]
	if name == "postgres" {
		d.dsn = server.PostgresDSN()
	} else {
		d.dsn = server.MySQLDSN()
	}
	return &d, server.Remove, server.Start(ctx)
}

// timed makes n calls and returns how long each call took, the shortest time first.
func timed(n int, call func() error) ([]time.Duration, error) {
	var all []time.Duration
	for range n {
		began := time.Now()
		if err := call(); err != nil {
			return nil, err
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all, nil
}

// spread returns the median and the slowest time as text. The times are sorted.
func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	return fmt.Sprintf("%s, slowest %s of %d", short(all[len(all)/2]), short(all[len(all)-1]), len(all))
}

func short(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
