package conformance_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// described returns the columns of the tables with the prefix, and their indexes, without the
// prefix. For SQLite it returns the statements that define them.
func (s sqlServer) described(tb testing.TB, prefix string) (all []string) {
	tb.Helper()
	columns, indexes := `
SELECT table_name, column_name, column_type, is_nullable, COALESCE(collation_name, '') FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name LIKE ? ORDER BY 1, ordinal_position`, `
SELECT table_name, index_name, column_name, '', '' FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name LIKE ? ORDER BY 1, 2, seq_in_index`
	if s.dialect == sqlstore.PostgreSQL {
		columns = `
SELECT table_name, column_name, data_type, is_nullable, COALESCE(collation_name, '') FROM information_schema.columns
WHERE table_name LIKE $1 ORDER BY 1, ordinal_position`
		indexes = `SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE tablename LIKE $1 ORDER BY 1, 2`
	}
	queries := []string{columns, indexes}
	if s.dialect == sqlstore.SQLite {
		queries = []string{`SELECT name, COALESCE(sql, ''), '', '', '' FROM sqlite_schema WHERE name LIKE ? ESCAPE '\' ORDER BY name`}
	}
	db := s.open(tb)
	for _, query := range queries {
		rows, err := db.QueryContext(tb.Context(), query, strings.ReplaceAll(prefix, "_", "\\_")+"%")
		require.NoError(tb, err)
		defer rows.Close()
		for rows.Next() {
			var a, b, c, d, e string
			require.NoError(tb, rows.Scan(&a, &b, &c, &d, &e))
			all = append(all, strings.ReplaceAll(strings.Join([]string{a, b, c, d, e}, " "), prefix, ""))
		}
		require.NoError(tb, rows.Err())
	}
	return all
}

func TestSQLServerMigrate(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		prefix := s.newPrefix(t)
		o := &sqlstore.Options{Prefix: prefix}
		store, err := sqlstore.New(s.open(t), s.dialect, o)
		require.NoError(t, err)
		_, err = store.User(t.Context(), "a")
		require.ErrorIs(t, err, sqlstore.ErrSetup)
		require.ErrorContains(t, err, "call Migrate")

		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			other, err := sqlstore.New(s.open(t), s.dialect, o)
			require.NoError(t, err)
			wg.Go(func() { errs[i] = other.Migrate(t.Context()) })
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		made := s.described(t, prefix)
		require.Greater(t, len(made), 20)
		_, err = store.User(t.Context(), "a")
		require.ErrorIs(t, err, googlesession.ErrNotFound, "the store finds the tables without a restart")
		var versions int
		require.NoError(t, s.open(t).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+prefix+`schema`).Scan(&versions))
		require.Equal(t, 4, versions, "one row for each version of the schema")

		other := s.newPrefix(t)
		text, err := sqlstore.Schema(s.dialect, &sqlstore.Options{Prefix: other})
		require.NoError(t, err)
		for statement := range strings.SplitAfterSeq(text, ";\n") {
			if strings.TrimSpace(statement) != "" {
				execute(t, s.open(t), statement)
			}
		}
		require.Equal(t, made, s.described(t, other), "Schema makes what Migrate makes")
		_, err = s.store(t, &sqlstore.Options{Prefix: other}).User(t.Context(), "a")
		require.ErrorIs(t, err, googlesession.ErrNotFound)
	})
}

