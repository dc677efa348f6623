package conformance_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A paused PostgreSQL does not answer, not even on a connection that was open before.
func TestPostgresPause(t *testing.T) {
	server := privatePostgres(t)
	db, err := sql.Open("pgx", server.PostgresDSN())
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	require.NoError(t, db.PingContext(t.Context()))
	require.NoError(t, server.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(ctx, "SELECT 1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, server.Resume())
	_, err = db.ExecContext(t.Context(), "SELECT 1")
	require.NoError(t, err)
}
