// Package servers starts private database servers for tests from the programs that are
// installed. The servers listen on free ports of the loopback interface and keep their data
// in folders of their own. If this process runs as root, the servers run as an unprivileged
// user.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNoBinary means that the program of a server is not installed. The text of the error
// that wraps ErrNoBinary names the program.
var ErrNoBinary = errors.New("not installed")

// startTimeout is how long a server may take to start. It is long enough for a slow machine
// that is busy.
const startTimeout = 60 * time.Second

// A Server is one server process and its data. It is not safe for concurrent use.
type Server struct {
	Addr string // host:port
	Dir  string // the folder of the data and the log

	program string
	args    []string
	ready   func(context.Context, *Server) error
	stop    os.Signal // the signal that asks the process to shut down
	detach  bool      // the process outlives the process that starts it

	cmd  *exec.Cmd
	done chan struct{}
}

// PID returns the number of the process, or 0 if the process was not started or has been
// ended.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Start starts the process and returns when the server answers. After the process has
// ended, Start starts it again with the same data on the same port. Start fails if the
// process ends by itself or does not answer within a minute.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // the log is in the folder of this server, which this package made
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(s.program, s.args...) //nolint:gosec,noctx // program is a server that find has found, and End ends it without a context
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	if err := launch(cmd, s.detach); err != nil {
		return err
	}
	done := make(chan struct{})
	s.cmd, s.done = cmd, done
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	for {
		err := s.ready(ctx, s)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			text, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			return fmt.Errorf("%s has ended: %s", filepath.Base(s.program), text)
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("%s does not answer: %w", filepath.Base(s.program), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Add adds arguments that the program gets from its next start on.
func (s *Server) Add(args ...string) { s.args = append(s.args, args...) }

// Stop asks the process to shut down and waits for its end, as [Server.End] does.
func (s *Server) Stop() { s.End(s.stop) }

// Kill ends the process as a crash would.
func (s *Server) Kill() { s.End(syscall.SIGKILL) }

// End sends the signal and waits until the process has ended. It kills a process that has
// not ended after 20 seconds. It does nothing if the process does not run.
func (s *Server) End(signal os.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(signal)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	s.cmd = nil
}

// Pause makes the server hang without closing a connection. The children of the process
// hang too, because PostgreSQL has a process for each connection.
func (s *Server) Pause() error { return s.signalAll(SignalPause) }

// Resume ends a pause.
func (s *Server) Resume() error { return s.signalAll(SignalResume) }

func (s *Server) signalAll(signal syscall.Signal) error {
	if err := s.cmd.Process.Signal(signal); err != nil {
		return err
	}
	pid := strconv.Itoa(s.PID())
	lists, _ := filepath.Glob("/proc/" + pid + "/task/*/children") // these files exist on Linux only
	for _, list := range lists {
		text, err := os.ReadFile(list) //nolint:gosec // list is a path in /proc, made from the PID of our own child process
		if err != nil {
			return err
		}
		for child := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(child); err == nil {
				_ = kill(pid, signal) // the child may have ended
			}
		}
	}
	return nil
}

// Remove kills the process and removes its data.
func (s *Server) Remove() error {
	s.Kill()
	return os.RemoveAll(s.Dir)
}

// find returns the path of the first of the named programs that is installed. It looks
// where Debian installs servers, the newest PostgreSQL first, and then in PATH.
func find(names ...string) (string, error) {
	for _, name := range names {
		places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		slices.SortFunc(places, func(a, b string) int { return postgresVersion(b) - postgresVersion(a) })
		places = append(places, "/usr/sbin/"+name, "/usr/local/sbin/"+name)
		for _, path := range places {
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", strings.Join(names, " or "), ErrNoBinary)
}

func postgresVersion(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// newDir creates a folder that belongs to the user that the servers run as.
func newDir(name string) (string, error) {
	dir, err := os.MkdirTemp("", "googlesession-"+name+"-")
	if err != nil {
		return "", err
	}
	return dir, own(dir)
}

// run runs a program in the folder dir, as the user of the servers, and waits for its end.
func run(ctx context.Context, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // program is a tool of an installed server, and tests choose the arguments
	cmd.Dir = dir
	if err := asUser(cmd); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, out)
	}
	return nil
}

// freePort returns a port that no process listens on now.
func freePort() (int, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// accepts returns nil if the server accepts a connection.
func accepts(ctx context.Context, s *Server) error {
	conn, err := dial(ctx, s)
	if err != nil {
		return err
	}
	return conn.Close()
}

func dial(ctx context.Context, s *Server) (net.Conn, error) {
	return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.Addr)
}

// reserve returns a new folder and a free port for a server.
func reserve(name string) (dir string, port int, err error) {
	if dir, err = newDir(name); err != nil {
		return "", 0, err
	}
	port, err = freePort()
	return dir, port, err
}
