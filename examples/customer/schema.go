package main

import (
	"context"
	"database/sql"
	"errors"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A migration creates a table, unless the table exists, or alters tables. Then it fills in
// what the new tables and columns hold.
type migration struct {
	table map[sqlstore.Dialect]string                 // nil if the migration alters tables
	alter map[sqlstore.Dialect]alteration             // nil if the migration creates a table
	fill  func(context.Context, sqlDB, *sql.Tx) error // nil if there is nothing to fill in
}

// An alteration changes tables that exist. SQLite and PostgreSQL undo all of its statements
// if one fails. MySQL cannot, so its alteration is one statement, and done counts what the
// statement has added, in case the program ended before it noted the version.
type alteration struct {
	done       string // "" if the database undoes statements
	statements []string
}

// schema returns a migration for each version, beginning with version 1. Never edit a
// migration that has been released; add another one.
func schema() []migration {
	return []migration{{
		// The ID of a deleted customer is not given to a new customer. SQLite needs
		// AUTOINCREMENT for that.
		table: map[sqlstore.Dialect]string{
			sqlstore.SQLite: `CREATE TABLE IF NOT EXISTS customers (
				id    INTEGER PRIMARY KEY AUTOINCREMENT,
				name  TEXT NOT NULL,
				email TEXT NOT NULL
			) STRICT`,
			sqlstore.PostgreSQL: `CREATE TABLE IF NOT EXISTS customers (
				id    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
				name  TEXT NOT NULL,
				email TEXT NOT NULL
			)`,
			sqlstore.MySQL: `CREATE TABLE IF NOT EXISTS customers (
				id    BIGINT AUTO_INCREMENT PRIMARY KEY,
				name  TEXT NOT NULL,
				email TEXT NOT NULL
			) ENGINE = InnoDB CHARACTER SET utf8mb4`,
		},
		fill: func(ctx context.Context, d sqlDB, tx *sql.Tx) error {
			for _, c := range seed() {
				const insert = `INSERT INTO customers (name, email) VALUES (?, ?)`
				if _, err := tx.ExecContext(ctx, d.rebind(insert), c.Name, c.Email); err != nil {
					return err
				}
			}
			return nil
		},
	}, {
		// Addresses and IDs are compared as bytes. accepted_by is '' while the invitation
		// is open. Times are Unix milliseconds.
		table: map[sqlstore.Dialect]string{
			sqlstore.SQLite: `CREATE TABLE IF NOT EXISTS invitations (
				email       TEXT PRIMARY KEY,
				admin       INTEGER NOT NULL,
				invited_by  TEXT NOT NULL,
				created_at  INTEGER NOT NULL,
				accepted_by TEXT NOT NULL,
				accepted_at INTEGER NOT NULL
			) STRICT`,
			sqlstore.PostgreSQL: `CREATE TABLE IF NOT EXISTS invitations (
				email       TEXT COLLATE "C" PRIMARY KEY,
				admin       BOOLEAN NOT NULL,
				invited_by  TEXT NOT NULL,
				created_at  BIGINT NOT NULL,
				accepted_by TEXT NOT NULL,
				accepted_at BIGINT NOT NULL
			)`,
			sqlstore.MySQL: `CREATE TABLE IF NOT EXISTS invitations (
				email       VARBINARY(254) PRIMARY KEY,
				admin       BOOLEAN NOT NULL,
				invited_by  VARBINARY(255) NOT NULL,
				created_at  BIGINT NOT NULL,
				accepted_by VARBINARY(255) NOT NULL,
				accepted_at BIGINT NOT NULL
			) ENGINE = InnoDB`,
		},
	}, {
		table: map[sqlstore.Dialect]string{
			sqlstore.SQLite: `CREATE TABLE IF NOT EXISTS audit (
				id         INTEGER PRIMARY KEY AUTOINCREMENT,
				created_at INTEGER NOT NULL,
				actor      TEXT NOT NULL,
				action     TEXT NOT NULL,
				target     TEXT NOT NULL,
				reason     TEXT NOT NULL
			) STRICT`,
			sqlstore.PostgreSQL: `CREATE TABLE IF NOT EXISTS audit (
				id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
				created_at BIGINT NOT NULL,
				actor      TEXT NOT NULL,
				action     TEXT NOT NULL,
				target     TEXT NOT NULL,
				reason     TEXT NOT NULL
			)`,
			sqlstore.MySQL: `CREATE TABLE IF NOT EXISTS audit (
				id         BIGINT AUTO_INCREMENT PRIMARY KEY,
				created_at BIGINT NOT NULL,
				actor      TEXT NOT NULL,
				action     TEXT NOT NULL,
				target     TEXT NOT NULL,
				reason     TEXT NOT NULL
			) ENGINE = InnoDB CHARACTER SET utf8mb4`,
		},
	}, {
		table: map[sqlstore.Dialect]string{
			sqlstore.SQLite: `CREATE TABLE IF NOT EXISTS clearances (
				user_id    TEXT PRIMARY KEY,
				cleared_at INTEGER NOT NULL
			) STRICT`,
			sqlstore.PostgreSQL: `CREATE TABLE IF NOT EXISTS clearances (
				user_id    TEXT COLLATE "C" PRIMARY KEY,
				cleared_at BIGINT NOT NULL
			)`,
			sqlstore.MySQL: `CREATE TABLE IF NOT EXISTS clearances (
				user_id    VARBINARY(255) PRIMARY KEY,
				cleared_at BIGINT NOT NULL
			) ENGINE = InnoDB`,
		},
	}, auditColumns(), customerKeys()}
}

var errNewerSchema = errors.New("the database was written by a newer version of this program")

// countSchemaTables returns 1 if the table customer_schema, which holds the version of the
// schema, exists, and 0 if it does not.
var countSchemaTables = map[sqlstore.Dialect]string{
	sqlstore.SQLite:     `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'customer_schema'`,
	sqlstore.PostgreSQL: `SELECT count(*) FROM information_schema.tables WHERE table_name = 'customer_schema' AND table_schema = current_schema()`,
	sqlstore.MySQL:      `SELECT count(*) FROM information_schema.tables WHERE table_name = 'customer_schema' AND table_schema = database()`,
}

const selectVersion = `SELECT coalesce(max(version), 0) FROM customer_schema`

// checkVersion returns errNewerSchema if a newer program has written the schema. It
// writes nothing.
func (d sqlDB) checkVersion(ctx context.Context) error {
	var tables int
	if err := d.db.QueryRowContext(ctx, countSchemaTables[d.dialect]).Scan(&tables); err != nil || tables == 0 {
		return err
	}
	var version int
	if err := d.db.QueryRowContext(ctx, selectVersion).Scan(&version); err != nil {
		return err
	}
	if version > len(schema()) {
		return errNewerSchema
	}
	return nil
}

// lockStatement and unlockStatement keep processes that start at the same time from
// migrating at once. SQLite needs no such lock, because its transactions exclude each
// other.
var (
	lockStatement = map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: `SELECT 1 FROM (SELECT pg_advisory_lock(7091452)) AS x`,
		sqlstore.MySQL:      `SELECT get_lock('customer_schema', 30)`,
	}
	unlockStatement = map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: `SELECT pg_advisory_unlock(7091452)`,
		sqlstore.MySQL:      `SELECT release_lock('customer_schema')`,
	}
)

