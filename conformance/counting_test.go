package conformance_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A counter is a connector that counts the statements that reach the database. Each would
// be a round trip if the database were another machine.
type counter struct {
	name            string
	queries, writes atomic.Int64
}

// openCounted returns a pool of connections to the file, and its counter.
func openCounted(tb testing.TB, file string) (*sql.DB, *counter) {
	tb.Helper()
	c := &counter{name: "file:" + file + "?" + settings.Encode()}
	db := sql.OpenDB(c)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db, c
}

// since returns how many queries and writes there were since its last call.
func (c *counter) since() (queries, writes int64) { return c.queries.Swap(0), c.writes.Swap(0) }

func (c *counter) Driver() driver.Driver { return clock }

func (c *counter) Connect(context.Context) (driver.Conn, error) {
	conn, err := clock.Open(c.name)
	return &countedConn{conn, c}, err
}

type countedConn struct {
	driver.Conn

	c *counter
}

func (c *countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return &countedStmt{stmt, c.c}, err
}

func (c *countedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.c.queries.Add(1)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.c.writes.Add(1)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

type countedStmt struct {
	driver.Stmt

	c *counter
}

func (s *countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.c.queries.Add(1)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s *countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.c.writes.Add(1)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}
