package soak

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/faults"
	"github.com/googlesession/googlesession/conformance/servers"
	memstore "github.com/googlesession/googlesession/store_memory"
	redisstore "github.com/googlesession/googlesession/store_redis"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// pool is how many connections to the database each process may have.
const pool = 20

// stores holds the two stores of a Manager, which may be the same store.
type stores struct {
	sessions googlesession.SessionStore
	users    googlesession.UserStore
}

// openStores opens the stores that the configuration names. If prepare is not nil, it only
// opens the SQL store, calls prepare to make the tables, and closes the store again.
func openStores(c appConfig, prepare func(*sqlstore.Store) error) (stores, error) {
	redis.SetLogger(silent{})
	if err := mysql.SetLogger(silent{}); err != nil {
		return stores{}, err
	}
	driver, dialect := "sqlite", sqlstore.SQLite
	dsn := c.DSN
	switch c.Backend {
	case "postgres":
		driver, dialect = "pgx", sqlstore.PostgreSQL
	case "mysql":
		driver, dialect = "mysql", sqlstore.MySQL
	case "redis":
		dsn = c.Users
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return stores{}, err
	}
	db.SetMaxOpenConns(pool)
	db.SetMaxIdleConns(pool)
	store, err := sqlstore.New(db, dialect, nil)
	if err != nil {
		return stores{}, err
	}
	if prepare != nil {
		return stores{}, errors.Join(prepare(store), store.Close(), db.Close())
	}
	if c.Backend != "redis" {
		return stores{store, store}, nil
	}
	client, err := redisstore.Open(c.DSN)
	if err != nil {
		return stores{}, err
	}
	sessions, err := redisstore.New(client, nil)
	return stores{sessions, store}, err
}

// silent is a logger that drops what the drivers log about faults.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
func (silent) Print(...any)                           {}

// A backend is the store of one run, with its server if it has one.
type backend struct {
	name   string
	server *servers.Server
	kill   os.Signal                // the signal that ends the server as a crash would
	dsn    func(addr string) string // returns the data source name of the server at this address
	file   string                   // the data source name of SQLite's file, if the backend is "sqlite"
	users  string                   // the data source name of the SQLite file of users, if the session store is not a UserStore
	memory *memstore.Store
}

// startBackend starts the server and creates the tables.
func startBackend(ctx context.Context, name, dir string) (b *backend, err error) {
	b = &backend{name: name, kill: syscall.SIGKILL}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.remove())
		}
	}()
	file := "file:" + filepath.Join(dir, "store.db") + "?" + url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}}.Encode()
	b.dsn = func(string) string { return file }
	switch name {
	case "memory":
		b.memory = memstore.New(nil)
		return b, nil
	case "sqlite":
		b.file = file
	case "postgres":
		// SIGQUIT is PostgreSQL's immediate shutdown. After a SIGKILL its child processes
		// would prevent the new server from starting.
		b.kill = syscall.SIGQUIT
		b.server, err = servers.NewPostgres(ctx)
		b.dsn = func(addr string) string { return "postgres://postgres@" + addr + "/postgres?sslmode=disable" }
	case "mysql":
		b.server, err = servers.NewMySQL(ctx)
		b.dsn = func(addr string) string { return "root@tcp(" + addr + ")/googlesession" }
	case "redis":
		b.users = file
		b.server, err = servers.NewRedis("--appendonly", "yes", "--appendfsync", "always")
		b.dsn = func(addr string) string { return "redis://" + addr }
	default:
		return b, fmt.Errorf("soak: unknown backend %q", name)
	}
	if err != nil {
		return b, err
	}
	addr := ""
	if b.server != nil {
		if err := b.server.Start(ctx); err != nil {
			return b, err
		}
		addr = b.server.Addr
	}
	_, err = openStores(appConfig{Backend: name, DSN: b.dsn(addr), Users: b.users}, func(s *sqlstore.Store) error { return s.Migrate(ctx) })
	return b, err
}

// lead connects an app to the store, through a proxy if the store has a server.
func (b *backend) lead(a *app, c *appConfig) error {
	switch {
	case b.memory != nil:
		a.store = newFlakyStore(b.memory)
	case b.server == nil:
		c.DSN = b.file
	default:
		proxy, err := faults.NewProxy(b.server.Addr)
		if err != nil {
			return err
		}
		a.proxy = proxy
		c.DSN = b.dsn(proxy.Addr())
	}
	return nil
}

func (b *backend) remove() error {
	if b.server == nil {
		return nil
	}
	return b.server.Remove()
}
