package conformance_test

import (
	"context"
	"database/sql/driver"
	"sync"
)

// A spy is a connector that notes what is sent to a database.
type spy struct {
	driver driver.Driver
	dsn    string

	mu   sync.Mutex
	sent []sentStatement
}

type sentStatement struct {
	query string
	args  []any
}

// since returns what was sent since the last call.
func (s *spy) since() []sentStatement {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

func (s *spy) note(query string, args []driver.NamedValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := sentStatement{query: query}
	for _, arg := range args {
		sent.args = append(sent.args, arg.Value)
	}
	s.sent = append(s.sent, sent)
}

func (s *spy) Driver() driver.Driver { return s.driver }

func (s *spy) Connect(context.Context) (driver.Conn, error) {
	conn, err := s.driver.Open(s.dsn)
	return &spiedConn{conn, s}, err
}

// A spiedConn prepares everything, and so passes all arguments to a spiedStmt.
type spiedConn struct {
	driver.Conn

	spy *spy
}

func (c *spiedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *spiedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *spiedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return &spiedStmt{stmt, query, c.spy}, err
}

type spiedStmt struct {
	driver.Stmt

	query string
	spy   *spy
}

func (s *spiedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.spy.note(s.query, args)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s *spiedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.spy.note(s.query, args)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}
