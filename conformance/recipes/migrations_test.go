package recipes_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	migratemysql "github.com/golang-migrate/migrate/v4/database/mysql"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	migratesqlite "github.com/golang-migrate/migrate/v4/database/sqlite"
	_ "github.com/golang-migrate/migrate/v4/source/file"
	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

//recipe:operations
func openSQLite(ctx context.Context) (*sqlstore.Store, error) {
	db, err := sql.Open("sqlite", "file:app.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	store, err := sqlstore.New(db, sqlstore.SQLite, nil)
	if err != nil {
		return nil, err
	}
	return store, store.Migrate(ctx)
}

//recipe:operations
func writeForGoose(dir string, number int, migrations []sqlstore.Migration) error {
	for _, m := range migrations {
		for _, step := range m.Steps {
			head := "-- +goose Up\n"
			if step.NoTransaction {
				head = "-- +goose NO TRANSACTION\n-- +goose Up\n"
			}
			name := fmt.Sprintf("%05d_googlesession_%s.sql", number, m.Name)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(head+step.SQL), 0o600); err != nil {
				return err
			}
			number++
		}
	}
	return nil
}

//recipe:operations
func writeForGolangMigrate(dir string, number int, migrations []sqlstore.Migration) error {
	for _, m := range migrations {
		for _, step := range m.Steps {
			name := fmt.Sprintf("%06d_googlesession_%s.up.sql", number, m.Name)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(step.SQL), 0o600); err != nil {
				return err
			}
			number++
		}
	}
	return nil
}

func TestOpenSQLite(t *testing.T) {
	t.Chdir(t.TempDir())
	store, err := openSQLite(t.Context())
	require.NoError(t, err)
	requireSignIn(t, store)
}

// A toolDatabase is an empty database, which a migration tool and a store open.
type toolDatabase struct {
	dialect sqlstore.Dialect
	goose   goose.Dialect
	open    func(t *testing.T) *sql.DB
	driver  func(db *sql.DB) (database.Driver, error) // of golang-migrate
}

func toolDatabases() []toolDatabase {
	return []toolDatabase{
		{
			sqlstore.PostgreSQL, goose.DialectPostgres, emptyPostgres,
			func(db *sql.DB) (database.Driver, error) { return migratepgx.WithInstance(db, &migratepgx.Config{}) },
		},
		{
			sqlstore.MySQL, goose.DialectMySQL, emptyMySQL,
			func(db *sql.DB) (database.Driver, error) {
				return migratemysql.WithInstance(db, &migratemysql.Config{})
			},
		},
		{
			sqlstore.SQLite, goose.DialectSQLite3, emptySQLite,
			func(db *sql.DB) (database.Driver, error) {
				return migratesqlite.WithInstance(db, &migratesqlite.Config{})
			},
		},
	}
}

func emptyPostgres(t *testing.T) *sql.DB {
	t.Helper()
	config, err := pgx.ParseConfig(postgresDSN(t))
	require.NoError(t, err)
	return opened(t, "pgx", config.ConnString()+"&search_path="+schema(t, config))
}

func emptyMySQL(t *testing.T) *sql.DB {
	t.Helper()
	dsn := mysqlDSN(t)
	name := "recipe_" + strings.ToLower(rand.Text())
	admin := opened(t, "mysql", dsn)
	_, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = admin.ExecContext(context.Background(), "DROP DATABASE "+name) })
	return opened(t, "mysql", dsn[:strings.LastIndex(dsn, "/")+1]+name+"?lock_wait_timeout=1")
}

func emptySQLite(t *testing.T) *sql.DB {
	t.Helper()
	pragmas := "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	return opened(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "app.db")+"?"+pragmas)
}

func opened(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Two migration tools make the tables of an early version, and upgrade them later with the
// files of the further versions. A store works with the result.
func TestMigrationTools(t *testing.T) {
	tools := map[string]func(t *testing.T, d toolDatabase, db *sql.DB, first, second []sqlstore.Migration){
		"goose": func(t *testing.T, d toolDatabase, db *sql.DB, first, second []sqlstore.Migration) {
			dir := t.TempDir()
			for i, migrations := range [][]sqlstore.Migration{first, second} {
				require.NoError(t, writeForGoose(dir, 1+100*i, migrations))
				provider, err := goose.NewProvider(d.goose, db, os.DirFS(dir))
				require.NoError(t, err)
				_, err = provider.Up(t.Context())
				require.NoError(t, err)
			}
		},
		"golang-migrate": func(t *testing.T, d toolDatabase, db *sql.DB, first, second []sqlstore.Migration) {
			dir := t.TempDir()
			for i, migrations := range [][]sqlstore.Migration{first, second} {
				require.NoError(t, writeForGolangMigrate(dir, 1+100*i, migrations))
				driver, err := d.driver(db)
				require.NoError(t, err)
				m, err := migrate.NewWithDatabaseInstance("file://"+dir, string(d.dialect), driver)
				require.NoError(t, err)
				require.NoError(t, m.Up())
			}
		},
	}
	for _, d := range toolDatabases() {
		for name, run := range tools {
			t.Run(fmt.Sprintf("%s on %s", name, d.dialect), func(t *testing.T) {
				migrations, err := sqlstore.Migrations(d.dialect, nil)
				require.NoError(t, err)
				if d.dialect == sqlstore.PostgreSQL {
					limitWaits(migrations)
				}
				db := d.open(t)
				run(t, d, db, migrations[:1], migrations[1:])
				store, err := sqlstore.New(db, d.dialect, nil)
				require.NoError(t, err)
				requireSignIn(t, store)
				require.NoError(t, store.Migrate(t.Context()), "Migrate changes nothing")
			})
		}
	}
}

// limitWaits lets each step wait for its lock for half a second, as docs/operations.md says.
func limitWaits(migrations []sqlstore.Migration) {
	for _, m := range migrations {
		for i := range m.Steps {
			if !m.Steps[i].NoTransaction {
				m.Steps[i].SQL = "SET LOCAL lock_timeout = '500ms';\n" + m.Steps[i].SQL
			}
		}
	}
}

// requireSignIn expects that a user can sign in, which is the first call of a new store.
func requireSignIn(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	m, google := newManager(t, func(c *googlesession.Config) { c.Sessions = store })
	user := google.SignIn(t, api(m), "/api/login", ada)
	res := do(t, user, "GET", "/api/user")
	require.Equal(t, 200, res.status, res.text)
}
