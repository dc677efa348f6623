package conformance_test

import (
	"context"
	"database/sql/driver"
	"sync"
)

// A statementRecorder is a connector that notes the statements that are sent to a database.
type statementRecorder struct {
	driver driver.Driver
	dsn    string

	mu   sync.Mutex
	sent []sentStatement
}

type sentStatement struct {
	query string
	args  []any
}

// since returns the statements that were sent since its last call.
func (s *statementRecorder) since() []sentStatement {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

func (s *statementRecorder) note(query string, args []driver.NamedValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := sentStatement{query: query}
	for _, arg := range args {
		sent.args = append(sent.args, arg.Value)
	}
	s.sent = append(s.sent, sent)
}

func (s *statementRecorder) Driver() driver.Driver { return s.driver }

func (s *statementRecorder) Connect(context.Context) (driver.Conn, error) {
	conn, err := s.driver.Open(s.dsn)
	return &recordedConn{conn, s}, err
}

// A recordedConn has no methods that run a statement, so database/sql prepares each one and
// passes its arguments to a recordedStmt.
type recordedConn struct {
	driver.Conn

	recorder *statementRecorder
}

func (c *recordedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *recordedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *recordedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return &recordedStmt{stmt, query, c.recorder}, err
}

type recordedStmt struct {
	driver.Stmt

	query    string
	recorder *statementRecorder
}

func (s *recordedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.recorder.note(s.query, args)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s *recordedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.recorder.note(s.query, args)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}
