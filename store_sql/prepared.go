package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// Close releases the store's prepared statements; db stays open. After it every
// method fails. A program that closes db anyway need not call it.
func (s *Store) Close() error {
	return s.prepared.Swap(&prepared{closed: true}).close()
}

var errClosed = errors.New("sqlstore: store is closed")

// ready returns the prepared statements, after a look at the database if none has
// succeeded yet. No call waits for another call's look, which may be stuck: the first to
// finish wins.
func (s *Store) ready(ctx context.Context) (*prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.prepared.Load() == nil {
		if err := s.look(ctx); err != nil {
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

func (s *Store) look(ctx context.Context) error {
	if err := s.dialect.check(ctx, s.db, s.db); err != nil {
		return err
	}
	return s.checkSchema(ctx, s.db)
}

// prepared are the statements of the paths that run with every request.
type prepared struct {
	closed                       bool // with the store
	check, absent, touch, revoke statement
}

// A statement is prepared, or sent as text where the data source name decides about
// preparing (a pooler such as PgBouncer may not allow it).
type statement struct {
	db   runner
	text string
	stmt *sql.Stmt // nil: as text
}

func (s *Store) prepare(ctx context.Context) (*prepared, error) {
	p := &prepared{
		check: s.text(s.sql.check), absent: s.text(s.sql.absent), touch: s.text(s.sql.touch), revoke: s.text(s.sql.revoke),
	}
	if !s.dialect.prepares {
		return p, nil
	}
	prepares := []*statement{&p.check, &p.touch, &p.revoke}
	if !s.dialect.local {
		prepares = append(prepares, &p.absent)
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

// text is a statement that is not prepared.
func (s *Store) text(text string) statement { return statement{s.db, text, nil} }

func (p *prepared) close() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, x := range []statement{p.check, p.absent, p.touch, p.revoke} {
		if x.stmt != nil {
			errs = append(errs, x.stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// on is the statement as it runs there: inside a transaction as text.
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
