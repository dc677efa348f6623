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
// database, for reading or for a tool that compares schemas. [Store.Migrate] runs the same
// statements, and [Migrations] returns them one by one.
//
// Each statement ends with a semicolon at the end of a line, and no other line ends with
// one. A line that begins with "-- Version n." begins the statements that upgrade the
// tables from version n-1 to version n.
//
// Of the options only Prefix matters; a nil o means the default. Schema returns an error
// for an unknown dialect and for options that [New] refuses.
func Schema(d Dialect, o *Options) (string, error) {
	_, texts, err := schemaTexts(d, o)
	return joinTexts(texts), err
}

// schemaTexts returns the dialect d and its texts, or an error for an unknown dialect and
// for invalid options.
func schemaTexts(d Dialect, o *Options) (dialect, []schemaText, error) {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	dialect, err := lookUp(d)
	if err != nil {
		return dialect, nil, err
	}
	if err := opts.complete(); err != nil {
		return dialect, nil, err
	}
	texts, err := dialect.schemaTexts(opts.Prefix)
	return dialect, texts, err
}

// A schemaText holds the SQL statements for a version of the tables.
type schemaText struct {
	version int
	name    string
	sql     string
}

func joinTexts(texts []schemaText) string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = text.sql
	}
	return strings.Join(all, "\n")
}

// schemaTexts returns a text for each version of the tables. The first text makes the tables
// of version 1, and each other text upgrades them by one version. A file's name is the
// version, an underscore and the name of the text.
//
// The files have "gs_" for the prefix and not a placeholder, so that they are valid SQL.
func (d dialect) schemaTexts(prefix string) ([]schemaText, error) {
	dir := "schema/" + string(d.name)
	files, err := fs.ReadDir(schemaFiles, dir)
	if err != nil {
		return nil, err
	}
	var texts []schemaText
	for i, file := range files {
		content, err := fs.ReadFile(schemaFiles, dir+"/"+file.Name())
		if err != nil {
			return nil, err
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(file.Name(), ".sql"), "_")
		texts = append(texts, schemaText{version: i + 1, name: name, sql: strings.ReplaceAll(string(content), "gs_", prefix)})
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
	texts, err := s.dialect.schemaTexts(s.opts.Prefix)
	if err != nil {
		return err
	}
	version, err := s.schemaVersion(ctx, q)
	if err != nil {
		return err
	}
	return checkVersion(version, len(texts))
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
	for _, want := range knownColumns {
		if want.since > 1 {
			continue
		}
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
	if s.checkColumns(tables, version) == nil {
		return version, nil
	}
	// Another process may have upgraded the tables after their columns were read and before the
	// version was. Columns are never removed, so those that are read after the version suffice.
	if tables, err = s.tables(ctx, q); err != nil {
		return 0, err
	}
	return version, s.checkColumns(tables, version)
}

// checkColumns returns ErrSetup if the tables lack a column of this version.
func (s *Store) checkColumns(tables map[string]map[string]bool, version int) error {
	for _, want := range knownColumns {
		if want.since > version {
			continue
		}
		if err := s.checkColumn(tables, want); err != nil {
			return err
		}
	}
	return nil
}

type column struct {
	table, name string
	since       int // The version of the tables that added the column.
}

// knownColumns are columns by which the tables of this package are recognized, because no
// other program has them.
var knownColumns = []column{
	{"schema", "version", 1},
	{"schema", "applied_at", 1},
	{"users", "ops", 1},
	{"sessions", "revoked_by", 1},
	{"users", "tokens_after_ms", 2},
	{"users", "copy_ms", 2},
	{"sessions", "token_ms", 2},
	{"users", "data_ms", 3},
	{"users", "browsers", 3},
	{"sessions", "public_id", 3},
	{"sessions", "binding", 4},
}

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
