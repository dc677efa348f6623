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

// A sqlDB is a database, and how it spells SQL.
type sqlDB struct {
	db      *sql.DB
	dialect sqlstore.Dialect
}

// rebind numbers the placeholders where the database wants that.
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

// exec runs a statement and returns how many rows it has changed.
func (d sqlDB) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := d.db.ExecContext(ctx, d.rebind(statement), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// openDatabase checks the address; the pool connects later. No error shows a
// password.
func openDatabase(d database) (sqlDB, error) {
	switch d.kind {
	case "sqlite":
		db, err := sql.Open("sqlite", sqliteDSN(d.source))
		if err != nil {
			return sqlDB{}, err
		}
		// Each connection keeps three files open, and a pool without a limit opens a
		// connection for each request that waits. Eight readers keep a machine busy. The
		// writes of package sqlstore wait in a queue before they take a connection.
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
			// Of several hosts, the one that takes writes. A standby does not count as up.
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
	// serverPool leaves room for other programs: servers admit about a hundred connections.
	serverPool = 20
	sqlitePool = 8

	// connLifetime makes the pool follow a failover or a new address. It is shorter than
	// the time after which firewalls forget a silent connection.
	connLifetime = 4 * time.Minute

	connectTimeout = 5 * time.Second

	// A MySQL server that has gone is found out where a call has no deadline of its own.
	// Reading may take as long as a migration waits for that of another process.
	readTimeout  = 11 * time.Minute
	writeTimeout = 30 * time.Second
)

// limitPool keeps idle connections, because opening one costs more than a query.
func limitPool(db *sql.DB, size int, lifetime time.Duration) {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(lifetime)
}

// mysqlConfig takes a URL, where the driver has a spelling of its own. Parameters are
// the driver's.
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
		return nil, errors.New("no host or no database")
	}
	return config, nil
}

// name is how messages call the database: without user and password.
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

// sqliteDSN has the settings that package sqlstore asks for. They are in the name
// because each connection of the pool needs them.
func sqliteDSN(file string) string {
	settings := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"}, // migrate reads, then writes
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + settings.Encode()
}

// createPrivateFile makes an empty file, which SQLite takes for a new database, because
// SQLite would let everybody read it: names and addresses are in it. It also finds
// what is wrong with the path, and says it better.
func createPrivateFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's flag names it
	if err != nil {
		return err
	}
	return f.Close()
}

// switchToWAL opens the file for the first time, which changes a new one to WAL. SQLite
// does not wait for another process that does so at this moment, however long
// busy_timeout is.
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
