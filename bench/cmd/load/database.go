package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql" // registers the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

const pool = 20 // the size of the connection pool

// A database is a database for sqlstore, with the SQL that fills its tables.
type database struct {
	name    string
	driver  string
	dialect sqlstore.Dialect
	dsn     string

	numbers string // SQL for a table "series" with a column n from 1 to %d
	number  string // SQL for the expression %s as text of 21 digits
	id      string // SQL for 32 bytes that differ for each n
	tag     string // SQL for the tag of the user with the ID %s
	analyze string
}

var databases = map[string]database{
	"postgres": {
		name: "PostgreSQL", driver: "pgx", dialect: sqlstore.PostgreSQL,
		numbers: "generate_series(1, %d) AS series (n)",
		number:  "lpad((%s)::text, 21, '0')",
		id:      "sha256(n::text::bytea)",
		tag:     `substring(sha256('gs-tag/1'::bytea || '\x00'::bytea || (%s)::bytea) from 1 for 12)`,
		analyze: "VACUUM ANALYZE %[1]susers, %[1]ssessions",
	},
	"mysql": {
		name: "MariaDB", driver: "mysql", dialect: sqlstore.MySQL,
		numbers: "(SELECT seq AS n FROM seq_1_to_%d) AS series",
		number:  "lpad(%s, 21, '0')",
		id:      "unhex(sha2(n, 256))",
		tag:     `left(unhex(sha2(concat('gs-tag/1', unhex('00'), %s), 256)), 12)`,
		analyze: "ANALYZE TABLE %[1]susers, %[1]ssessions",
	},
	"sqlite": {name: "SQLite", driver: "sqlite", dialect: sqlstore.SQLite},
}

// A table is a store with its own tables in a database.
type table struct {
	*sqlstore.Store

	d      *database
	db     *sql.DB
	prefix string
}

func (d *database) open(ctx context.Context) (*table, error) {
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(pool)
	db.SetMaxIdleConns(pool)
	t := &table{d: d, db: db, prefix: "l" + strings.ToLower(rand.Text()[:8]) + "_"}
	if t.Store, err = sqlstore.New(db, d.dialect, &sqlstore.Options{Prefix: t.prefix}); err != nil {
		return nil, err
	}
	return t, t.Migrate(ctx)
}

func (t *table) close() error { return errors.Join(t.Store.Close(), t.db.Close()) } //nolint:staticcheck // the name Store tells its Close from that of db

// enter signs in the user as the Manager does.
func (t *table) enter(ctx context.Context, id string) (googlesession.Session, error) {
	u, err := t.SignIn(ctx, googlesession.Identity{Subject: id, Email: id + "@example.com", IssuedAt: time.Now().Truncate(time.Second)})
	if err != nil {
		return googlesession.Session{}, err
	}
	n := googlesession.NewSession{User: u, MaxLifetime: 12 * time.Hour, IdleTimeout: 30 * time.Minute}
	n.Ref.Tag = googlesession.UserTag(id)
	_, _ = rand.Read(n.Ref.ID[:])
	return t.CreateSession(ctx, n)
}

// copyRows adds n copies of the only row of a table. In the columns that are keys of other,
// the copies have the values of the SQL expressions in other. All other columns are copied, except
// those that the database computes, so copyRows works with the columns of any version.
func (t *table) copyRows(ctx context.Context, name string, n int, other map[string]string) error {
	name = t.prefix + name
	rows, err := t.db.QueryContext(ctx, "SELECT * FROM "+name+" LIMIT 0") //nolint:gosec // this command makes the name itself, so the name contains no foreign SQL
	if err != nil {
		return err
	}
	columns, err := rows.Columns()
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // rows is closed before the next query, not at the end of the function
		return err
	}
	// MariaDB computes these columns, and refuses a value for them.
	columns = slices.DeleteFunc(columns, func(c string) bool { return slices.Contains([]string{"flags", "email_key", "name_key"}, c) })
	values := make([]string, len(columns))
	for i, c := range columns {
		if values[i] = other[c]; values[i] == "" {
			values[i] = "one." + c
		}
	}
	text := fmt.Sprintf("INSERT INTO %[1]s (%[2]s) SELECT %[3]s FROM (SELECT * FROM %[1]s LIMIT 1) AS one CROSS JOIN %[4]s ORDER BY %[5]s", //nolint:gosec // the text consists of constants and column names of this command's own tables
		name, strings.Join(columns, ", "), strings.Join(values, ", "), fmt.Sprintf(t.d.numbers, n), other["id"])
	_, err = t.db.ExecContext(ctx, text)
	return err
}

func (t *table) settle(ctx context.Context) error {
	rows, err := t.db.QueryContext(ctx, fmt.Sprintf(t.d.analyze, t.prefix))
	if err != nil {
		return err
	}
	for rows.Next() { // reads the report that MariaDB returns as rows
	}
	return errors.Join(rows.Err(), rows.Close()) //nolint:sqlclosecheck // settle returns the error of Close, which a deferred call would drop
}
