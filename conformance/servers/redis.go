package servers

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// NewRedis prepares a Redis or Valkey and does not start it. The settings are further
// arguments, such as "--appendonly", "yes". Without settings the server stores nothing on
// disk. The error wraps [ErrNoBinary] if neither is installed.
func NewRedis(settings ...string) (*Server, error) {
	program, err := find("redis-server", "valkey-server")
	if err != nil {
		return nil, err
	}
	dir, port, err := reserve("redis")
	if err != nil {
		return nil, err
	}
	return &Server{
		Addr: loopback(port), Dir: dir, program: program, ready: redisReady, stop: syscall.SIGTERM,
		args: append([]string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "", "--repl-diskless-sync-delay", "0"}, settings...),
	}, nil
}

func redisReady(ctx context.Context, s *Server) error {
	answer, err := Redis(ctx, s.Addr, "PING")
	if err == nil && answer != "PONG" {
		err = errors.New(answer)
	}
	return err
}

// Redis sends a command to the server at addr with redis-cli or valkey-cli, and returns the
// output.
func Redis(ctx context.Context, addr string, args ...string) (string, error) {
	program, err := find("redis-cli", "valkey-cli")
	if err != nil {
		return "", err
	}
	host, port, _ := strings.Cut(addr, ":")
	out, err := exec.CommandContext(ctx, program, append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput() //nolint:gosec // tests choose the arguments, and no shell interprets them
	return strings.TrimSpace(string(out)), err
}

// A Group is several servers that belong together.
type Group struct {
	Servers []*Server
	Addrs   []string // the addresses for clients: the nodes of a cluster, or the sentinels
}

// Remove kills the servers and removes their data.
func (g *Group) Remove() error {
	var errs []error
	for _, s := range g.Servers {
		errs = append(errs, s.Remove())
	}
	return errors.Join(errs...)
}

// StartRedisCluster starts three masters with a replica each. If detach is true, the
// servers outlive this process.
func StartRedisCluster(ctx context.Context, detach bool) (g *Group, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cli, err := find("redis-cli", "valkey-cli")
	if err != nil {
		return nil, err
	}
	g = &Group{}
	defer func() {
		if err != nil {
			_ = g.Remove()
		}
	}()
	for range 6 {
		bus, err := freePort()
		if err != nil {
			return g, err
		}
		s, err := NewRedis("--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus), "--cluster-node-timeout", "2000")
		if err != nil {
			return g, err
		}
		s.detach = detach
		g.Servers = append(g.Servers, s)
		g.Addrs = append(g.Addrs, s.Addr)
		if err := s.Start(ctx); err != nil {
			return g, err
		}
	}
	create := append([]string{"--cluster", "create"}, g.Addrs...)
	if err := run(ctx, "/", cli, append(create, "--cluster-replicas", "1", "--cluster-yes")...); err != nil {
		return g, err
	}
	return g, g.await(ctx, "cluster", func(ctx context.Context, s *Server) (bool, error) {
		info, err := Redis(ctx, s.Addr, "CLUSTER", "INFO")
		if err != nil || !strings.Contains(info, "cluster_state:ok") {
			return false, err
		}
		repl, err := Redis(ctx, s.Addr, "INFO", "replication")
		return strings.Contains(repl, "connected_slaves:1") || strings.Contains(repl, "master_link_status:up"), err
	})
}

// StartSentinels starts a primary, two replicas and three sentinels. The primary is the
// first of the group's servers. The sentinels call the primary "main" and consider it down
// after a second without an answer.
func StartSentinels(ctx context.Context, settings ...string) (g *Group, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	g = &Group{}
	defer func() {
		if err != nil {
			_ = g.Remove()
		}
	}()
	start := func(settings ...string) (*Server, error) {
		s, err := NewRedis(settings...)
		if err != nil {
			return nil, err
		}
		g.Servers = append(g.Servers, s)
		return s, s.Start(ctx)
	}
	primary, err := start(settings...)
	if err != nil {
		return g, err
	}
	host, port, _ := strings.Cut(primary.Addr, ":")
	for range 2 {
		if _, err := start(append([]string{"--replicaof", host + " " + port}, settings...)...); err != nil {
			return g, err
		}
	}
	// The replicas have to be connected before the sentinels start, because a sentinel asks
	// for replicas when it starts and then only every ten seconds.
	err = g.await(ctx, "replicas", func(ctx context.Context, s *Server) (bool, error) {
		repl, err := Redis(ctx, s.Addr, "INFO", "replication")
		return s != primary || strings.Count(repl, "state=online") == 2, err
	})
	if err != nil {
		return g, err
	}
	for range 3 {
		s, err := newSentinel(host, port)
		if err != nil {
			return g, err
		}
		g.Servers = append(g.Servers, s)
		g.Addrs = append(g.Addrs, s.Addr)
		if err := s.Start(ctx); err != nil {
			return g, err
		}
	}
	return g, g.await(ctx, "sentinels", func(ctx context.Context, s *Server) (bool, error) {
		info, err := Redis(ctx, s.Addr, "INFO", "sentinel")
		return !strings.Contains(info, "master0:") || strings.Contains(info, "status=ok,") && strings.Contains(info, "slaves=2,sentinels=3"), err
	})
}

// await returns nil as soon as right returns true for all servers, or an error when ctx
// ends.
func (g *Group) await(ctx context.Context, what string, right func(context.Context, *Server) (bool, error)) error {
	for {
		n := 0
		var last error
		for _, s := range g.Servers {
			ok, err := right(ctx, s)
			if ok {
				n++
			}
			last = err
		}
		if n == len(g.Servers) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %d of %d are ready: %w", what, n, len(g.Servers), errors.Join(ctx.Err(), last))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Reshard moves this number of slots from the first master of a running cluster to the
// second. node is the address of any node of the cluster.
func Reshard(ctx context.Context, node string, slots int) error {
	nodes, err := Redis(ctx, node, "CLUSTER", "NODES")
	if err != nil {
		return err
	}
	var masters []string
	for line := range strings.Lines(nodes) {
		if words := strings.Fields(line); len(words) > 8 && strings.Contains(words[2], "master") {
			masters = append(masters, words[0])
		}
	}
	if len(masters) < 2 {
		return fmt.Errorf("the cluster has fewer than two masters with slots: %s", nodes)
	}
	out, err := Redis(ctx, node, "--cluster", "reshard", node, "--cluster-from", masters[0], "--cluster-to", masters[1],
		"--cluster-slots", strconv.Itoa(slots), "--cluster-yes")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
