package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/googlesession/googlesession"
)

// lockWriter waits for this store's turn to write, where there is but one.
func (s *Store) lockWriter(ctx context.Context) (unlock func(), err error) {
	if !s.dialect.oneWriter {
		return func() {}, nil
	}
	select {
	case s.writer <- struct{}{}:
		return func() { <-s.writer }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// exec runs one statement that writes, by itself, and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, run func() (sql.Result, error)) (int64, error) {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return affected(run())
}

// change runs f in a transaction, and commits unless f returns an error. f has to
// begin with a write: see the package's comment.
func (s *Store) change(ctx context.Context, f func(*sql.Tx) error) error {
	if _, err := s.ready(ctx); err != nil {
		return err
	}
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, once committed
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// classify lets the errors of the contract through, and calls the others unavailable.
// Drivers have words of their own for a context that ended under a query.
func classify(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	for _, verdict := range []error{
		googlesession.ErrNoSession, googlesession.ErrUserDisabled, googlesession.ErrExists,
		googlesession.ErrTooManySessions, googlesession.ErrNotFound, googlesession.ErrLastAdmin,
	} {
		if errors.Is(err, verdict) {
			return err
		}
	}
	if done := ctx.Err(); done != nil && !errors.Is(err, done) {
		err = fmt.Errorf("%w: %w", done, err)
	}
	return fmt.Errorf("%w: sqlstore: %s: %w", googlesession.ErrUnavailable, doing, err)
}
