// Package servers starts private database servers for tests, from the binaries that
// are installed: on free ports of the loopback interface, with their data in a folder
// of their own, as an unprivileged user if started by root.
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

// ErrNoBinary says that a server is not installed; the text names the program.
var ErrNoBinary = errors.New("not installed")

// startTimeout is for a slow machine that does other things too.
const startTimeout = 60 * time.Second

// A Server is one process. It is not safe for concurrent use.
type Server struct {
	Addr string // host:port
	Dir  string // its data and its log

	program string
	args    []string
	ready   func(context.Context, *Server) error
	stop    os.Signal // ends it in good order
	detach  bool      // it outlives the process that starts it

	cmd  *exec.Cmd
	done chan struct{}
}

// PID is that of the process, 0 if there is none.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Start starts it, the first time or again, on the same data and the same port, and
// returns when it answers.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // a test's own folder
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(s.program, s.args...) //nolint:gosec,noctx // a server that was looked for; Stop ends it
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

// Add gives the program further arguments from its next start on.
func (s *Server) Add(args ...string) { s.args = append(s.args, args...) }

// Stop ends it in good order, or else as [Server.Kill] does.
func (s *Server) Stop() { s.End(s.stop) }

// Kill ends it as a crash would.
func (s *Server) Kill() { s.End(syscall.SIGKILL) }

// End sends the signal and waits.
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

// Pause makes the server hang without closing a connection. PostgreSQL has a process
// for each connection, so the children of the process hang too.
func (s *Server) Pause() error { return s.signalAll(SignalPause) }

// Resume undoes Pause.
func (s *Server) Resume() error { return s.signalAll(SignalResume) }

func (s *Server) signalAll(signal syscall.Signal) error {
	if err := s.cmd.Process.Signal(signal); err != nil {
		return err
	}
	pid := strconv.Itoa(s.PID())
	lists, _ := filepath.Glob("/proc/" + pid + "/task/*/children") // Linux has these
	for _, list := range lists {
		text, err := os.ReadFile(list) //nolint:gosec // of the system's
		if err != nil {
			return err
		}
		for child := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(child); err == nil {
				_ = kill(pid, signal) // it may have ended
			}
		}
	}
	return nil
}

// Remove ends it and removes its data.
func (s *Server) Remove() error {
	s.Kill()
	return os.RemoveAll(s.Dir)
}

// find looks for a program in PATH and where Debian keeps servers, the newest first.
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

// newDir makes a folder that belongs to whom the servers run as.
func newDir(name string) (string, error) {
	dir, err := os.MkdirTemp("", "googlesession-"+name+"-")
	if err != nil {
		return "", err
	}
	return dir, own(dir)
}

// run waits for a program that prepares something.
func run(ctx context.Context, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // an installed server's own tool
	cmd.Dir = dir
	if err := asUser(cmd); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, out)
	}
	return nil
}

// freePort returns one that nothing listens on, for now.
func freePort() (int, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
