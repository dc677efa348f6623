package conformance_test

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A sqlClock moves a server's clock forward. The connections of a clockedConnector add the
// offset to the clock in each statement before it is sent. They also count the statements
// that record a use.
type sqlClock struct {
	offset  atomic.Int64 // in milliseconds
	touches atomic.Int64
	words   []string // further words to replace in statements, in pairs
}

func (c *sqlClock) advance(d time.Duration) { c.offset.Add(d.Milliseconds()) }

func (c *sqlClock) shift(query string) string {
	if strings.Contains(query, "SET seen_ms") {
		c.touches.Add(1)
	}
	ms := strconv.FormatInt(c.offset.Load(), 10)
	return strings.NewReplacer(append([]string{
		"clock_timestamp()", "(clock_timestamp() + " + ms + " * INTERVAL '1 millisecond')",
		"UTC_TIMESTAMP(3)", "(UTC_TIMESTAMP(3) + INTERVAL " + ms + "000 MICROSECOND)",
	}, c.words...)...).Replace(query)
}

// A clockedConnector opens connections that change each statement as its clock says.
type clockedConnector struct {
	driver driver.Driver
	dsn    string
	clock  *sqlClock
}

func (c *clockedConnector) Driver() driver.Driver { return c.driver }

func (c *clockedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	connector, err := c.driver.(driver.DriverContext).OpenConnector(c.dsn)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	return &clockedConn{conn, c.clock}, err
}

type clockedConn struct {
	driver.Conn

	clock *sqlClock
}

func (c *clockedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, c.clock.shift(query), args)
}

func (c *clockedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, c.clock.shift(query), args)
}

func (c *clockedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *clockedConn) CheckNamedValue(v *driver.NamedValue) error {
	return c.Conn.(driver.NamedValueChecker).CheckNamedValue(v)
}

func (c *clockedConn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *clockedConn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return &clockedStmt{conn: c, query: query}, nil
}

// A clockedStmt is prepared anew for each use, because its text depends on the time.
type clockedStmt struct {
	driver.Stmt // nil, because only the methods below are called

	conn  *clockedConn
	query string
}

func (s *clockedStmt) Close() error  { return nil }
func (s *clockedStmt) NumInput() int { return -1 }

func (s *clockedStmt) prepare(ctx context.Context) (driver.Stmt, error) {
	return s.conn.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, s.conn.clock.shift(s.query))
}

func (s *clockedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		_ = stmt.Close()
		return nil, err
	}
	return &clockedRows{rows, stmt}, nil
}

func (s *clockedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }()
	return stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// clockedRows close their statement when they are closed.
type clockedRows struct {
	driver.Rows

	stmt driver.Stmt
}

func (r *clockedRows) Close() error {
	err := r.Rows.Close()
	_ = r.stmt.Close()
	return err
}
