// Command table measures what an authenticated request costs, and prints the figures as
// Markdown. It starts private servers of those of PostgreSQL, MariaDB and Redis that are
// installed.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime/pprof"

	"github.com/googlesession/googlesession/bench"
)

func main() {
	var o bench.Options
	flag.BoolVar(&o.Quick, "quick", false, "small sizes for a short time, to see whether it works")
	flag.IntVar(&o.Passes, "passes", 0, "how often each subject has its turn")
	flag.DurationVar(&o.Pass, "pass", 0, "how long a turn is")
	flag.IntVar(&o.Largest, "largest", 0, "how many sessions the comparison of sizes ends with")
	only := flag.String("only", "", "a regular expression of the sections to measure: memory, redis, postgresql, mariadb, sqlite, bound, verify, revoke, http, footprint, sizes, scale, past, users, sessions, growth")
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	if err := run(o, *only, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(o bench.Options, only, profile string) error {
	if only != "" {
		var err error
		if o.Only, err = regexp.Compile("^(" + only + ")$"); err != nil {
			return err
		}
	}
	if profile != "" {
		file, err := os.Create(profile) //nolint:gosec // the caller of the command chooses the path
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return bench.Table(os.Stdout, o)
}
