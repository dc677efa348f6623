package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/googlesession/googlesession/internal/lane"
)

// transactionStatements are statements that several transactions share.
type transactionStatements struct{ lockUser, waitDurable string }

func newTransactionStatements(e *expander) transactionStatements {
	s := transactionStatements{
		lockUser: e.expand(`
UPDATE {users}
SET ops = ops + 1
WHERE id = ? {durable}`),
	}
	if e.dialect.waitDurable != "" {
		s.waitDurable = e.expand(`SELECT {wait_durable}`)
	}
	return s
}

// maxAttempts is how often a transaction is sent that the server rolls back because of
// another transaction.
const maxAttempts = 10

// A runner is a pool or a transaction.
type runner interface {
	querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// lockWriter waits until this call is the only one of the store that writes, if the
// database has only one writer.
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

// exec runs one statement that writes, without a transaction, and returns how many rows it
// changed. The statement has to contain {not_standby}, because the check before a commit
// in [Store.transact] is missing here.
func (s *Store) exec(ctx context.Context, x statement, args ...any) (int64, error) {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return runSingle(ctx, s, func(r runner) (int64, error) { return affected(x.on(r).exec(ctx, args...)) })
}

// runSingle runs one statement, without a transaction where possible. There are two
// reasons for a transaction. A pooler could run another client's statement with these
// arguments, and in a transaction the connection to the server belongs to this client
// alone. Or there was a conflict, because the server's default isolation is stricter than
// READ COMMITTED.
func runSingle[T any](ctx context.Context, s *Store, run func(runner) (T, error)) (value T, err error) {
	if s.dialect.name != PostgreSQL || s.driver.oneMessage {
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

// withUser runs f in a transaction that concerns one user. All such calls for one user
// wait in this process before they take a connection. So a user who signs in a thousand
// times at once holds one connection and not all of them.
//
// f begins with a write that locks the user's row, because an SQLite transaction that
// reads first can fail. If f returns an error the transaction is rolled back, except for a
// committedError. f may be called again.
func (s *Store) withUser(ctx context.Context, userID string, class lane.Class, f func(*sql.Tx) error) error {
	if _, err := s.ready(ctx); err != nil {
		return err
	}
	leave, err := s.lanes.Enter(ctx, userID, class)
	if err != nil {
		return err
	}
	defer leave()
	return s.withoutUser(ctx, f)
}

// withoutUser is withUser for a transaction that concerns many users. It does not wait for
// calls that concern one of them.
func (s *Store) withoutUser(ctx context.Context, f func(*sql.Tx) error) error {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.transact(ctx, f)
}

// transact runs f in a transaction. It runs f again if the server rolled the transaction
// back because of another one. Then nothing has happened yet, so no session is created
// twice. Other errors, such as a lost connection, may hide a commit and are returned.
func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) (err error) {
	for range maxAttempts {
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
	defer func() { _ = tx.Rollback() }() // It does nothing after the commit.
	result := f(tx)
	if result != nil && !isContractError(result) {
		return result
	}
	// The server is asked last, because it may have become a standby while f waited.
	if s.asksBeforeCommit() {
		if err := s.refuseStandby(ctx, tx); err != nil {
			return err
		}
	}
	if commits := (committedError{}); result != nil && !errors.As(result, &commits) {
		return result
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return result
}

// asksBeforeCommit reports whether a standby might accept a change. Some read-only servers
// accept those of a privileged database account. PostgreSQL refuses all changes itself if the
// driver begins transactions without READ WRITE, as pgx does.
func (s *Store) asksBeforeCommit() bool {
	return s.dialect.standby != noStandby && (s.dialect.name != PostgreSQL || !s.driver.oneMessage)
}

// waitDurable returns when all changes that other calls have committed are durable. A call
// needs it if it has found no row to change, because its answer tells of such a change.
func (s *Store) waitDurable(ctx context.Context, tx *sql.Tx) error {
	if s.sql.waitDurable == "" {
		return nil
	}
	var done bool
	return tx.QueryRowContext(ctx, s.sql.waitDurable).Scan(&done)
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
