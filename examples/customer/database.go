package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A sqlDB is a database and its SQL dialect.
type sqlDB struct {
	db      *sql.DB
	dialect sqlstore.Dialect
}

// rebind replaces the placeholders ? by $1, $2 and so on if the database is PostgreSQL.
func (d sqlDB) rebind(query string) string {
	if d.dialect != sqlstore.PostgreSQL {
		return query
	}
	var numbered strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			_, _ = fmt.Fprintf(&numbered, "$%d", i)
		}
		numbered.WriteString(part)
	}
	return numbered.String()
}

// exec runs a statement and returns the number of rows that it has changed.
func (d sqlDB) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := d.db.ExecContext(ctx, d.rebind(statement), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// openDatabase returns a pool of connections to the database. It checks the address but
// does not connect. Its errors never contain a password.
func openDatabase(d database) (sqlDB, error) {
	switch d.kind {
	case "sqlite":
		db, err := sql.Open("sqlite", sqliteDSN(d.source))
		if err != nil {
			return sqlDB{}, err
		}
		// Each connection to SQLite keeps three files open, and a pool without a limit
		// opens a connection for each request that waits. Eight readers are enough to keep
		// a machine busy. The writes of package sqlstore wait in a queue before they take
		// a connection.
		limitPool(db, sqlitePool, 0)
		return sqlDB{db, sqlstore.SQLite}, nil
	case "postgres":
		config, err := pgx.ParseConfig(d.source)
		if err != nil {
			return sqlDB{}, errors.New("-db: not a URL of a PostgreSQL database such as postgres://USER:PASSWORD@HOST:5432/NAME")
		}
		if config.ConnectTimeout == 0 {
			config.ConnectTimeout = connectTimeout
		}
		if config.ValidateConnect == nil && !strings.Contains(d.source, "target_session_attrs") {
			// If the URL names several hosts, use the one that accepts writes, not a standby.
			config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		}
		db := stdlib.OpenDB(*config)
		limitPool(db, serverPool, connLifetime)
		return sqlDB{db, sqlstore.PostgreSQL}, nil
	default:
		config, err := mysqlConfig(d.source)
		if err != nil {
			return sqlDB{}, errors.New("-db: not a URL of a MySQL or MariaDB database such as mysql://USER:PASSWORD@HOST:3306/NAME")
		}
		connector, err := mysql.NewConnector(config)
		if err != nil {
			return sqlDB{}, errors.New("-db: not a URL with usable parameters of a MySQL or MariaDB database")
		}
		db := sql.OpenDB(connector)
		limitPool(db, serverPool, connLifetime)
		return sqlDB{db, sqlstore.MySQL}, nil
	}
}

const (
	// serverPool is the largest number of connections that this process opens to a
	// database server. Servers allow about a hundred connections by default, so a pool of
	// this size leaves room for other programs.
	serverPool = 20
	sqlitePool = 8

	// connLifetime is the age at which the pool replaces a connection, so that it follows
	// a failover or a new address of the server. It is shorter than the time after which
	// firewalls forget an idle connection.
	connLifetime = 4 * time.Minute

	connectTimeout = 5 * time.Second

	// readTimeout and writeTimeout end a call to a MySQL server that has gone, if the call
	// does not have a deadline. readTimeout is long, because a migration may have to wait
	// for the migration of another process.
	readTimeout  = 11 * time.Minute
	writeTimeout = 30 * time.Second
)

// limitPool sets the largest number of connections and the age at which a connection is
// closed. Idle connections stay open, because opening a connection costs more than a query.
func limitPool(db *sql.DB, size int, lifetime time.Duration) {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(lifetime)
}

// mysqlConfig converts a URL to the driver's configuration, because the driver does not
// read URLs. The query of the URL has the driver's parameters.
func mysqlConfig(address string) (*mysql.Config, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	config, err := mysql.ParseDSN("/?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	config.Timeout = cmp.Or(config.Timeout, connectTimeout)
	config.ReadTimeout = cmp.Or(config.ReadTimeout, readTimeout)
	config.WriteTimeout = cmp.Or(config.WriteTimeout, writeTimeout)
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr = "tcp", u.Host
	if u.Port() == "" {
		config.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	config.DBName = strings.TrimPrefix(u.Path, "/")
	if u.Hostname() == "" || config.DBName == "" {
		return nil, errors.New("the URL lacks a host or a database")
	}
	return config, nil
}

// name returns the name of the database for messages. The name contains neither the user
// nor the password of the URL.
func (d database) name() string {
	if !d.isServer() {
		return d.source
	}
	u, err := url.Parse(d.source)
	if err != nil {
		return d.kind
	}
	return d.kind + "://" + u.Host + u.Path
}

// sqliteDSN returns the data source name for a file, with the settings that package
// sqlstore needs. The settings are in the name, because each connection of the pool
// needs them.
func sqliteDSN(file string) string {
	settings := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"}, // locks at BEGIN; otherwise migrate, which reads and then writes, may fail when it writes
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + settings.Encode()
}

// createPrivateFile creates an empty file that only the user who runs the program can
// read. It leaves an existing file unchanged. SQLite treats an empty file as a new
// database. A file that SQLite creates itself can be read by every user of the machine,
// and the database holds names and addresses. The errors of createPrivateFile for a bad
// path are also clearer than SQLite's.
func createPrivateFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // file is the path that the operator has given in -db
	if err != nil {
		return err
	}
	return f.Close()
}

// switchToWAL makes the first connection to the database. The connection's setting
// journal_mode(WAL) switches a new database to WAL. switchToWAL retries for five seconds,
// because SQLite ignores busy_timeout while another process switches the same database.
func switchToWAL(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}
