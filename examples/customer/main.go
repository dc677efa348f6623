// Command customer is a small application with Sign in with Google. It has a list of
// customers that only signed-in people see. It is meant to be read and copied.
//
//	go run ./examples/customer                     with a stand-in for Google
//	go run ./examples/customer -client-id ID       with Google itself
//
// The files:
//   - main.go and options*.go read the command line. app.go puts the parts together, http.go
//     has what all handlers share, and server.go runs the server.
//   - stores.go, database.go and schema.go open the stores and create the tables.
//   - customers*.go is the application. web.go and the folder web are its front end, and
//     files.go serves files in the coding that the browser prefers.
//   - invitations*.go decides who may sign in.
//   - events.go handles the events of the library. audit*.go keeps a record of them,
//     metrics*.go counts them, and clearances.go remembers which users an administrator
//     has enabled.
//   - live*.go is a stream that ends with its session and reports changes to the user's
//     sessions. places.go names the place of an address.
//   - openapi.go and docs.go serve the contract of the API and its documentation.
//   - legacy_client.go serves the client of an older system.
//   - demo*.go is the stand-in for Google, the checks that keep strangers from it, and what
//     the tour on the first page needs. The folder snippets has the code that the tour shows.
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
	context.AfterFunc(ctx, stop) // after the first signal, a second one ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

// The exit statuses other than 0.
const (
	exitFailure = 1
	exitUsage   = 2 // the command line is wrong, and nothing was opened or written
)

// run serves until ctx is done and returns the exit status. It writes the URL to stdout.
// It writes the log to stderr, and one line if the program fails.
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
	a, err := newApp(o, log) //nolint:contextcheck // newApp needs no context, because it opens neither a file nor a connection
	if err != nil {
		printError(stderr, err)
		return exitUsage
	}
	defer func() { _ = a.stores.close() }() // an error loses nothing, because every acknowledged write is on disk by now
	if err := a.serve(ctx, stdout); err != nil {
		printError(stderr, err)
		return exitFailure
	}
	return 0
}

// printError writes err as one line. It replaces the names of the library's fields by
// those of the flags that set them.
func printError(stderr io.Writer, err error) {
	text := strings.NewReplacer(
		"googlesession: Config.Admins", "-admins",
		"googlesession: Config.TrustedOrigins", "-origins",
		"googlesession: Config.BaseURL", "-base-url",
		"googlecode: Config.ClientSecret", "-client-secret (CUSTOMER_CLIENT_SECRET)",
		"/api\"", "\"", // newApp has added it to -base-url
		"googlesession: Config.CookieSuffix", "-cookie-suffix",
		"\n", "; ",
	).Replace(err.Error())
	_, _ = fmt.Fprintln(stderr, "customer: "+text)
}
