package main

import (
	"context"
	"fmt"
	"time"
)

// sqlAudit keeps the audit in the SQL database that has the users and sessions.
type sqlAudit struct{ sqlDB }

func (s sqlAudit) Add(ctx context.Context, e auditEntry) error {
	_, err := s.exec(ctx, `INSERT INTO audit (created_at, actor, action, target, reason) VALUES (?, ?, ?, ?, ?)`,
		e.Time.UnixMilli(), e.Actor, e.Action, e.Target, e.Reason)
	if err != nil {
		return fmt.Errorf("writing the audit: %w", err)
	}
	return nil
}

func (s sqlAudit) List(ctx context.Context, before int64, limit int) ([]auditEntry, error) {
	rows, err := s.db.QueryContext(ctx, s.rebind(`SELECT id, created_at, actor, action, target, reason
		FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?`), before, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the audit: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var page []auditEntry
	for rows.Next() {
		var e auditEntry
		var created int64
		if err := rows.Scan(&e.ID, &created, &e.Actor, &e.Action, &e.Target, &e.Reason); err != nil {
			return nil, fmt.Errorf("reading the audit: %w", err)
		}
		e.Time = time.UnixMilli(created)
		page = append(page, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the audit: %w", err)
	}
	return page, nil
}

// Purge finds the oldest entries by their IDs, so that neither of its two statements reads
// more than limit rows or needs an index besides the primary key.
func (s sqlAudit) Purge(ctx context.Context, then time.Time, limit int) error {
	var oldest int64
	if err := s.db.QueryRowContext(ctx, `SELECT coalesce(min(id), 0) FROM audit`).Scan(&oldest); err != nil {
		return fmt.Errorf("reading the oldest audit entry: %w", err)
	}
	_, err := s.exec(ctx, `DELETE FROM audit WHERE id < ? AND created_at < ?`, oldest+int64(limit), then.UnixMilli())
	if err != nil {
		return fmt.Errorf("deleting old audit entries: %w", err)
	}
	return nil
}
