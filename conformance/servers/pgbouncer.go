package servers

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// NewPgBouncer makes a PgBouncer in front of a PostgreSQL, which is not started yet. It
// pools transactions. Settings are further lines of pgbouncer.ini.
func NewPgBouncer(postgres string, settings ...string) (*Server, error) {
	program, err := find("pgbouncer")
	if err != nil {
		return nil, err
	}
	dir, err := newDir("pgbouncer")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
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
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil { //nolint:gosec // read by another user
		return nil, err
	}
	return &Server{
		Addr: loopback(port), Dir: dir, program: program, args: []string{file}, stop: syscall.SIGTERM,
		ready: func(ctx context.Context, s *Server) error {
			conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.Addr)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	}, nil
}
