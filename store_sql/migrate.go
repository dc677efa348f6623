package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Migrate makes the tables, or brings them up to date; it never goes back. Any number of
// processes may call it at once. Processes of the version before, and their requests, go
// on while it works and afterwards. One that was cut off is finished by the next. It
// refuses, with [ErrSetup], tables that another program or a newer version of this
// package made, and then writes nothing.
//
// On tables that are in use it takes as long as building an index of all sessions does,
// and as the transactions last that were open when it began. Give it a context with that
// much time. In PostgreSQL it uses two connections of the pool.
func (s *Store) Migrate(ctx context.Context) error {
	_, err := act(ctx, s, "migrating", func() (none struct{}, err error) { return none, s.migrate(ctx) })
	return err
}

func (s *Store) migrate(ctx context.Context) (err error) {
	migrations, err := s.dialect.migrations(s.opts.Prefix)
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
			drop(conn)
		}
		_ = conn.Close() // back to the pool
	}()
	if s.dialect.standby != never {
		if err := s.believe(ctx, conn); err != nil {
			return err
		}
	}
	if err := s.dialect.check(ctx, conn, s.db); err != nil {
		return err
	}
	for {
		// Asked first without a lock: most of the time there is nothing to do.
		version, err := s.schemaVersion(ctx, conn)
		switch {
		case err != nil:
			return err
		case version >= len(migrations):
			return checkVersion(version, len(migrations))
		case version == 0 && s.dialect.resumes: // the later ones cannot run twice
			err = s.install(ctx, conn, migrations[0])
		case version == 0:
			err = s.install(ctx, conn, strings.Join(migrations, "\n"))
		default:
			err = s.upgrade(ctx, conn, version, migrations[version])
		}
		if err != nil {
			return err
		}
	}
}

// install makes the tables in one transaction, where the database has such a thing.
// BEGIN IMMEDIATE has no counterpart in database/sql, nor have locks.
func (s *Store) install(ctx context.Context, conn *sql.Conn, text string) error {
	return s.bracket(ctx, conn, s.dialect.begin, s.dialect.commit, s.dialect.rollback, func() error {
		version, err := s.schemaVersion(ctx, conn)
		if err != nil || version > 0 {
			return err
		}
		for statement := range statementsOf(text) {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("first version: %w", err)
			}
		}
		return nil
	})
}

// statementsOf returns the statements of a text. Not all drivers take many at once.
func statementsOf(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for statement := range strings.SplitAfterSeq(text, ";\n") {
			if strings.TrimSpace(statement) != "" && !yield(statement) {
				return
			}
		}
	}
}

// bracket runs f between statements that begin and end a transaction, or whatever stands
// for one.
func (s *Store) bracket(ctx context.Context, conn *sql.Conn, begin []string, commit, rollback string, f func() error) (err error) {
	defer func() {
		if err != nil {
			s.rollBack(ctx, conn, rollback)
		}
	}()
	for _, statement := range begin {
		if _, err := conn.ExecContext(ctx, s.prefixed(statement)); err != nil {
			return err
		}
	}
	if err := f(); err != nil || commit == "" {
		return err
	}
	_, err = conn.ExecContext(ctx, s.prefixed(commit))
	return err
}

func (s *Store) prefixed(text string) string { return strings.ReplaceAll(text, "gs_", s.opts.Prefix) }

// rollBack ends the transaction, or else the connection with it: the pool must not
// get one back that is inside a transaction.
func (s *Store) rollBack(ctx context.Context, conn *sql.Conn, rollback string) {
	if rollback == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, s.prefixed(rollback)); err != nil {
		drop(conn)
	}
}
