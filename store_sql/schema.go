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

// schemaStatements read which tables and indexes exist, and the version of the tables.
type schemaStatements struct{ columns, index, selectVersion string }

func newSchemaStatements(e *expander) schemaStatements {
	return schemaStatements{
		columns: e.expand(e.dialect.columns),
		index:   e.expand(e.dialect.index),
		selectVersion: e.expand(`
SELECT COALESCE(MAX(version), 0)
FROM {schema}`),
	}
}

// Schema returns the statements that make the tables of this version in an empty
// database, for a migration tool or for reading. [Store.Migrate] runs the same statements.
//
// Each statement ends with a semicolon at the end of a line, and no other line ends with
// one. A line that begins with "-- Version n." begins the statements that upgrade the
// tables from version n-1 to version n.
//
// Of the options only Prefix matters; a nil o means the default. Schema returns an error
// for an unknown dialect and for options that [New] refuses.
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

// migrations returns a text of SQL statements for each version of the tables. The first
// text makes the tables of version 1, and each other text upgrades them by one version.
// The order of the texts is that of the names of their files.
//
// The files have "gs_" for the prefix and not a placeholder, so that they are valid SQL.
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

// checkSchema returns ErrSetup unless the tables have the version that this package uses.
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
		return fmt.Errorf("%w: there are no tables: call Migrate", ErrSetup)
	case version < known:
		return fmt.Errorf("%w: schema version is %d, must be %d: call Migrate", ErrSetup, version, known)
	case version > known:
		return fmt.Errorf("%w: schema version %d is newer than %d, the newest version that this program knows", ErrSetup, version, known)
	default:
		return nil
	}
}

// schemaVersion returns the version of the tables, or 0 if there are no tables. It
// returns ErrSetup for tables of another program. It also returns 0 for tables to which
// an interrupted migration has not given a version yet, which can happen if a migration
// is not a transaction.
func (s *Store) schemaVersion(ctx context.Context, q querier) (int, error) {
	tables, err := s.tables(ctx, q)
	if err != nil || len(tables) == 0 {
		return 0, err
	}
	complete := true
	for _, want := range knownColumns[:version1Columns] {
		if tables[s.opts.Prefix+want.table] == nil && s.dialect.ddlNotTransactional {
			complete = false
		} else if err := s.checkColumn(tables, want); err != nil {
			return 0, err
		}
	}
	if !complete {
		return 0, s.checkUnfinished(ctx, q, tables)
	}
	var version int
	if err := q.QueryRowContext(ctx, s.sql.selectVersion).Scan(&version); err != nil {
		return 0, err
	}
	if version == 0 && !s.dialect.ddlNotTransactional {
		return 0, fmt.Errorf("%w: the tables are of another program, or damaged: %sschema is empty", ErrSetup, s.opts.Prefix)
	}
	if version > 1 {
		for _, want := range knownColumns[version1Columns:] {
			if err := s.checkColumn(tables, want); err != nil {
				return 0, err
			}
		}
	}
	return version, nil
}

type column struct{ table, name string }

// knownColumns are columns by which the tables of this package are recognized, because no
// other program has them. The first version1Columns of them exist since version 1.
var knownColumns = []column{
	{"schema", "version"},
	{"schema", "applied_at"},
	{"users", "ops"},
	{"sessions", "revoked_by"},
	{"users", "tokens_after_ms"},
	{"users", "copy_ms"},
	{"sessions", "token_ms"},
}

const version1Columns = 4

func (s *Store) checkColumn(tables map[string]map[string]bool, want column) error {
	name := s.opts.Prefix + want.table
	if !tables[name][want.name] {
		return fmt.Errorf("%w: the tables are of another program, or damaged: %s has no column %s", ErrSetup, name, want.name)
	}
	return nil
}

// checkUnfinished returns ErrSetup unless an interrupted migration can be the reason why
// a table is missing. The first migration makes the table of versions last and then
// inserts the version, so a version means that it was not interrupted. The caller has
// found that a table is missing.
func (s *Store) checkUnfinished(ctx context.Context, q querier, tables map[string]map[string]bool) error {
	if tables[s.opts.Prefix+"schema"] == nil {
		return nil
	}
	var version int
	if err := q.QueryRowContext(ctx, s.sql.selectVersion).Scan(&version); err != nil {
		return err
	}
	if version > 0 {
		return fmt.Errorf("%w: the tables are of another program, or damaged: a table is missing", ErrSetup)
	}
	return nil
}

// tables returns the columns of each table that has the name of a table of this package.
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
