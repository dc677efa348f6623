package servers

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// NewPgBouncer prepares a PgBouncer in transaction mode and does not start it. The
// PgBouncer connects to the PostgreSQL whose host and port are in postgres. The settings
// are further lines of pgbouncer.ini. The error wraps [ErrNoBinary] if PgBouncer is not
// installed.
func NewPgBouncer(postgres string, settings ...string) (*Server, error) {
	program, err := find("pgbouncer")
	if err != nil {
		return nil, err
	}
	dir, port, err := reserve("pgbouncer")
	if err != nil {
		return nil, err
	}
	host, to, _ := strings.Cut(postgres, ":")
	lines := append([]string{
		"[databases]", "* = host=" + host + " port=" + to + " user=postgres",
		"[pgbouncer]", "listen_addr = 127.0.0.1", "listen_port = " + strconv.Itoa(port), "unix_socket_dir =",
		"auth_type = any", "pool_mode = transaction", "ignore_startup_parameters = extra_float_digits",
	}, settings...)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil { //nolint:gosec // PgBouncer may run as another user and must read the file, which contains no secret
		return nil, err
	}
	return &Server{
		Addr: loopback(port), Dir: dir, program: program, args: []string{file}, ready: accepts, stop: syscall.SIGTERM,
	}, nil
}
