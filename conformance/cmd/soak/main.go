// Command soak runs the library on a store while faults happen, judges every answer
// and prints a table row. It exits with status 1 if an answer was not as promised.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/googlesession/googlesession/conformance/soak"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if soak.IsApp() {
		return soak.ServeApp()
	}
	var o soak.Options
	flag.StringVar(&o.Backend, "backend", "memory", "one of "+strings.Join(soak.Backends, ", "))
	flag.DurationVar(&o.For, "for", time.Minute, "how long faults happen")
	flag.IntVar(&o.Processes, "processes", 2, "how many processes serve; for memory, how many Managers")
	flag.IntVar(&o.Workers, "workers", 8, "how many requests there are at once")
	flag.IntVar(&o.Users, "users", 12, "how many users there are")
	flag.DurationVar(&o.StoreTimeout, "timeout", time.Second, "the StoreTimeout of the Managers")
	flag.Uint64Var(&o.Seed, "seed", 0, "of the order of acts and faults; 0 takes a new one")
	flag.StringVar(&o.Break, "break", "", "break the store on purpose: "+strings.Join(soak.Breaks(), ", "))
	flag.Parse()
	if flag.NArg() > 0 {
		return errors.New("soak: unexpected argument " + flag.Arg(0))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := soak.Run(ctx, o)
	if err != nil {
		return err
	}
	report.Print(os.Stdout)
	return report.Err()
}
