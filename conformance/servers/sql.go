package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// NewPostgres prepares a PostgreSQL and does not start it. The settings are further lines
// of postgresql.conf. SIGQUIT ends the server as a crash would. The error wraps
// [ErrNoBinary] if PostgreSQL is not installed.
func NewPostgres(ctx context.Context, settings ...string) (*Server, error) {
	initdb, err := find("initdb")
	if err != nil {
		return nil, err
	}
	s, err := newPostgres()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.Dir, "data")
	if err := run(ctx, s.Dir, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"); err != nil {
		return nil, err
	}
	return s, appendTo(filepath.Join(data, "postgresql.conf"), settings)
}

func newPostgres() (*Server, error) {
	program, err := find("postgres")
	if err != nil {
		return nil, err
	}
	dir, port, err := reserve("postgres")
	if err != nil {
		return nil, err
	}
	return &Server{
		Addr: loopback(port), Dir: dir, program: program, ready: postgresReady, stop: syscall.SIGINT,
		args: []string{"-D", filepath.Join(dir, "data"), "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir},
	}, nil
}

// NewPostgresStandby prepares a standby of a running primary and does not start it. The
// standby reaches the primary at addr, which may be the address of a proxy.
func NewPostgresStandby(ctx context.Context, addr string) (*Server, error) {
	program, err := find("pg_basebackup")
	if err != nil {
		return nil, err
	}
	s, err := newPostgres()
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(addr, ":")
	return s, run(ctx, s.Dir, program, "-h", host, "-p", port, "-U", "postgres", "-D", filepath.Join(s.Dir, "data"), "-R", "-X", "stream", "-c", "fast")
}

// PostgresDSN returns a data source name that connects as the server's superuser.
func (s *Server) PostgresDSN() string {
	return "postgres://postgres@" + s.Addr + "/postgres?sslmode=disable"
}

func postgresReady(ctx context.Context, s *Server) error {
	program, err := find("pg_isready")
	if err != nil {
		return err
	}
	host, port, _ := strings.Cut(s.Addr, ":")
	return run(ctx, s.Dir, program, "-q", "-h", host, "-p", port, "-t", "1")
}

func appendTo(file string, lines []string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0) //nolint:gosec // the file is in the folder of a server that this package made
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	return errors.Join(err, f.Close())
}

// NewMySQL prepares a MariaDB or a MySQL, whichever is installed, and does not start it.
// The server has a database called "googlesession". The settings are further arguments of
// the program. The error wraps [ErrNoBinary] if neither is installed.
func NewMySQL(ctx context.Context, settings ...string) (*Server, error) {
	program, err := find("mariadbd", "mysqld")
	if err != nil {
		return nil, err
	}
	dir, port, err := reserve("mysql")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if install, err := find("mariadb-install-db"); err == nil {
		err = run(ctx, dir, install, "--no-defaults", "--datadir="+data, "--tmpdir="+dir, "--auth-root-authentication-method=normal", "--skip-test-db")
		if err != nil {
			return nil, err
		}
	} else if err := run(ctx, dir, program, "--no-defaults", "--initialize-insecure", "--datadir="+data, "--tmpdir="+dir); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "init.sql")
	if err := os.WriteFile(file, []byte("CREATE DATABASE IF NOT EXISTS googlesession;\n"), 0o644); err != nil { //nolint:gosec // the server may run as another user and must read the file, which contains no secret
		return nil, err
	}
	return &Server{
		Addr: loopback(port), Dir: dir, program: program, ready: mysqlReady, stop: syscall.SIGTERM,
		args: append([]string{
			// Each server has a tmpdir of its own, because MariaDB deletes the temporary
			// files of other servers in its tmpdir when it starts.
			"--no-defaults", "--datadir=" + data, "--tmpdir=" + dir, "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port),
			"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"), "--init-file=" + file,
		}, settings...),
	}, nil
}

// MySQLDSN returns a data source name that connects as the server's superuser.
func (s *Server) MySQLDSN() string { return "root@tcp(" + s.Addr + ")/googlesession" }

// mysqlReady returns nil if the server sends its greeting. The server does so only after
// the init file has run.
func mysqlReady(ctx context.Context, s *Server) error {
	conn, err := dial(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	greeting := make([]byte, 5)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return err
	}
	if greeting[4] != 10 {
		return errors.New("not a greeting of MySQL")
	}
	return nil
}

// GaleraProvider returns the path of the library that makes a MariaDB a Galera node. The
// error wraps [ErrNoBinary] if the library is not installed.
func GaleraProvider() (string, error) {
	for _, file := range []string{"/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so"} {
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("libgalera_smm.so: %w", ErrNoBinary)
}
