package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A clearanceStore keeps the time at which an administrator last enabled each user. A
// security event that Google issued before that time does not disable the user again.
type clearanceStore interface {
	// Set stores at for the user. It replaces the stored time, if there is one.
	Set(ctx context.Context, userID string, at time.Time) error

	// ClearedAt returns the stored time of the user, or the zero time if no administrator
	// has enabled the user.
	ClearedAt(ctx context.Context, userID string) (time.Time, error)

	// Delete deletes the stored time of the user, if there is one.
	Delete(ctx context.Context, userID string) error
}

// memoryClearances keeps clearances in memory. The clearances and the users are lost when
// the process ends.
type memoryClearances struct{ byUser sync.Map }

func (m *memoryClearances) Set(_ context.Context, userID string, at time.Time) error {
	m.byUser.Store(userID, at)
	return nil
}

func (m *memoryClearances) ClearedAt(_ context.Context, userID string) (time.Time, error) {
	at, _ := m.byUser.Load(userID)
	cleared, _ := at.(time.Time)
	return cleared, nil
}

func (m *memoryClearances) Delete(_ context.Context, userID string) error {
	m.byUser.Delete(userID)
	return nil
}

// sqlClearances keeps clearances in the SQL database that has the users and sessions.
type sqlClearances struct{ sqlDB }

var upsertClearance = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `INSERT INTO clearances (user_id, cleared_at) VALUES (?, ?)
		ON CONFLICT (user_id) DO UPDATE SET cleared_at = excluded.cleared_at`,
	sqlstore.PostgreSQL: `INSERT INTO clearances (user_id, cleared_at) VALUES (?, ?)
		ON CONFLICT (user_id) DO UPDATE SET cleared_at = excluded.cleared_at`,
	sqlstore.MySQL: `INSERT INTO clearances (user_id, cleared_at) VALUES (?, ?)
		ON DUPLICATE KEY UPDATE cleared_at = VALUES(cleared_at)`,
}

func (s sqlClearances) Set(ctx context.Context, userID string, at time.Time) error {
	if _, err := s.exec(ctx, upsertClearance[s.dialect], userID, at.UnixMilli()); err != nil {
		return fmt.Errorf("writing a clearance: %w", err)
	}
	return nil
}

func (s sqlClearances) ClearedAt(ctx context.Context, userID string) (time.Time, error) {
	var at int64
	err := s.db.QueryRowContext(ctx, s.rebind(`SELECT cleared_at FROM clearances WHERE user_id = ?`), userID).Scan(&at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("reading a clearance: %w", err)
	}
	return time.UnixMilli(at), nil
}

func (s sqlClearances) Delete(ctx context.Context, userID string) error {
	if _, err := s.exec(ctx, `DELETE FROM clearances WHERE user_id = ?`, userID); err != nil {
		return fmt.Errorf("deleting a clearance: %w", err)
	}
	return nil
}
