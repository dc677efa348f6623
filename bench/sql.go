package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

const oneJoin = "one prepared join"

// A Database is a database that sqlstore supports, with the SQL and the scs store for it.
type Database struct {
	Name    string
	Dialect sqlstore.Dialect
	driver  string
	dsn     string

	join     string // the limit's query, with the placeholder of this database
	scsTable string
	scsStore func(*sql.DB) scs.Store
}

// join is the query of the limit. It finds the session by its ID, and selects the session's
// times and the user, of which the answer consists. The library's query also selects the
// clock, whether the server is a standby, and whether the session has ended.
const join = `
SELECT s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM %[1]ssessions AS s
JOIN %[1]susers AS u ON u.id = s.user_id
WHERE s.id = `

// databases returns all databases. The dsn of a database is "" if its server is missing.
func (r *Run) databases() []Database {
	settings := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}}
	return []Database{
		{
			Name: "PostgreSQL", Dialect: sqlstore.PostgreSQL, driver: "pgx", dsn: r.servers.Postgres, join: join + "$1",
			scsTable: `CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)`,
			scsStore: func(db *sql.DB) scs.Store { return postgresstore.NewWithCleanupInterval(db, 0) },
		},
		{
			Name: r.servers.MySQLName(), Dialect: sqlstore.MySQL, driver: "mysql", dsn: r.servers.MySQL, join: join + "?",
			scsTable: `CREATE TABLE IF NOT EXISTS sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)`,
			scsStore: func(db *sql.DB) scs.Store { return mysqlstore.NewWithCleanupInterval(db, 0) },
		},
		{
			Name: "SQLite", Dialect: sqlstore.SQLite, driver: "sqlite", join: join + "?",
			dsn:      "file:" + filepath.Join(r.dir, "bench.db") + "?" + settings.Encode(),
			scsTable: `CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)`,
			scsStore: func(db *sql.DB) scs.Store { return sqlite3store.NewWithCleanupInterval(db, 0) },
		},
	}
}

// open returns a pool that does not close idle connections.
func (d Database) open() *sql.DB {
	db := must1(sql.Open(d.driver, d.dsn))
	db.SetMaxOpenConns(2 * atOnce)
	db.SetMaxIdleConns(2 * atOnce)
	return db
}

// store returns a store on the tables with this prefix, and creates the tables if
// necessary.
func (d Database) store(db *sql.DB, prefix string) *sqlstore.Store {
	store := must1(sqlstore.New(db, d.Dialect, &sqlstore.Options{Prefix: prefix}))
	must(store.Migrate(background))
	return store
}

// settle lets PostgreSQL collect its statistics now, which autovacuum would do later.
// Without statistics a prepared statement keeps a bad plan. For other databases settle does
// nothing.
func (d Database) settle(db *sql.DB, prefix string) {
	if d.Dialect == sqlstore.PostgreSQL {
		must1(db.ExecContext(background, fmt.Sprintf("VACUUM ANALYZE %[1]susers, %[1]ssessions", prefix)))
	}
}

// joinSite returns a site that sends the query of the limit for sessions in SQL.
func (d Database) joinSite(db *sql.DB, prefix string, headers []string) Site {
	text := fmt.Sprintf(d.join, prefix)
	query := func(ctx context.Context, args ...any) *sql.Row { return db.QueryRowContext(ctx, text, args...) }
	if d.Dialect != sqlstore.PostgreSQL { // pgx prepares the query by itself, which is faster
		query = must1(db.PrepareContext(background, text)).QueryRowContext
	}
	return limit(oneJoin, headers, func(r *http.Request, token string) (user string, err error) {
		var (
			created, abs, idle, seen, version, userCreated, userSeen int64
			email, name, picture                                     string
			admin, disabled                                          bool
		)
		id := hashToken(token)
		err = query(r.Context(), id[:]).Scan(&created, &abs, &idle, &seen, &user, &email, &name, &picture,
			&admin, &disabled, &version, &userCreated, &userSeen)
		return user, err
	})
}

// onSQL compares the sites that ask a database.
func (r *Run) onSQL(d Database) {
	if d.dsn == "" {
		r.skip("A request, "+d.Name, "it is not installed")
		return
	}
	size := r.pick(1000, 50)
	headers := cookies(size, size)
	db := d.open()
	store := d.store(db, "base_")
	fill(store, size, r.cpus)
	d.settle(db, "base_")
	must1(db.ExecContext(background, d.scsTable))
	theirs := fillSCS(d.scsStore(db), size)
	must(store.Close())
	must(db.Close())
	reopened := func() (*sql.DB, *sqlstore.Store, func()) {
		db := d.open()
		store := d.store(db, "base_")
		return db, store, func() {
			must(store.Close())
			must(db.Close())
		}
	}
	r.connected(func() (Group, func()) {
		db, store, done := reopened()
		return Group{
			Title: "A request, " + d.Name, Workers: atOnce,
			Text: sprint("%d sessions, through %s.", size, d.driver),
			Subjects: []Subject{
				d.joinSite(db, "base_", headers).Asking(),
				ours(store, headers).Asking(),
				scsOn(d.scsStore(db), theirs, false).Asking(),
			},
			Targets: []Target{{Subject: "googlesession", Limit: oneJoin, Most: 1.2, Serial: true}},
		}, done
	})
	// Sites that write are measured in a group of their own, because their writes empty
	// caches that sites without writes use.
	r.connected(func() (Group, func()) {
		db, store, done := reopened()
		return Group{
			Title: "A request that is recorded, " + d.Name, Workers: atOnce,
			Text: "What one request of a session in a minute costs, and every one with an idle timeout in scs.",
			Subjects: []Subject{
				d.joinSite(db, "base_", headers).Asking(),
				recording(store, headers).Asking(),
				scsOn(d.scsStore(db), theirs, true).Asking(),
			},
			Limits: []string{oneJoin},
		}, done
	})
}
