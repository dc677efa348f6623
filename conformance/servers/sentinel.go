package servers

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// newSentinel prepares a Redis Sentinel for the primary at host and port, and does not
// start it. The Sentinel rewrites its configuration file, so the user that it runs as has
// to own the file.
func newSentinel(host, port string) (*Server, error) {
	program, err := find("redis-server", "valkey-server")
	if err != nil {
		return nil, err
	}
	dir, listen, err := reserve("sentinel")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "sentinel.conf")
	text := "bind 127.0.0.1\nport " + strconv.Itoa(listen) + "\ndir " + dir + `
sentinel monitor main ` + host + " " + port + ` 2
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 5000
sentinel parallel-syncs main 2
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := own(file); err != nil {
		return nil, err
	}
	return &Server{
		Addr: loopback(listen), Dir: dir, program: program, args: []string{file, "--sentinel"}, ready: redisReady, stop: syscall.SIGTERM,
	}, nil
}
