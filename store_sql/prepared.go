package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// Close releases the store's prepared statements. The database stays open. After Close
// every method but Migrate returns an error that wraps [googlesession.ErrUnavailable].
// Closing twice is not an error. A program that closes the database need not close the
// store.
func (s *Store) Close() error {
	return s.prepared.Swap(&prepared{closed: true}).close()
}

var errClosed = errors.New("sqlstore: store is closed")

// ready returns the prepared statements. It checks the database first, unless a check has
// succeeded before. A call does not wait for the check of another call, which may be
// stuck. If several checks succeed, the statements of the first are used and the others
// are closed.
func (s *Store) ready(ctx context.Context) (*prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.prepared.Load() == nil {
		if err := s.checkDatabase(ctx); err != nil {
			return nil, err
		}
		p, err := s.prepare(ctx)
		if err != nil {
			return nil, err
		}
		if !s.prepared.CompareAndSwap(nil, p) {
			_ = p.close()
		}
	}
	p := s.prepared.Load()
	if p.closed {
		return nil, errClosed
	}
	return p, nil
}

// checkDatabase checks the settings and the tables of the database.
func (s *Store) checkDatabase(ctx context.Context) error {
	if err := s.dialect.check(ctx, s.db, s.db); err != nil {
		return err
	}
	return s.checkSchema(ctx, s.db)
}

// prepared holds the statements that check a session, record its use and revoke it.
type prepared struct {
	closed bool // It is true after Store.Close.

	selectSession, confirmAbsent, touch, revokeSession statement
}

// A statement is sent as a prepared statement or as text. In PostgreSQL it is text,
// because a parameter of the data source name decides whether the driver prepares it, and
// a pooler such as PgBouncer may not support prepared statements.
type statement struct {
	db   runner
	text string
	stmt *sql.Stmt // It is nil if the statement is sent as text.
}

func (s *Store) prepare(ctx context.Context) (*prepared, error) {
	p := &prepared{
		selectSession: s.unprepared(s.sql.selectSession), confirmAbsent: s.unprepared(s.sql.confirmAbsent),
		touch: s.unprepared(s.sql.touch), revokeSession: s.unprepared(s.sql.revokeSession),
	}
	if !s.dialect.prepares {
		return p, nil
	}
	prepares := []*statement{&p.selectSession, &p.touch, &p.revokeSession}
	if !s.dialect.inProcess {
		prepares = append(prepares, &p.confirmAbsent)
	}
	for _, x := range prepares {
		stmt, err := s.db.PrepareContext(ctx, x.text)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		x.stmt = stmt
	}
	return p, nil
}

// unprepared returns a statement that is sent as text.
func (s *Store) unprepared(text string) statement { return statement{s.db, text, nil} }

func (p *prepared) close() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, x := range []statement{p.selectSession, p.confirmAbsent, p.touch, p.revokeSession} {
		if x.stmt != nil {
			errs = append(errs, x.stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// on returns x as a statement that r runs. If r is a transaction, the statement is sent
// as text.
func (x statement) on(r runner) statement {
	if tx, ok := r.(*sql.Tx); ok {
		return statement{tx, x.text, nil}
	}
	return x
}

func (x statement) queryRow(ctx context.Context, args ...any) *sql.Row {
	if x.stmt != nil {
		return x.stmt.QueryRowContext(ctx, args...)
	}
	return x.db.QueryRowContext(ctx, x.text, args...)
}

func (x statement) exec(ctx context.Context, args ...any) (sql.Result, error) {
	if x.stmt != nil {
		return x.stmt.ExecContext(ctx, args...)
	}
	return x.db.ExecContext(ctx, x.text, args...)
}
