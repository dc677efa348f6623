package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"

	"github.com/googlesession/googlesession/conformance/servers"
)

// Servers names the servers that the stores are measured on. Each run creates databases of
// its own on the servers. A store whose field is empty is not measured.
type Servers struct {
	Postgres string // data source name, as a URL
	MySQL    string // data source name
	Redis    string // URL

	keys    string // the prefix of a run's keys in Redis
	redis   int    // the number of the Redis process, or 0 if this package has not started it
	started []*servers.Server
	drop    []func() error
}

// StartServers starts one server of each kind that is installed, on free ports and with the
// data in temporary folders. The servers have their default durability. Their buffers hold
// the largest table, so that a look-up does not wait for a disk.
func StartServers() (*Servers, error) {
	s := &Servers{}
	for _, start := range []func(context.Context) error{s.startPostgres, s.startMySQL, s.startRedis} {
		ctx, cancel := context.WithTimeout(background, 2*time.Minute)
		err := start(ctx)
		cancel()
		if err != nil && !errors.Is(err, servers.ErrNoBinary) {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

func (s *Servers) start(ctx context.Context, server *servers.Server, err error) (*servers.Server, error) {
	if err != nil {
		return nil, err
	}
	s.started = append(s.started, server)
	return server, server.Start(ctx)
}

func (s *Servers) startPostgres(ctx context.Context) error {
	server, err := servers.NewPostgres(ctx, "shared_buffers = 2GB", "max_wal_size = 8GB", "jit = off")
	if server, err = s.start(ctx, server, err); err == nil {
		s.Postgres = server.PostgresDSN()
	}
	return err
}

func (s *Servers) startMySQL(ctx context.Context) error {
	server, err := servers.NewMySQL(ctx, "--innodb-buffer-pool-size=4G", "--innodb-log-file-size=1G", "--max-allowed-packet=64M")
	if server, err = s.start(ctx, server, err); err == nil {
		s.MySQL = server.MySQLDSN()
	}
	return err
}

func (s *Servers) startRedis(ctx context.Context) error {
	server, err := servers.NewRedis()
	if server, err = s.start(ctx, server, err); err == nil {
		s.Redis, s.redis = "redis://"+server.Addr, server.PID()
	}
	return err
}

// scratch creates new databases on the servers, and returns Servers that name the
// databases. dropAll drops them.
func (s *Servers) scratch() (*Servers, error) {
	name := "bench_" + strings.ToLower(rand.Text()[:10])
	own := &Servers{Redis: s.Redis, redis: s.redis, keys: name + ":"}
	if s.Postgres != "" {
		dsn, err := url.Parse(s.Postgres)
		if err != nil {
			return nil, err
		}
		dsn.Path = "/" + name
		own.Postgres = dsn.String()
		if err := own.create("pgx", s.Postgres, "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return own, err
		}
	}
	if s.MySQL != "" {
		dsn, err := mysql.ParseDSN(s.MySQL)
		if err != nil {
			return own, err
		}
		dsn.DBName = name
		own.MySQL = dsn.FormatDSN()
		if err := own.create("mysql", s.MySQL, "CREATE DATABASE "+name, "DROP DATABASE "+name); err != nil {
			return own, err
		}
	}
	if s.Redis != "" {
		own.drop = append(own.drop, own.deleteKeys)
	}
	return own, nil
}

// create executes the statement create now. dropAll executes the statement drop later.
func (s *Servers) create(driver, dsn, create, drop string) error {
	exec := func(text string) error {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		_, err = db.ExecContext(background, text)
		return err
	}
	s.drop = append(s.drop, func() error { return exec(drop) })
	return exec(create)
}

func (s *Servers) deleteKeys() error {
	client := redis.NewClient(must1(redis.ParseURL(s.Redis)))
	defer func() { _ = client.Close() }()
	const batch = 10_000 // the number of keys that one SCAN looks at
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(background, cursor, s.keys+"*", batch).Result()
		if err == nil && len(keys) > 0 {
			err = client.Unlink(background, keys...).Err()
		}
		if err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}

func (s *Servers) dropAll() error {
	var errs []error
	for _, drop := range s.drop {
		errs = append(errs, drop())
	}
	return errors.Join(errs...)
}

// Stop ends the servers that [StartServers] has started, and removes their data.
func (s *Servers) Stop() error {
	var errs []error
	for _, server := range s.started {
		errs = append(errs, server.Remove())
	}
	s.started = nil
	return errors.Join(errs...)
}

// Versions returns the names and versions of the servers and of SQLite.
func (s *Servers) Versions() (all []string) {
	if s.Postgres != "" {
		version, _, _ := strings.Cut(ask("pgx", s.Postgres, "SHOW server_version"), " ")
		all = append(all, "PostgreSQL "+version)
	}
	if s.MySQL != "" {
		version, _, _ := strings.Cut(ask("mysql", s.MySQL, "SELECT VERSION()"), "-")
		all = append(all, s.MySQLName()+" "+version)
	}
	if s.Redis != "" {
		client := redis.NewClient(must1(redis.ParseURL(s.Redis)))
		defer func() { _ = client.Close() }()
		for line := range strings.Lines(client.Info(background, "server").Val()) {
			if version, ok := strings.CutPrefix(line, "redis_version:"); ok {
				all = append(all, "Redis "+strings.TrimSpace(version))
			}
		}
	}
	return append(all, "SQLite "+ask("sqlite", ":memory:", "SELECT sqlite_version()"))
}

// MySQLName returns "MariaDB" or "MySQL", depending on the server. Without a server it
// returns "MariaDB".
func (s *Servers) MySQLName() string {
	if s.MySQL == "" || strings.Contains(ask("mysql", s.MySQL, "SELECT VERSION()"), "MariaDB") {
		return "MariaDB"
	}
	return "MySQL"
}

func ask(driver, dsn, question string) (answer string) {
	db := must1(sql.Open(driver, dsn))
	defer func() { _ = db.Close() }()
	must(db.QueryRowContext(background, question).Scan(&answer))
	return answer
}