// A store refuses tables that this package did not make, that are incomplete, or that a
// newer version made. It does not change them.
func TestSQLServerForeignTables(t *testing.T) {
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		for name, tt := range map[string]struct {
			statements []string
			want       string
		}{
			"newer version":       {[]string{`INSERT INTO gs_schema (version) VALUES (99)`}, "newer than 4"},
			"other users table":   {[]string{`DROP TABLE gs_sessions`, `DROP TABLE gs_users`, `DROP TABLE gs_schema`, `CREATE TABLE gs_users (name INTEGER)`}, "another program"},
			"a column is missing": {[]string{`ALTER TABLE gs_users RENAME COLUMN ops TO oops`}, "no column ops"},
			"a later column":      {[]string{`ALTER TABLE gs_sessions RENAME COLUMN token_ms TO oops`}, "no column token_ms"},
			"a table is missing":  {[]string{`DROP TABLE gs_sessions`}, "another program"},
		} {
			t.Run(name, func(t *testing.T) {
				prefix := s.newPrefix(t)
				o := &sqlstore.Options{Prefix: prefix}
				s.store(t, o)
				for _, statement := range tt.statements {
					execute(t, s.open(t), strings.ReplaceAll(statement, "gs_", prefix))
				}
				before := s.described(t, prefix)
				store, err := sqlstore.New(s.open(t), s.dialect, o)
				require.NoError(t, err)
				for _, err := range []error{store.Migrate(t.Context()), func() error { _, err := store.Users(t.Context(), googlesession.UserQuery{Limit: 1}); return err }()} {
					require.ErrorIs(t, err, sqlstore.ErrSetup)
					require.ErrorContains(t, err, tt.want)
				}
				require.Equal(t, before, s.described(t, prefix), "nothing was written")
			})
		}
	})
}

// MySQL commits each statement of a migration by itself. The next migration finishes one
// that was interrupted after any of its statements.
func TestMySQLMigrationResumes(t *testing.T) {
	s := sqlServers()[1]
	text, err := sqlstore.Schema(s.dialect, nil)
	require.NoError(t, err)
	statements := strings.SplitAfter(strings.TrimSpace(text), ";\n")
	require.Greater(t, len(statements), 2)
	whole := s.newPrefix(t)
	s.store(t, &sqlstore.Options{Prefix: whole})
	want := s.described(t, whole)
	for done := range statements {
		// The end of the subtest closes its connections, of which a server has few.
		t.Run(fmt.Sprintf("after %d", done), func(t *testing.T) {
			prefix := s.newPrefix(t)
			for _, statement := range statements[:done] {
				execute(t, s.open(t), strings.ReplaceAll(statement, "gs_", prefix))
			}
			store := s.store(t, &sqlstore.Options{Prefix: prefix})
			signIn(t, store)
			require.Equal(t, want, s.described(t, prefix))
		})
	}
}

// Settings that would damage names or lose revocations are refused.
func TestSQLServerSettings(t *testing.T) {
	my, pg := sqlServers()[1], sqlServers()[0]
	refused := func(t *testing.T, s sqlServer, driver, dsn, want string) {
		t.Helper()
		db, err := sql.Open(driver, dsn)
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		store, err := sqlstore.New(db, s.dialect, nil)
		require.NoError(t, err)
		_, err = store.User(t.Context(), "a")
		for _, err := range []error{err, store.Migrate(t.Context())} {
			require.ErrorIs(t, err, sqlstore.ErrSetup)
			require.ErrorContains(t, err, want)
		}
	}
	t.Run("character set", func(t *testing.T) { refused(t, my, "mysql", my.dsn(t)+"?charset=latin1", "latin1") })
	t.Run("autocommit", func(t *testing.T) { refused(t, my, "mysql", my.dsn(t)+"?autocommit=0", "autocommit is off") })
	t.Run("no database", func(t *testing.T) {
		dsn, _, _ := strings.Cut(my.dsn(t), "?")
		refused(t, my, "mysql", dsn[:strings.LastIndex(dsn, "/")+1], "no database selected")
	})
	t.Run("encoding", func(t *testing.T) {
		db := pg.open(t)
		name := strings.TrimSuffix("enc"+pg.newPrefix(t), "_")
		execute(t, db, `CREATE DATABASE `+name+` ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
		t.Cleanup(func() {
			_, err := db.ExecContext(context.WithoutCancel(t.Context()), `DROP DATABASE `+name+` WITH (FORCE)`)
			require.NoError(t, err)
		})
		dsn, err := url.Parse(pg.dsn(t))
		require.NoError(t, err)
		dsn.Path = name
		refused(t, pg, "pgx", dsn.String(), "SQL_ASCII")
	})
}
