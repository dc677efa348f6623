package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed schema
var schemaFiles embed.FS

// Schema returns the statements that make the tables of this version in an empty
// database, for a migration tool or for reading. Each statement ends a line with ";".
// A line "-- Version n." begins those that lead from version n-1 to version n. A nil o
// means the defaults; only Prefix counts.
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
	for _, want := range ourColumns[:firstVersion] {
		if tables[s.opts.Prefix+want.table] == nil && s.dialect.resumes {
			complete = false
		} else if err := s.checkColumn(tables, want); err != nil {
			return 0, err
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
	if version > 1 {
		for _, want := range ourColumns[firstVersion:] {
			if err := s.checkColumn(tables, want); err != nil {
				return 0, err
			}
		}
	}
	return version, nil
}

type column struct{ table, name string }

// ourColumns are some that no other program's tables have: the first few are those of
// version 1.
var ourColumns = []column{
	{"schema", "version"},
	{"schema", "applied_at"},
	{"users", "ops"},
	{"sessions", "revoked_by"},
	{"users", "tokens_after_ms"},
	{"users", "copy_ms"},
	{"sessions", "token_ms"},
}

const firstVersion = 4

func (s *Store) checkColumn(tables map[string]map[string]bool, want column) error {
	name := s.opts.Prefix + want.table
	if !tables[name][want.name] {
		return fmt.Errorf("%w: tables of another program, or damaged: %s has no column %s", ErrSetup, name, want.name)
	}
	return nil
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
