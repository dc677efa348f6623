package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// stores is where everything is kept.
type stores struct {
	auth interface { // one store for both: one transaction disables a user and ends the sessions
		googlesession.SessionStore
		googlesession.UserStore
	}
	customers customerStore
	prepare   func(context.Context) error // makes it ready for use; before it nothing was opened
	close     func() error
}

// newStores keeps everything in a SQLite database, or in memory if file is "".
func newStores(file string) (*stores, error) {
	if file == "" {
		return &stores{
			auth:      memstore.New(nil),
			customers: newMemoryCustomers(),
			prepare:   func(context.Context) error { return nil },
			close:     func() error { return nil },
		}, nil
	}
	db, err := sql.Open("sqlite", dataSource(file)) // checks the name; connects later
	if err != nil {
		return nil, err
	}
	auth, err := sqlstore.New(db, sqlstore.SQLite, nil)
	if err != nil {
		return nil, err
	}
	customers := sqlCustomers{db}
	prepare := func(ctx context.Context) error {
		if err := createFile(file); err != nil {
			return err
		}
		// Both have a look before either writes: a database of a newer program is left
		// as it is.
		if err := customers.check(ctx); err != nil {
			return fmt.Errorf("database %s: %w", file, err)
		}
		if err := auth.Migrate(ctx); err != nil {
			return fmt.Errorf("database %s: %w", file, err)
		}
		if err := customers.migrate(ctx); err != nil {
			return fmt.Errorf("database %s: %w", file, err)
		}
		return nil
	}
	return &stores{auth: auth, customers: customers, prepare: prepare, close: db.Close}, nil
}

// dataSource has the settings that package sqlstore asks for. They are in the name
// because each connection of the pool needs them.
func dataSource(file string) string {
	settings := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"}, // migrate reads, then writes
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + settings.Encode()
}

// createFile makes an empty file, which SQLite takes for a new database, because
// SQLite would let everybody read it: names and addresses are in it. It also finds
// what is wrong with the path, and says it better.
func createFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's flag names it
	if err != nil {
		return err
	}
	return f.Close()
}
