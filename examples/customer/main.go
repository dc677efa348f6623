// Command customer is a small application with Sign in with Google: a list of
// customers that only signed-in people see. It is meant to be read and copied.
//
//	go run ./examples/customer                     a stand-in for Google, for a look
//	go run ./examples/customer -client-id ID       Google itself
//
// main.go and options.go read the command line, app.go puts the parts together, stores.go,
// database.go and schema.go say where things are kept. customers*.go is the application, web.go
// and the folder web are its front end; invitations*.go decides who may come in, audit*.go keeps
// what was done, metrics.go counts it, events.go says what follows from it, clearances.go keeps
// what an administrator has decided about Google's events, live.go is a stream that ends with its
// session. demo*.go is the stand-in and what keeps it from being reached by
// accident.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

// The exit statuses, besides 0.
const (
	exitFailure = 1
	exitUsage   = 2 // the command line is wrong; nothing was opened or written
)

// run serves until ctx is done and returns the exit status. It writes the URL to
// stdout, the log and at most one line about what went wrong to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	o, err := parseOptions(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprint(stdout, usage)
		return 0
	}
	if err != nil {
		printError(stderr, err)
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	a, err := newApp(o, log) //nolint:contextcheck // opens nothing: what is wrong is in the options
	if err != nil {
		printError(stderr, err)
		return exitUsage
	}
	defer func() { _ = a.stores.close() }() // every acknowledged write is on disk already
	if err := a.serve(ctx, stdout); err != nil {
		printError(stderr, err)
		return exitFailure
	}
	return 0
}

// printError writes one line. The library names the fields that it finds wrong; here
// they are flags.
func printError(stderr io.Writer, err error) {
	text := strings.NewReplacer(
		"googlesession: Config.Admins", "-admins",
		"googlesession: Config.TrustedOrigins", "-origins",
		"\n", "; ",
	).Replace(err.Error())
	_, _ = fmt.Fprintln(stderr, "customer: "+text)
}
