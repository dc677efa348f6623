package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// sqlCustomers keeps customers in SQLite, beside the sessions.
type sqlCustomers struct{ db *sql.DB }

func (s sqlCustomers) List(ctx context.Context) ([]customer, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, email FROM customers ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("listing customers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := []customer{} // none is [] in JSON, not null
	for rows.Next() {
		var c customer
		if err := rows.Scan(&c.ID, &c.Name, &c.Email); err != nil {
			return nil, fmt.Errorf("listing customers: %w", err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing customers: %w", err)
	}
	return all, nil
}

func (s sqlCustomers) Get(ctx context.Context, id int64) (customer, error) {
	c := customer{ID: id}
	err := s.db.QueryRowContext(ctx, `SELECT name, email FROM customers WHERE id = ?`, id).Scan(&c.Name, &c.Email)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return customer{}, errNoCustomer
	case err != nil:
		return customer{}, fmt.Errorf("reading a customer: %w", err)
	}
	return c, nil
}

func (s sqlCustomers) Create(ctx context.Context, name, email string) (customer, error) {
	result, err := s.db.ExecContext(ctx, insertCustomer, name, email)
	if err != nil {
		return customer{}, fmt.Errorf("creating a customer: %w", err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		return customer{}, fmt.Errorf("creating a customer: %w", err)
	}
	return customer{ID: id, Name: name, Email: email}, nil
}

func (s sqlCustomers) Delete(ctx context.Context, id int64) error {
	result, err := s.db.ExecContext(ctx, `DELETE FROM customers WHERE id = ?`, id)
	if err != nil {
		return fmt.Errorf("deleting a customer: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("deleting a customer: %w", err)
	}
	if n == 0 {
		return errNoCustomer
	}
	return nil
}

const insertCustomer = `INSERT INTO customers (name, email) VALUES (?, ?)`

// customerSchema holds a migration for each version, the first for version 1. What
// has been released is never edited: add the next one.
func customerSchema() []func(context.Context, *sql.Tx) error {
	return []func(context.Context, *sql.Tx) error{
		func(ctx context.Context, tx *sql.Tx) error {
			// AUTOINCREMENT: a deleted customer's ID is not used again.
			_, err := tx.ExecContext(ctx, `CREATE TABLE customers (
				id    INTEGER PRIMARY KEY AUTOINCREMENT,
				name  TEXT NOT NULL,
				email TEXT NOT NULL
			) STRICT`)
			for _, c := range seed() {
				if err == nil {
					_, err = tx.ExecContext(ctx, insertCustomer, c.Name, c.Email)
				}
			}
			return err
		},
	}
}

var errNewerSchema = errors.New("the database was written by a newer version of this program")

// check reports a schema that this program does not know, and writes nothing.
func (s sqlCustomers) check(ctx context.Context) error {
	var tables int
	err := s.db.QueryRowContext(ctx,
		`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'customer_schema'`).Scan(&tables)
	if err != nil || tables == 0 {
		return err
	}
	var version int
	if err := s.db.QueryRowContext(ctx, selectVersion).Scan(&version); err != nil {
		return err
	}
	if version > len(customerSchema()) {
		return errNewerSchema
	}
	return nil
}

const selectVersion = `SELECT coalesce(max(version), 0) FROM customer_schema`

// migrate brings the schema up to date, in one transaction: another process that
// starts at the same time waits and finds it done.
func (s sqlCustomers) migrate(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if _, err := tx.ExecContext(ctx,
		`CREATE TABLE IF NOT EXISTS customer_schema (version INTEGER PRIMARY KEY) STRICT`); err != nil {
		return err
	}
	var version int
	if err := tx.QueryRowContext(ctx, selectVersion).Scan(&version); err != nil {
		return err
	}
	migrations := customerSchema()
	if version > len(migrations) {
		return errNewerSchema
	}
	for i, migration := range migrations[version:] {
		if err := migration(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO customer_schema (version) VALUES (?)`, version+i+1); err != nil {
			return err
		}
	}
	return tx.Commit()
}
