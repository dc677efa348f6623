// Command services starts and stops private database servers for the tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/googlesession/googlesession/conformance/servers"
)

const usage = `Usage: scripts/services up | down | status | env

  up      start PostgreSQL, MariaDB or MySQL, Redis and a Redis Cluster from the
          installed programs, on free ports of 127.0.0.1; the tests of conformance
          find them
  down    stop them and remove their data
  status  say whether they run
  env     print the variables that name them, for eval
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := do(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

var errStopped = errors.New("the servers are not running; start them with scripts/services up")

func do(ctx context.Context, verb string) error {
	running := servers.Running()
	switch verb {
	case "up":
		if running != nil {
			fmt.Println("running already")
			return show(running, "%s=%s\n")
		}
		return up(ctx)
	case "down":
		return servers.Forget()
	case "status", "env":
		if running == nil {
			return errStopped
		}
		return show(running, map[string]string{"status": "%s=%s\n", "env": "export %s='%s'\n"}[verb])
	default:
		return fmt.Errorf("unknown verb %q\n%s", verb, usage)
	}
}

// up ends the servers that an earlier run has left, removes their data, and starts new
// servers.
func up(ctx context.Context) error {
	if err := servers.Forget(); err != nil {
		return err
	}
	s, err := servers.Up(ctx)
	if s == nil {
		return err
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
	}
	if err := s.Save(); err != nil {
		return errors.Join(err, s.Down())
	}
	return show(s, "%s=%s\n")
}

func show(s *servers.Services, format string) error {
	environment := s.Environment()
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if environment[name] != "" {
			fmt.Printf(format, name, environment[name])
		}
	}
	return nil
}
