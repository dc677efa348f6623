package recipes_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/servers"
)

// postgresDSN returns the address of a PostgreSQL.
func postgresDSN(t *testing.T) string {
	t.Helper()
	return serverAddress(t, "GOOGLESESSION_TEST_POSTGRES", func(s *servers.Services) string { return s.Postgres },
		func(ctx context.Context) (*servers.Server, error) {
			return servers.NewPostgres(ctx, "fsync = off") // the data need not outlive a power cut
		}, (*servers.Server).PostgresDSN)
}

// mysqlDSN returns the address of a MySQL or MariaDB.
func mysqlDSN(t *testing.T) string {
	t.Helper()
	return serverAddress(t, "GOOGLESESSION_TEST_MYSQL", func(s *servers.Services) string { return s.MySQL },
		func(ctx context.Context) (*servers.Server, error) { return servers.NewMySQL(ctx) }, (*servers.Server).MySQLDSN)
}

// redisURL returns the address of a Redis.
func redisURL(t *testing.T) string {
	t.Helper()
	return serverAddress(t, "GOOGLESESSION_TEST_REDIS", func(s *servers.Services) string { return s.Redis },
		func(context.Context) (*servers.Server, error) { return servers.NewRedis() },
		func(s *servers.Server) string { return "redis://" + s.Addr })
}

// serverAddress returns the address of a server. It is the server that the environment
// variable names, or the one that scripts/services has started, or else a private one that
// ends with the test. If the server is not installed, the test is skipped, and fails with
// GOOGLESESSION_TEST_ALL.
func serverAddress(
	t *testing.T, variable string, running func(*servers.Services) string,
	start func(context.Context) (*servers.Server, error), address func(*servers.Server) string,
) string {
	t.Helper()
	if given := os.Getenv(variable); given != "" {
		return given
	}
	if services := servers.Running(); services != nil && running(services) != "" {
		return running(services)
	}
	server, err := start(t.Context())
	if errors.Is(err, servers.ErrNoBinary) && os.Getenv("GOOGLESESSION_TEST_ALL") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Remove()) })
	require.NoError(t, server.Start(t.Context()))
	return address(server)
}
