package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/servers"
)

// A service is a server that all tests share. It is the one that the environment variable
// names, or the one that scripts/services has started. If there is neither, a private one
// runs from the first use to the end of the tests.
type service struct {
	variable string
	start    func(context.Context) (address string, remove func() error, err error)

	once    sync.Once
	address string
	remove  func() error
	err     error
}

var (
	postgresService = service{variable: "GOOGLESESSION_TEST_POSTGRES", start: startPostgres}
	mysqlService    = service{variable: "GOOGLESESSION_TEST_MYSQL", start: startMySQL}
	redisService    = service{variable: "GOOGLESESSION_TEST_REDIS", start: startRedis}
	clusterService  = service{variable: "GOOGLESESSION_TEST_REDIS_CLUSTER", start: startCluster}
)

func postgresDSN(tb testing.TB) string { return postgresService.get(tb) }
func mysqlDSN(tb testing.TB) string    { return mysqlService.get(tb) }
func redisURL(tb testing.TB) string    { return redisService.get(tb) }

// clusterURL returns a URL that names all nodes of the cluster.
func clusterURL(tb testing.TB) string {
	addrs := strings.Split(clusterService.get(tb), ",")
	return "redis+cluster://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
}

func stopServers() {
	for _, s := range []*service{&postgresService, &mysqlService, &redisService, &clusterService} {
		if s.remove == nil {
			continue
		}
		if err := s.remove(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func (s *service) get(tb testing.TB) string {
	tb.Helper()
	s.once.Do(func() {
		if s.address = os.Getenv(s.variable); s.address != "" {
			return
		}
		if running := servers.Running(); running != nil {
			if s.address = running.Environment()[s.variable]; s.address != "" {
				return
			}
		}
		s.address, s.remove, s.err = s.start(context.Background())
	})
	skipWithout(tb, s.err)
	return s.address
}

// skipWithout skips the test if err says that a program is not installed. With
// GOOGLESESSION_TEST_ALL that is a failure, as any other error is.
func skipWithout(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, servers.ErrNoBinary) && os.Getenv("GOOGLESESSION_TEST_ALL") == "" {
		tb.Skip(err)
	}
	require.NoError(tb, err)
}

// long reports whether GOOGLESESSION_TEST_LONG asks for more repetitions and larger
// amounts of data. No test and no rule runs with it alone. It adds:
//
//   - 400 histories for each backend instead of 20 (histories)
//   - 20 crashes or failovers of each kind instead of 2 (disturbances)
//   - 1000 random drafts of tokens instead of 250 (drafts)
//   - 100,000 sessions for the sizes on disk and in memory instead of 10,000
//   - 40,000 users in an upgrade instead of 10,000, and 2000 moved slots instead of 200
func long() bool { return os.Getenv("GOOGLESESSION_TEST_LONG") != "" }

func startPostgres(ctx context.Context) (string, func() error, error) {
	s, err := servers.NewPostgres(ctx, "fsync = off") // the data need not outlive a power cut
	if err != nil {
		return "", nil, err
	}
	return s.PostgresDSN(), s.Remove, s.Start(ctx)
}

func startMySQL(ctx context.Context) (string, func() error, error) {
	s, err := servers.NewMySQL(ctx)
	if err != nil {
		return "", nil, err
	}
	return s.MySQLDSN(), s.Remove, s.Start(ctx)
}

func startRedis(ctx context.Context) (string, func() error, error) {
	s, err := servers.NewRedis()
	if err != nil {
		return "", nil, err
	}
	return "redis://" + s.Addr, s.Remove, s.Start(ctx)
}

func startCluster(ctx context.Context) (string, func() error, error) {
	g, err := servers.StartRedisCluster(ctx, false)
	if err != nil {
		return "", nil, err
	}
	return strings.Join(g.Addrs, ","), g.Remove, nil
}

// privateRedis starts a server that only this test uses, so that it may stop and kill it.
func privateRedis(tb testing.TB, settings ...string) *servers.Server {
	tb.Helper()
	s, err := servers.NewRedis(settings...)
	return started(tb, s, err)
}

func privatePostgres(tb testing.TB, settings ...string) *servers.Server {
	tb.Helper()
	s, err := servers.NewPostgres(tb.Context(), settings...)
	return started(tb, s, err)
}

func privateMySQL(tb testing.TB, settings ...string) *servers.Server {
	tb.Helper()
	s, err := servers.NewMySQL(tb.Context(), settings...)
	return started(tb, s, err)
}

func started(tb testing.TB, s *servers.Server, err error) *servers.Server {
	tb.Helper()
	skipWithout(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Remove()) })
	require.NoError(tb, s.Start(tb.Context()))
	return s
}
