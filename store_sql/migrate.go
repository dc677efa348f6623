package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// migrateStatements are the statements that Migrate sends before and after those in the
// folder schema.
type migrateStatements struct {
	install, step bracket
	insist        string
	upgradeLockStatements
}

func newMigrateStatements(e *expander) migrateStatements {
	d := e.dialect
	return migrateStatements{
		install:               d.install.expanded(e),
		step:                  d.step.expanded(e),
		insist:                e.expand(d.insist),
		upgradeLockStatements: newUpgradeLockStatements(e),
	}
}

// A bracket holds the statements that begin and end a transaction. If CREATE TABLE cannot
// be part of a transaction, the statements lock and unlock instead. An empty text is not
// sent.
type bracket struct {
	begin            []string
	commit, rollback string
}

func (b bracket) expanded(e *expander) bracket {
	return bracket{begin: e.expandAll(b.begin), commit: e.expand(b.commit), rollback: e.expand(b.rollback)}
}

// Migrate makes the tables, or upgrades them to the version that this package uses. It
// never downgrades them. If the tables are up to date it changes nothing. Any number of
// processes may call it at the same time. Processes of the previous version continue to
// work during an upgrade and after it. The next call continues an upgrade that was
// interrupted.
//
// Migrate returns [ErrSetup] for tables of another program or of a newer version of this
// package, and then writes nothing. All errors wrap [googlesession.ErrUnavailable].
//
// An upgrade of tables that are in use takes as long as building an index of all
// sessions. It also waits for the transactions that were open when it began. The context
// should allow time for both. In PostgreSQL an upgrade uses two connections of the pool.
func (s *Store) Migrate(ctx context.Context) error {
	_, err := runWrite(ctx, s, "migrating", func() (none struct{}, err error) { return none, s.runMigrations(ctx) })
	return err
}

func (s *Store) runMigrations(ctx context.Context) (err error) {
	texts, err := s.dialect.schemaTexts(s.opts.Prefix)
	if err != nil {
		return err
	}
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if isReadOnly(err) {
			closeConn(conn)
		}
		_ = conn.Close() // Close returns the connection to the pool.
	}()
	if s.dialect.standby != noStandby {
		if err := s.refuseStandby(ctx, conn); err != nil {
			return err
		}
	}
	if err := s.dialect.check(ctx, conn, s.db); err != nil {
		return err
	}
	for {
		// The version is read without a lock first, because most often there is nothing to do.
		version, err := s.schemaVersion(ctx, conn)
		switch {
		case err != nil:
			return err
		case version >= len(texts):
			return checkVersion(version, len(texts))
		case version == 0 && s.dialect.ddlNotTransactional:
			// Only version 1 is installed. The later versions follow as upgrades, because their
			// statements fail if they are repeated after an interruption.
			err = s.installTables(ctx, conn, texts[0].sql)
		case version == 0:
			err = s.installTables(ctx, conn, joinTexts(texts))
		default:
			err = s.upgrade(ctx, conn, version, s.dialect.steps(texts[version]))
		}
		if err != nil {
			return err
		}
	}
}

// installTables makes the tables in one transaction, if CREATE TABLE can be part of a
// transaction. It sends BEGIN and COMMIT itself, because database/sql offers neither
// BEGIN IMMEDIATE nor locks.
func (s *Store) installTables(ctx context.Context, conn *sql.Conn, text string) error {
	return s.inBracket(ctx, conn, s.sql.install, func() error {
		version, err := s.schemaVersion(ctx, conn)
		if err != nil || version > 0 {
			return err
		}
		for statement := range statementsOf(text) {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("creating the tables: %w", err)
			}
		}
		return nil
	})
}

// inBracket runs f between the statements of b. If f or one of the statements fails, it
// sends b.rollback.
func (s *Store) inBracket(ctx context.Context, conn *sql.Conn, b bracket, f func() error) (err error) {
	defer func() {
		if err != nil {
			s.rollBack(ctx, conn, b.rollback)
		}
	}()
	for _, statement := range b.begin {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := f(); err != nil || b.commit == "" {
		return err
	}
	_, err = conn.ExecContext(ctx, b.commit)
	return err
}

// rollBack sends a statement that ends a transaction, and closes the connection if the
// statement fails. A connection inside a transaction must not return to the pool.
func (s *Store) rollBack(ctx context.Context, conn *sql.Conn, rollback string) {
	if rollback == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, rollback); err != nil {
		closeConn(conn)
	}
}
