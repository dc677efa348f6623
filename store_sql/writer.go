package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
)

// conflicts is how often a transaction is sent again that the server rolled back because
// of another one.
const conflicts = 10

// A runner is a pool or a transaction.
type runner interface {
	querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// lockWriter waits for this store's turn to write, where only one can.
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
// The statement has to say WRITABLE!, or has to go through [Store.transact].
func (s *Store) exec(ctx context.Context, x statement, args ...any) (int64, error) {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return alone(ctx, s, func(r runner) (int64, error) { return affected(x.on(r).exec(ctx, args...)) })
}

// alone runs one statement without a transaction. It needs one where a pooler could run
// another client's statement with these arguments, because a transaction keeps a
// server's connection to itself, and after a conflict, because the server's own default
// of isolation may be stricter than READ COMMITTED.
func alone[T any](ctx context.Context, s *Store, run func(runner) (T, error)) (value T, err error) {
	if s.dialect.name != PostgreSQL || s.driver.whole {
		if value, err = run(s.db); !isConflict(err) {
			return value, err
		}
	}
	err = s.transact(ctx, func(tx *sql.Tx) (err error) {
		value, err = run(tx)
		return err
	})
	return value, err
}

// change runs f in a transaction that locks the user's row. All such calls for one user
// wait in this process before they take a connection, so that a user who signs in a
// thousand times at once holds one connection and not all of them.
//
// Change commits unless f returns an error, other than one that is settled. F has to
// begin with a write: see the package's comment. It may be called again.
func (s *Store) change(ctx context.Context, userID string, class lane.Class, f func(*sql.Tx) error) error {
	if _, err := s.ready(ctx); err != nil {
		return err
	}
	leave, err := s.lanes.Enter(ctx, userID, class)
	if err != nil {
		return err
	}
	defer leave()
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.transact(ctx, f)
}

// transact runs f in a transaction, and again if the server rolled it back because of
// another transaction: then nothing has happened yet, so this sends no session twice. An
// error of another kind, as that of a connection, may hide a commit and is returned.
func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) (err error) {
	for range conflicts {
		if err = s.transactOnce(ctx, f); !isConflict(err) {
			return err
		}
	}
	return err
}

func (s *Store) transactOnce(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, once committed
	found := f(tx)
	if found != nil && !isVerdict(found) {
		return found
	}
	// Asked last, since f may have waited. Some servers take an administrator's changes
	// although they are read-only.
	if s.asksBeforeCommit() {
		if err := s.believe(ctx, tx); err != nil {
			return err
		}
	}
	if keep := (settled{}); found != nil && !errors.As(found, &keep) {
		return found
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return found
}

// asksBeforeCommit: pgx leaves transactions as the server's default has them, and then
// PostgreSQL refuses changes itself.
func (s *Store) asksBeforeCommit() bool {
	return s.dialect.standby != never && (s.dialect.name != PostgreSQL || !s.driver.whole)
}

// wait returns when all that any call has changed before is durable. It is for a call
// that has found no row to change.
func (s *Store) wait(ctx context.Context, tx *sql.Tx) error {
	if s.sql.wait == "" {
		return nil
	}
	var done bool
	return tx.QueryRowContext(ctx, s.sql.wait).Scan(&done)
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// errNotFound is settled: an earlier call may have deleted the user without having heard
// that it is durable.
var errNotFound = settled{googlesession.ErrNotFound}
