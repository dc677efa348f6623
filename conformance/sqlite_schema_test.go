package conformance_test

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// tables returns the statements that define the tables and indexes, in order of names.
func tables(tb testing.TB, db *sql.DB) (texts []string) {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`)
	require.NoError(tb, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		require.NoError(tb, rows.Scan(&text))
		texts = append(texts, text)
	}
	require.NoError(tb, rows.Err())
	return texts
}

func execute(tb testing.TB, db *sql.DB, statements string) {
	tb.Helper()
	_, err := db.ExecContext(tb.Context(), statements)
	require.NoError(tb, err)
}

func TestMigrate(t *testing.T) {
	db := openDB(t, newFile(t))
	store := newStore(t, db, nil)
	_, err := store.User(t.Context(), "a")
	require.ErrorIs(t, err, sqlstore.ErrSetup)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.ErrorContains(t, err, "call Migrate")

	require.NoError(t, store.Migrate(t.Context()))
	made := tables(t, db)
	require.NoError(t, store.Migrate(t.Context()), "again")
	require.Equal(t, made, tables(t, db))
	_, err = store.User(t.Context(), "a")
	require.ErrorIs(t, err, googlesession.ErrNotFound, "the store finds the tables without a restart")

	text, err := sqlstore.Schema(sqlstore.SQLite, nil)
	require.NoError(t, err)
	other := openDB(t, newFile(t))
	execute(t, other, text)
	require.Equal(t, made, tables(t, other), "Schema makes what Migrate makes")
}

func TestMigrateAtOnce(t *testing.T) {
	file := newFile(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		store := newStore(t, openDB(t, file), nil)
		wg.Go(func() { errs[i] = store.Migrate(t.Context()) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	var versions int
	require.NoError(t, openDB(t, file).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM gs_schema`).Scan(&versions))
	require.Equal(t, 4, versions, "one row for each version of the schema")
}

// A store refuses tables that this package did not make, or that are incomplete, and does
// not change them.
func TestForeignTables(t *testing.T) {
	for name, tt := range map[string]struct{ statements, want string }{
		"newer version":       {`INSERT INTO gs_schema (version) VALUES (99)`, "newer than 4"},
		"no version":          {`DELETE FROM gs_schema`, "gs_schema is empty"},
		"other users table":   {`DROP TABLE gs_sessions; DROP TABLE gs_users; DROP TABLE gs_schema; CREATE TABLE gs_users (name TEXT)`, "another program"},
		"a column is missing": {`ALTER TABLE gs_users RENAME COLUMN ops TO oops`, "no column ops"},
		"a later column":      {`ALTER TABLE gs_users RENAME COLUMN tokens_after_ms TO oops`, "no column tokens_after_ms"},
		"a table is missing":  {`DROP TABLE gs_sessions`, "gs_sessions"},
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			db := openDB(t, file)
			require.NoError(t, newStore(t, db, nil).Migrate(t.Context()))
			execute(t, db, tt.statements)
			execute(t, db, `PRAGMA wal_checkpoint(TRUNCATE)`)
			require.NoError(t, db.Close())
			before, err := os.ReadFile(file)
			require.NoError(t, err)

			db = openDB(t, file)
			store := newStore(t, db, nil)
			for _, err := range []error{store.Migrate(t.Context()), func() error { _, err := store.Users(t.Context(), googlesession.UserQuery{Limit: 1}); return err }()} {
				require.ErrorIs(t, err, sqlstore.ErrSetup)
				require.ErrorContains(t, err, tt.want)
			}
			require.NoError(t, db.Close())
			after, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, before, after, "nothing was written")
		})
	}
}

// Settings with which the store could not keep its promises are refused. The error names
// the setting.
func TestSettings(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, want string }{
		"journal_mode": {"journal_mode(WAL)", "journal_mode(DELETE)", "journal_mode is delete"},
		"synchronous":  {"synchronous(FULL)", "synchronous(NORMAL)", "synchronous is 1"},
		"busy_timeout": {"busy_timeout(5000)", "busy_timeout(0)", "busy_timeout is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			pragmas := strings.ReplaceAll(strings.Join(settings["_pragma"], "&_pragma="), tt.old, tt.new)
			db := clock.open(t, "file:"+newFile(t)+"?_pragma="+pragmas)
			err := newStore(t, db, nil).Migrate(t.Context())
			require.ErrorIs(t, err, sqlstore.ErrSetup)
			require.ErrorContains(t, err, tt.want)
			require.Empty(t, tables(t, db))
		})
	}
}

