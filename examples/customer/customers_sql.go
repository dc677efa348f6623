package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sqlCustomers keeps customers in the SQL database that has the users and sessions.
type sqlCustomers struct{ sqlDB }

// The columns with the keys are compared as bytes, so every database gives the same answer.
const (
	matchCustomers  = ` FROM customers WHERE name_key LIKE ? ESCAPE '!' OR email_key LIKE ? ESCAPE '!'`
	countCustomers  = `SELECT count(*)` + matchCustomers
	selectCustomers = `SELECT id, name, email` + matchCustomers

	insertCustomer = `INSERT INTO customers (name, email, name_key, email_key, request_key) VALUES (?, ?, ?, ?, ?)`
)

// List asks twice, so total may be newer than the page.
func (s sqlCustomers) List(ctx context.Context, q customerQuery) (page []customer, total int64, err error) {
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q.text) + "%"
	rows, err := s.db.QueryContext(ctx, s.rebind(selectCustomers+customerOrders[q.sort]), pattern, pattern, q.limit, q.offset())
	if err != nil {
		return nil, 0, fmt.Errorf("listing customers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	page = []customer{} // an empty slice is [] in JSON; a nil slice would be null
	for rows.Next() {
		var c customer
		if err := rows.Scan(&c.ID, &c.Name, &c.Email); err != nil {
			return nil, 0, fmt.Errorf("listing customers: %w", err)
		}
		page = append(page, c)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("listing customers: %w", err)
	}
	if err := s.db.QueryRowContext(ctx, s.rebind(countCustomers), pattern, pattern).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("counting customers: %w", err)
	}
	return page, total, nil
}

func (s sqlCustomers) Get(ctx context.Context, id int64) (customer, error) {
	c := customer{ID: id}
	err := s.db.QueryRowContext(ctx, s.rebind(`SELECT name, email FROM customers WHERE id = ?`), id).Scan(&c.Name, &c.Email)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return customer{}, errNoCustomer
	case err != nil:
		return customer{}, fmt.Errorf("reading a customer: %w", err)
	}
	return c, nil
}

// Create relies on the unique index of request_key, so that a request which arrives on two
// servers at once creates one customer. After any error it looks for that customer, because
// each driver has its own error for a duplicate.
func (s sqlCustomers) Create(ctx context.Context, c customer, request string) (customer, bool, error) {
	id, err := s.insert(ctx, c, request)
	if err == nil {
		c.ID = id
		return c, true, nil
	}
	var made customer
	same := s.db.QueryRowContext(ctx, s.rebind(`SELECT id, name, email FROM customers WHERE request_key = ?`), request)
	if request == "" || same.Scan(&made.ID, &made.Name, &made.Email) != nil {
		return customer{}, false, fmt.Errorf("creating a customer: %w", err)
	}
	return made, false, nil
}

// insert stores a customer and returns its new ID. It has two ways to learn the ID,
// because MySQL lacks RETURNING and the PostgreSQL driver lacks LastInsertId.
func (s sqlCustomers) insert(ctx context.Context, c customer, request string) (id int64, err error) {
	args := customerRow(c, request)
	if s.dialect != sqlstore.MySQL {
		return id, s.db.QueryRowContext(ctx, s.rebind(insertCustomer)+" RETURNING id", args...).Scan(&id)
	}
	result, err := s.db.ExecContext(ctx, insertCustomer, args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// customerRow returns the arguments of insertCustomer. Without a request the column is NULL,
// which the unique index does not compare.
func customerRow(c customer, request string) []any {
	return []any{c.Name, c.Email, foldCase(c.Name), foldCase(c.Email), sql.NullString{String: request, Valid: request != ""}}
}

func (s sqlCustomers) Fill(ctx context.Context, list []customer) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("filling the customers: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // has no effect after Commit
	insert, err := tx.PrepareContext(ctx, s.rebind(insertCustomer))
	if err != nil {
		return fmt.Errorf("filling the customers: %w", err)
	}
	defer func() { _ = insert.Close() }()
	for _, c := range list {
		if _, err := insert.ExecContext(ctx, customerRow(c, "")...); err != nil {
			return fmt.Errorf("filling the customers: %w", err)
		}
	}
	return tx.Commit()
}

// Update reads the customer after the change, because MySQL counts changed rows, so a row
// that already has the values looks like a missing one.
func (s sqlCustomers) Update(ctx context.Context, id int64, change customerChange) (customer, error) {
	var nameKey, emailKey *string
	if change.name != nil {
		nameKey = new(foldCase(*change.name))
	}
	if change.email != nil {
		emailKey = new(foldCase(*change.email))
	}
	_, err := s.exec(ctx, `UPDATE customers
		SET name = coalesce(?, name), name_key = coalesce(?, name_key), email = coalesce(?, email), email_key = coalesce(?, email_key)
		WHERE id = ?`, change.name, nameKey, change.email, emailKey, id)
	if err != nil {
		return customer{}, fmt.Errorf("changing a customer: %w", err)
	}
	return s.Get(ctx, id)
}

func (s sqlCustomers) Delete(ctx context.Context, id int64) error {
	n, err := s.exec(ctx, `DELETE FROM customers WHERE id = ?`, id)
	switch {
	case err != nil:
		return fmt.Errorf("deleting a customer: %w", err)
	case n == 0:
		return errNoCustomer
	}
	return nil
}

// fillCustomerKeys computes the keys of the customers that an earlier version has stored.
func fillCustomerKeys(ctx context.Context, d sqlDB, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, name, email FROM customers`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var all []customer
	for rows.Next() {
		var c customer
		if err := rows.Scan(&c.ID, &c.Name, &c.Email); err != nil {
			return err
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, c := range all {
		const set = `UPDATE customers SET name_key = ?, email_key = ? WHERE id = ?`
		if _, err := tx.ExecContext(ctx, d.rebind(set), foldCase(c.Name), foldCase(c.Email), c.ID); err != nil {
			return err
		}
	}
	return nil
}
