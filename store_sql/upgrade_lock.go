package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// upgradeLockStatements keep two upgrades of the same tables from running at the same
// time.
type upgradeLockStatements struct {
	tryUpgradeLock                   string   // It is empty except for PostgreSQL.
	beginUpgradeLock, endUpgradeLock []string // They are empty except for MySQL.
}

func newUpgradeLockStatements(e *expander) (s upgradeLockStatements) {
	switch e.dialect.name {
	case PostgreSQL:
		s.tryUpgradeLock = e.expand(`SELECT pg_try_advisory_xact_lock(hashtext('{schema}'))`)
	case MySQL:
		s.beginUpgradeLock = e.expandAll(append([]string{
			`SET @{prefix}lock_wait_timeout = @@session.lock_wait_timeout`,
			`SET SESSION lock_wait_timeout = 0`, // 0 means one second in MySQL, and not to wait in MariaDB.
		}, e.dialect.install.begin...))
		s.endUpgradeLock = e.expandAll([]string{
			`SET SESSION lock_wait_timeout = @{prefix}lock_wait_timeout`,
			e.dialect.install.rollback,
		})
	}
	return s
}

// lockUpgradePostgres takes a lock in a transaction on a connection of its own, and
// release ends the transaction. It does not wait for the lock inside a transaction, because
// the building of an index waits for every transaction that has run a statement at the wrong
// moment, and the two would wait for each other.
func lockUpgradePostgres(ctx context.Context, s *Store, _ *sql.Conn) (release func(), err error) {
	if s.db.Stats().MaxOpenConnections == 1 {
		return nil, fmt.Errorf("%w: upgrading the tables takes two connections: call SetMaxOpenConns(2)", ErrSetup)
	}
	for {
		release, err = s.tryUpgradeLock(ctx)
		if err != nil || release != nil {
			return release, err
		}
		if err := sleep(ctx, shortestPause); err != nil {
			return nil, err
		}
	}
}

// tryUpgradeLock returns nil if another upgrade has the lock.
func (s *Store) tryUpgradeLock(ctx context.Context) (release func(), err error) {
	// At a stricter isolation level the idle transaction would keep a snapshot, and the
	// building of an index waits for snapshots too.
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	locked := false
	err = tx.QueryRowContext(ctx, s.sql.tryUpgradeLock).Scan(&locked)
	if err == nil && locked {
		// The SELECT keeps its snapshot until the next statement of the transaction, so that
		// statement is sent before an index is built.
		_, err = tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0")
	}
	if err != nil || !locked {
		_ = tx.Rollback()
		return nil, err
	}
	return func() { _ = tx.Rollback() }, nil
}

// lockUpgradeMySQL takes a lock on conn and sets how long a step waits for a table. The
// function release restores that time and releases the lock.
func lockUpgradeMySQL(ctx context.Context, s *Store, conn *sql.Conn) (release func(), err error) {
	release = func() {
		for _, statement := range s.sql.endUpgradeLock {
			s.rollBack(ctx, conn, statement)
		}
	}
	for _, statement := range s.sql.beginUpgradeLock {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// lockUpgradeSQLite takes no lock, because each step is a transaction that first looks
// whether the step is done.
func lockUpgradeSQLite(context.Context, *Store, *sql.Conn) (release func(), err error) {
	return func() {}, nil
}
