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

// maxAttempts is how often a transaction is attempted if the server rolls it back because
// of another transaction.
const maxAttempts = 10

// A runner is a pool or a transaction.
type runner interface {
	querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// lockWriter waits until no other call of this store writes. It does not wait if the
// database allows several writers at a time.
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

// exec runs one statement that writes, as runSingle does, and returns how many rows it
// has changed. The statement has to contain {not_standby}, because only [Store.transact]
// asks before a commit whether the server is a standby.
func (s *Store) exec(ctx context.Context, x statement, args ...any) (int64, error) {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return runSingle(ctx, s, func(r runner) (int64, error) { return affected(x.on(r).exec(ctx, args...)) })
}

// runSingle runs one statement. It uses a transaction in two cases only:
//
//   - The database is PostgreSQL and the driver may send a statement and its arguments in
//     two messages. Without a transaction a pooler could run another client's statement
//     with these arguments. In a transaction the connection to the server belongs to this
//     client alone.
//   - The statement has failed without a transaction because of a conflict. That happens
//     if the server's default isolation is stricter than READ COMMITTED.
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

// withUser runs f in a transaction that concerns one user. Calls of withUser for the same
// user run one at a time in this process, and wait before they take a connection. So a
// user who signs in a thousand times at once holds one connection and not all of them.
//
// f must begin with a write that locks the user's row, because an SQLite transaction that
// reads first can fail. If f returns an error the transaction is rolled back, except for
// a committedError. withUser may call f several times.
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

// withoutUser runs f in a transaction that concerns many users. Unlike withUser, it does
// not wait for calls that concern one of these users.
func (s *Store) withoutUser(ctx context.Context, f func(*sql.Tx) error) error {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.transact(ctx, f)
}

// transact runs f in a transaction. It runs f again if the server rolled the transaction
// back because of another transaction. In that case nothing has changed yet, so no
// session is created twice. Other errors, such as a lost connection, may hide a commit
// and are returned.
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
	defer func() { _ = tx.Rollback() }() // Rollback does nothing after the commit.
	result := f(tx)
	if result != nil && !isContractError(result) {
		return result
	}
	// The question whether the server is a standby comes last, because the server may have
	// become a standby while f waited.
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

// asksBeforeCommit reports whether a standby might accept a change. Some read-only
// servers accept changes by a privileged database account. PostgreSQL refuses all changes
// itself if the driver begins transactions without READ WRITE, as pgx does.
func (s *Store) asksBeforeCommit() bool {
	return s.dialect.standby != noStandby && (s.dialect.name != PostgreSQL || !s.driver.oneMessage)
}

// waitDurable makes the commit of tx wait until all changes that other calls have
// committed are durable, if the database needs a statement for that. A call needs
// waitDurable if it has found no row to change, because its answer then depends on a
// change of another call.
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
