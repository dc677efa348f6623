package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	redisstore "github.com/googlesession/googlesession/store_redis"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// stores holds all stores of the program.
type stores struct {
	// Without -redis, sessions and users are the same store, so that one transaction
	// disables a user and ends the user's sessions.
	sessions    googlesession.SessionStore
	users       googlesession.UserStore
	customers   customerStore
	invitations invitationStore
	audit       auditStore
	clearances  clearanceStore

	prepare []func(context.Context) error // run by open, in this order
	closers []func() error                // run by close, in reverse order
}

// newStores returns the stores that the options choose. It checks names and addresses, but
// it opens neither a file nor a connection. The limit -max-sessions is that of the stores,
// too, because a store lets a user have 100 sessions by default, even if Config.MaxSessions
// is more.
func newStores(o options, log *slog.Logger) (*stores, error) {
	s := &stores{}
	var err error
	if o.db.kind == "memory" {
		both := memstore.New(&memstore.Options{PerUser: o.maxSessions})
		s.sessions, s.users = both, both
		s.customers, s.invitations = newMemoryCustomers(), &memoryInvitations{}
		s.audit, s.clearances = &memoryAudit{}, &memoryClearances{}
	} else {
		err = s.useSQL(o, log)
	}
	if err == nil && o.redis != "" {
		err = s.useRedis(o, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// useSQL makes every store keep its records in the SQL database of -db.
func (s *stores) useSQL(o options, log *slog.Logger) error {
	d := o.db
	db, err := openDatabase(d)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, db.db.Close)
	both, err := sqlstore.New(db.db, db.dialect, &sqlstore.Options{PerUser: o.maxSessions})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, both.Close)
	s.sessions, s.users = both, both
	s.customers, s.invitations = sqlCustomers{db}, sqlInvitations{db}
	s.audit, s.clearances = sqlAudit{db}, sqlClearances{db}
	s.prepare = append(s.prepare, func(ctx context.Context) error {
		if err := prepareSQL(ctx, d, both, db); err != nil {
			return fmt.Errorf("database %s: %w", d.name(), err)
		}
		findings, err := both.Doctor(ctx)
		for _, f := range findings {
			logFinding(ctx, log, "-db", f.Severe, f.Text)
		}
		return err
	})
	return nil
}

// prepareSQL creates or upgrades the tables. It checks the versions of all tables before
// it writes, so that a database of a newer program stays unchanged.
func prepareSQL(ctx context.Context, d database, auth *sqlstore.Store, own sqlDB) error {
	if d.kind == "sqlite" {
		if err := createPrivateFile(d.source); err != nil {
			return err
		}
		if err := switchToWAL(ctx, own.db); err != nil {
			return err
		}
	}
	if err := own.checkVersion(ctx); err != nil {
		return err
	}
	if err := auth.Migrate(ctx); err != nil {
		return err
	}
	return own.migrate(ctx)
}

// useRedis keeps the sessions in Redis, with a copy of the record of each user who has a
// session. The store in s.users stays the authority on users.
func (s *stores) useRedis(o options, log *slog.Logger) error {
	client, err := redisstore.Open(o.redis)
	if err != nil {
		return fmt.Errorf("-redis: %w", err)
	}
	s.closers = append(s.closers, client.Close)
	sessions, err := redisstore.New(client, &redisstore.Options{PerUser: o.maxSessions})
	if err != nil {
		return fmt.Errorf("-redis: %w", err)
	}
	s.sessions = sessions
	s.prepare = append(s.prepare, func(ctx context.Context) error {
		findings, err := sessions.Doctor(ctx)
		for _, f := range findings {
			logFinding(ctx, log, "-redis", f.Severe, f.Text)
		}
		return err
	})
	return nil
}

// logFinding logs what an operator should know about a store, under the flag that
// chooses the store.
func logFinding(ctx context.Context, log *slog.Logger, flag string, severe bool, text string) {
	level := slog.LevelInfo
	if severe {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, flag+": "+text)
}

// open connects to the stores and creates or upgrades their tables.
func (s *stores) open(ctx context.Context) error {
	for _, prepare := range s.prepare {
		if err := prepare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close closes the stores in the reverse order of s.closers.
func (s *stores) close() error {
	var errs []error
	for i := range s.closers {
		errs = append(errs, s.closers[len(s.closers)-1-i]())
	}
	return errors.Join(errs...)
}
