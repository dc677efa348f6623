package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Services are servers that outlive the program that has started them. The field of a
// server that is not installed is empty.
type Services struct {
	Postgres string   // data source name
	MySQL    string   // data source name
	Redis    string   // URL
	Cluster  []string // addresses of the nodes of a Redis Cluster

	Processes []Process
}

// A Process identifies a [Server], so that another program can end it.
type Process struct {
	PID int
	Dir string
}

// Up starts one server of each kind that is installed. If some are not installed, it
// returns the others and an error that wraps [ErrNoBinary]. If a server cannot be started,
// Up ends all servers and returns nil and the error.
func Up(ctx context.Context) (*Services, error) {
	s := &Services{}
	var missing []error
	for _, start := range []func(context.Context) error{s.startPostgres, s.startMySQL, s.startRedis, s.startCluster} {
		if err := start(ctx); errors.Is(err, ErrNoBinary) {
			missing = append(missing, err)
		} else if err != nil {
			return nil, errors.Join(err, s.Down())
		}
	}
	return s, errors.Join(missing...)
}

func (s *Services) startPostgres(ctx context.Context) error {
	server, err := NewPostgres(ctx, "fsync = off") // the data of tests need not outlive a power cut
	if err != nil {
		return err
	}
	s.Postgres = server.PostgresDSN()
	return s.start(ctx, server)
}

func (s *Services) startMySQL(ctx context.Context) error {
	server, err := NewMySQL(ctx)
	if err != nil {
		return err
	}
	s.MySQL = server.MySQLDSN()
	return s.start(ctx, server)
}

func (s *Services) startRedis(ctx context.Context) error {
	server, err := NewRedis()
	if err != nil {
		return err
	}
	s.Redis = "redis://" + server.Addr
	return s.start(ctx, server)
}

func (s *Services) startCluster(ctx context.Context) error {
	group, err := StartRedisCluster(ctx, true)
	if err != nil {
		return err
	}
	s.Cluster = group.Addrs
	for _, server := range group.Servers {
		s.Processes = append(s.Processes, Process{server.PID(), server.Dir})
	}
	return nil
}

func (s *Services) start(ctx context.Context, server *Server) error {
	server.detach = true
	err := server.Start(ctx)
	s.Processes = append(s.Processes, Process{server.PID(), server.Dir})
	return err
}

// Environment returns the names and values of the environment variables that tell tests
// where the servers are.
func (s *Services) Environment() map[string]string {
	return map[string]string{
		"GOOGLESESSION_TEST_POSTGRES":      s.Postgres,
		"GOOGLESESSION_TEST_MYSQL":         s.MySQL,
		"GOOGLESESSION_TEST_REDIS":         s.Redis,
		"GOOGLESESSION_TEST_REDIS_CLUSTER": strings.Join(s.Cluster, ","),
	}
}

// Down kills the processes and removes their data.
func (s *Services) Down() error {
	var errs []error
	for _, p := range s.Processes {
		if p.ours() {
			_ = kill(p.PID, syscall.SIGKILL)
		}
	}
	for _, p := range s.Processes {
		for range 100 {
			if !p.ours() {
				break
			}
			time.Sleep(50 * time.Millisecond) //nolint:forbidigo // the servers are not child processes of this process, so it cannot wait for their end
		}
		errs = append(errs, os.RemoveAll(p.Dir))
	}
	return errors.Join(errs...)
}

// Alive reports whether all processes run. It returns false if s has no processes.
func (s *Services) Alive() bool {
	for _, p := range s.Processes {
		if !p.ours() {
			return false
		}
	}
	return len(s.Processes) > 0
}

// ours reports whether the server's process still runs. It returns false if another process
// has got the number, for example after a restart of the machine.
func (p Process) ours() bool {
	dir, err := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/cwd")
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat("/proc/self"); err == nil {
			return false
		}
	}
	if err != nil { // without /proc only the number can be compared
		return exists(p.PID)
	}
	return dir == p.Dir || strings.HasPrefix(dir, p.Dir+"/")
}

// stateFile returns the path of the file in which [Services.Save] stores the services. The
// file is in the repository's root, which has the go.work file.
func stateFile() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return filepath.Join(dir, ".services.json"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside the repository")
		}
	}
}

// Running returns the services that were started from this repository, or nil unless all of
// them still run.
func Running() *Services {
	file, err := stateFile()
	if err != nil {
		return nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the path is that of the file that Save writes
	if err != nil {
		return nil
	}
	s := &Services{}
	if err := json.Unmarshal(text, s); err != nil || !s.Alive() {
		return nil
	}
	return s
}

// Save writes the services to a file, so that [Running] finds them.
func (s *Services) Save() error {
	file, err := stateFile()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// Forget ends the services that were started from this repository, even if only some of
// them still run, and removes the file that Save has written. Without that file, Forget
// does nothing.
func Forget() error {
	file, err := stateFile()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file) //nolint:gosec // the path is that of the file that Save writes
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s := &Services{}
	if err := json.Unmarshal(text, s); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return errors.Join(s.Down(), os.Remove(file))
}