// migrate brings the schema up to date. If it is interrupted, the next start of the
// program continues where migrate stopped.
func (d sqlDB) migrate(ctx context.Context) error {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if text := lockStatement[d.dialect]; text != "" {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
		defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), unlockStatement[d.dialect]) }()
	}
	if _, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS customer_schema (version INTEGER PRIMARY KEY)`); err != nil {
		return err
	}
	for i, m := range schema() {
		if err := d.applyMigration(ctx, conn, i+1, m); err != nil {
			return err
		}
	}
	return nil
}

// applyMigration runs migration m, unless the schema has its version already.
func (d sqlDB) applyMigration(ctx context.Context, conn *sql.Conn, version int, m migration) error {
	if m.table != nil {
		if _, err := conn.ExecContext(ctx, m.table[d.dialect]); err != nil {
			return err
		}
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // has no effect after Commit
	var now int
	if err := tx.QueryRowContext(ctx, selectVersion).Scan(&now); err != nil || now >= version {
		return err
	}
	if err := m.alter[d.dialect].run(ctx, tx); err != nil {
		return err
	}
	if m.fill != nil {
		if err := m.fill(ctx, d, tx); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, d.rebind(`INSERT INTO customer_schema (version) VALUES (?)`), version); err != nil {
		return err
	}
	return tx.Commit()
}

// run executes the statements, unless they have been executed.
func (a alteration) run(ctx context.Context, tx *sql.Tx) error {
	if a.done != "" {
		var done int
		if err := tx.QueryRowContext(ctx, a.done).Scan(&done); err != nil || done > 0 {
			return err
		}
	}
	for _, statement := range a.statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if a.done != "" {
		// MySQL has committed the transaction with the statement. Without another one it would
		// commit each row that is filled in, which takes some milliseconds.
		if _, err := tx.ExecContext(ctx, `START TRANSACTION`); err != nil {
			return err
		}
	}
	return nil
}