func TestInMemory(t *testing.T) {
	db := clock.open(t, ":memory:")
	store := newStore(t, db, nil)
	require.ErrorContains(t, store.Migrate(t.Context()), "SetMaxOpenConns(1)")
	db.SetMaxOpenConns(1)
	require.NoError(t, store.Migrate(t.Context()))
	_, err := store.SignIn(t.Context(), googlesession.Identity{Subject: "a"})
	require.NoError(t, err)
}

func TestPrefixesKeepApart(t *testing.T) {
	file := newFile(t)
	a, b := openStore(t, file, nil), openStore(t, file, &sqlstore.Options{Prefix: "x"})
	u, err := a.SignIn(t.Context(), googlesession.Identity{Subject: "a"})
	require.NoError(t, err)
	_, err = b.User(t.Context(), u.ID)
	require.ErrorIs(t, err, googlesession.ErrNotFound)
}

func TestNewStore(t *testing.T) {
	db := openDB(t, newFile(t))
	_, err := sqlstore.New(db, "oracle", nil)
	require.ErrorContains(t, err, `unknown dialect "oracle"`)
	_, err = sqlstore.New(nil, sqlstore.SQLite, nil)
	require.ErrorContains(t, err, "database is nil")
	for _, prefix := range []string{"A_", "1", "gs_; DROP TABLE users; --", "é", strings.Repeat("x", 32)} {
		_, err = sqlstore.New(db, sqlstore.SQLite, &sqlstore.Options{Prefix: prefix})
		require.ErrorContains(t, err, "Options.Prefix", prefix)
	}
	_, err = sqlstore.New(db, sqlstore.SQLite, &sqlstore.Options{Prefix: "-", PerUser: -1, Retention: time.Microsecond})
	for _, want := range []string{"Options.Prefix", "Options.PerUser", "Options.Retention"} {
		require.ErrorContains(t, err, want, "one error names all mistakes")
	}
}

// Every method of a store that cannot answer returns ErrUnavailable. The text contains no
// argument of the call.
func TestOutage(t *testing.T) {
	const marker = "marker-in-a-value"
	file := newFile(t)
	db := openDB(t, file)
	closedDB, closedStore := newStore(t, db, nil), openStore(t, file, nil)
	require.NoError(t, closedDB.Migrate(t.Context()))
	_, err := closedDB.User(t.Context(), marker)
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	require.NoError(t, db.Close())
	require.NoError(t, closedStore.Close())

	for name, s := range map[string]*sqlstore.Store{"closed database": closedDB, "closed store": closedStore} {
		u := googlesession.User{ID: marker, Email: marker, Name: marker, Version: 1}
		ref := googlesession.Ref{Tag: googlesession.UserTag(marker)}
		var errs []error
		add := func(_ any, err error) { errs = append(errs, err) }
		add(s.CreateSession(t.Context(), googlesession.NewSession{Ref: ref, User: u, MaxLifetime: time.Hour, IdleTimeout: time.Hour}))
		add(s.CheckSession(t.Context(), ref, 0))
		add(s.RevokeSession(t.Context(), ref))
		add(s.RevokeUser(t.Context(), marker, nil))
		add(s.SwapBinding(t.Context(), ref, marker, marker))
		add(s.PutUser(t.Context(), u))
		add(s.Sessions(t.Context(), marker))
		add(s.SignIn(t.Context(), googlesession.Identity{Subject: marker, Email: marker}))
		add(s.User(t.Context(), marker))
		add(s.Users(t.Context(), googlesession.UserQuery{After: &googlesession.User{ID: marker}, Limit: 1}))
		add(s.SetData(t.Context(), marker, marker, nil))
		add(s.Browsers(t.Context(), marker, nil))
		add(s.SetAccess(t.Context(), marker, googlesession.AccessChange{}))
		add(nil, s.DeleteUser(t.Context(), marker))
		add(s.Purge(t.Context(), 1))
		for i, err := range errs {
			require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s, call %d", name, i)
			require.NotContains(t, fmt.Sprintf("%+v", err), marker, "%s, call %d", name, i)
		}
	}
}
