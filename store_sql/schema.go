package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

//go:embed schema
var schemaFiles embed.FS

// Schema returns the statements that [Store.Migrate] runs on an empty database, for
// a migration tool or for reading. A nil o means the defaults; only Prefix counts.
func Schema(d Dialect, o *Options) (string, error) {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	dialect, err := lookUp(d)
	if err != nil {
		return "", err
	}
	if err := opts.complete(); err != nil {
		return "", err
	}
	migrations, err := dialect.migrations(opts.Prefix)
	return strings.Join(migrations, "\n"), err
}

// migrations returns the texts that lead from one version to the next: the first
// makes version 1. Their files are numbered, so that their order is their names'.
func (d dialect) migrations(prefix string) ([]string, error) {
	dir := "schema/" + string(d.name)
	files, err := fs.ReadDir(schemaFiles, dir)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, file := range files {
		text, err := fs.ReadFile(schemaFiles, dir+"/"+file.Name())
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.ReplaceAll(string(text), "gs_", prefix))
	}
	return texts, nil
}

// Migrate makes the tables, or brings them up to date; it never goes back. Each
// version is one transaction. Any number of processes may call it at once. It
// refuses, with [ErrSetup], tables that another program or a newer version of this
// package made, and then writes nothing.
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
		if err != nil {
			return err
		}
		if version >= len(migrations) {
			return checkVersion(version, len(migrations))
		}
		if err := s.migrateOne(ctx, conn, version, migrations[version]); err != nil {
			return err
		}
	}
}

// migrateOne runs one migration, if the schema is at version from and not beyond.
// BEGIN IMMEDIATE has no counterpart in database/sql, nor have locks.
func (s *Store) migrateOne(ctx context.Context, conn *sql.Conn, from int, text string) (err error) {
	defer func() {
		if err != nil {
			s.rollBack(ctx, conn)
		}
	}()
	for _, statement := range s.dialect.begin {
		if _, err := conn.ExecContext(ctx, s.prefixed(statement)); err != nil {
			return err
		}
	}
	version, err := s.schemaVersion(ctx, conn)
	if err != nil {
		return err
	}
	if version == from {
		// Not all drivers take many statements at once. These end a line with ";".
		for statement := range strings.SplitAfterSeq(text, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("version %d: %w", from+1, err)
			}
		}
	}
	_, err = conn.ExecContext(ctx, s.prefixed(s.dialect.commit))
	return err
}

func (s *Store) prefixed(text string) string { return strings.ReplaceAll(text, "gs_", s.opts.Prefix) }

// rollBack ends the transaction, or else the connection with it: the pool must not
// get one back that is inside a transaction.
func (s *Store) rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, s.prefixed(s.dialect.rollback)); err != nil {
		drop(conn)
	}
}

// A querier is a pool, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// checkSchema reports ErrSetup unless the tables are of this version.
func (s *Store) checkSchema(ctx context.Context, q querier) error {
	migrations, err := s.dialect.migrations(s.opts.Prefix)
	if err != nil {
		return err
	}
	version, err := s.schemaVersion(ctx, q)
	if err != nil {
		return err
	}
	return checkVersion(version, len(migrations))
}

func checkVersion(version, known int) error {
	switch {
	case version == 0:
		return fmt.Errorf("%w: no tables: call Migrate", ErrSetup)
	case version < known:
		return fmt.Errorf("%w: schema version %d, needed %d: call Migrate", ErrSetup, version, known)
	case version > known:
		return fmt.Errorf("%w: schema version %d is newer than %d, the newest this program knows", ErrSetup, version, known)
	default:
		return nil
	}
}

// schemaVersion returns 0 if there is no table of ours, and ErrSetup if there are
// some that Migrate did not make. Where a migration is no transaction, one that was
// cut off has left some of them, without a version.
func (s *Store) schemaVersion(ctx context.Context, q querier) (int, error) {
	tables, err := s.tables(ctx, q)
	if err != nil || len(tables) == 0 {
		return 0, err
	}
	complete := true
	for _, want := range []struct{ table, column string }{
		{"schema", "version"}, {"schema", "applied_at"}, {"users", "ops"}, {"sessions", "revoked_by"},
	} {
		name := s.opts.Prefix + want.table
		if tables[name] == nil && s.dialect.resumes {
			complete = false
			continue
		}
		if !tables[name][want.column] {
			return 0, fmt.Errorf("%w: tables of another program, or damaged: %s has no column %s", ErrSetup, name, want.column)
		}
	}
	if !complete {
		return 0, s.checkUnfinished(ctx, q, tables)
	}
	var version int
	if err := q.QueryRowContext(ctx, s.sql.version).Scan(&version); err != nil {
		return 0, err
	}
	if version == 0 && !s.dialect.resumes {
		return 0, fmt.Errorf("%w: tables of another program, or damaged: %sschema is empty", ErrSetup, s.opts.Prefix)
	}
	return version, nil
}

// checkUnfinished reports ErrSetup for tables that are not ours to finish: a first
// migration makes the one with the versions last.
func (s *Store) checkUnfinished(ctx context.Context, q querier, tables map[string]map[string]bool) error {
	if tables[s.opts.Prefix+"schema"] == nil {
		return nil
	}
	var version int
	if err := q.QueryRowContext(ctx, s.sql.version).Scan(&version); err != nil {
		return err
	}
	if version > 0 {
		return fmt.Errorf("%w: tables of another program, or damaged: a table is missing", ErrSetup)
	}
	return nil
}

// tables returns the tables under our names, with the columns of each.
func (s *Store) tables(ctx context.Context, q querier) (map[string]map[string]bool, error) {
	rows, err := q.QueryContext(ctx, s.sql.columns)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := make(map[string]map[string]bool)
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		if tables[table] == nil {
			tables[table] = make(map[string]bool)
		}
		tables[table][column] = true
	}
	return tables, rows.Err()
}
