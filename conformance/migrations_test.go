package conformance_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

func (s sqlServer) migrations(tb testing.TB, prefix string) []sqlstore.Migration {
	tb.Helper()
	all, err := sqlstore.Migrations(s.dialect, &sqlstore.Options{Prefix: prefix})
	require.NoError(tb, err)
	return all
}

// apply runs the steps as a migration tool does, with a transaction for each step.
func (s sqlServer) apply(tb testing.TB, db *sql.DB, migrations ...sqlstore.Migration) {
	tb.Helper()
	for _, m := range migrations {
		for _, step := range m.Steps {
			if step.NoTransaction {
				execute(tb, db, step.SQL)
				continue
			}
			tx, err := db.BeginTx(tb.Context(), nil)
			require.NoError(tb, err)
			_, err = tx.ExecContext(tb.Context(), step.SQL)
			require.NoError(tb, err, step.SQL)
			require.NoError(tb, tx.Commit())
		}
	}
}

// A migration tool makes the tables and upgrades those of every earlier version with the
// steps of Migrations alone. A store works with the result.
func TestMigrationsOfATool(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		for from := range s.migrations(t, "gs_") {
			t.Run(fmt.Sprintf("%s from version %d", s.name, from), func(t *testing.T) {
				t.Parallel()
				prefix := s.newPrefix(t)
				all, db := s.migrations(t, prefix), s.open(t)
				s.apply(t, db, all[:from]...)
				for _, m := range all[from:] {
					store, err := sqlstore.New(db, s.dialect, &sqlstore.Options{Prefix: prefix})
					require.NoError(t, err)
					_, err = store.User(t.Context(), "a")
					require.ErrorIs(t, err, sqlstore.ErrSetup, "before version %d", m.Version)
					s.apply(t, db, m)
				}
				store, err := sqlstore.New(db, s.dialect, &sqlstore.Options{Prefix: prefix})
				require.NoError(t, err)
				_, ref := signIn(t, store)
				require.NoError(t, check(t, store, ref, 0))
				s.requireUpgraded(t, prefix, s.fresh(t))
			})
		}
	}
}

// Each Migration names its version, and its last step alone records that version.
func TestMigrationsRecordTheirVersion(t *testing.T) {
	for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL} {
		all, err := sqlstore.Migrations(d, &sqlstore.Options{Prefix: "app_"})
		require.NoError(t, err)
		var texts []string
		for i, m := range all {
			require.Equal(t, i+1, m.Version)
			require.Regexp(t, `\A[a-z]+\z`, m.Name)
			for j, step := range m.Steps {
				require.NotContains(t, step.SQL, "gs_", "the prefix is the option's")
				require.True(t, strings.HasSuffix(step.SQL, ";\n"), step.SQL)
				require.Equal(t, 1, strings.Count(step.SQL, ";\n"), step.SQL)
				record := fmt.Sprintf("INSERT INTO app_schema (version) VALUES (%d);\n", m.Version)
				require.Equal(t, j == len(m.Steps)-1, strings.Contains(step.SQL, record), step.SQL)
				texts = append(texts, strings.Replace(step.SQL, "CREATE INDEX CONCURRENTLY app_", "CREATE INDEX app_", 1))
			}
		}
		schema, err := sqlstore.Schema(d, &sqlstore.Options{Prefix: "app_"})
		require.NoError(t, err)
		require.Equal(t, strings.Fields(schema), strings.Fields(strings.Join(texts, "")), "Schema has the same statements")
	}
	for want, call := range map[string]func() ([]sqlstore.Migration, error){
		"unknown dialect": func() ([]sqlstore.Migration, error) { return sqlstore.Migrations("oracle", nil) },
		"Options.Prefix": func() ([]sqlstore.Migration, error) {
			return sqlstore.Migrations(sqlstore.SQLite, &sqlstore.Options{Prefix: "A"})
		},
	} {
		all, err := call()
		require.ErrorContains(t, err, want)
		require.Empty(t, all)
	}
}

// PostgreSQL refuses a step with NoTransaction inside a transaction.
func TestMigrationsNoTransaction(t *testing.T) {
	s := sqlServers()[0]
	prefix := s.newPrefix(t)
	all, db := s.migrations(t, prefix), s.open(t)
	s.apply(t, db, all...)
	var indexes int
	for _, m := range all {
		for _, step := range m.Steps {
			require.Equal(t, strings.Contains("\n"+step.SQL, "\nCREATE INDEX ") && m.Version > 1, step.NoTransaction, step.SQL)
			if !step.NoTransaction {
				continue
			}
			indexes++
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), step.SQL)
			require.ErrorContains(t, err, "transaction block")
			require.NoError(t, tx.Rollback())
		}
	}
	require.NotZero(t, indexes)
}
