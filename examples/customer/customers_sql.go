package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sqlCustomers keeps customers in the SQL database that has the users and sessions.
type sqlCustomers struct{ sqlDB }

func (s sqlCustomers) List(ctx context.Context) ([]customer, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, email FROM customers ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("listing customers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := []customer{} // an empty slice is [] in JSON; a nil slice would be null
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
	err := s.db.QueryRowContext(ctx, s.rebind(`SELECT name, email FROM customers WHERE id = ?`), id).Scan(&c.Name, &c.Email)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return customer{}, errNoCustomer
	case err != nil:
		return customer{}, fmt.Errorf("reading a customer: %w", err)
	}
	return c, nil
}

func (s sqlCustomers) Create(ctx context.Context, name, email string) (customer, error) {
	id, err := s.insert(ctx, name, email)
	if err != nil {
		return customer{}, fmt.Errorf("creating a customer: %w", err)
	}
	return customer{ID: id, Name: name, Email: email}, nil
}

// insert stores a customer and returns its new ID. It has two ways to learn the ID,
// because MySQL lacks RETURNING and the PostgreSQL driver lacks LastInsertId.
func (s sqlCustomers) insert(ctx context.Context, name, email string) (id int64, err error) {
	if s.dialect != sqlstore.MySQL {
		return id, s.db.QueryRowContext(ctx, s.rebind(insertCustomer)+" RETURNING id", name, email).Scan(&id)
	}
	result, err := s.db.ExecContext(ctx, insertCustomer, name, email)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
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

const insertCustomer = `INSERT INTO customers (name, email) VALUES (?, ?)`
