package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sqlAudit keeps the audit in the SQL database that has the users and sessions.
type sqlAudit struct{ sqlDB }

const insertAudit = `INSERT INTO audit
	(created_at, actor, action, target, reason, ip, user_agent, label, sessions)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Add has two ways to learn the new ID, because MySQL lacks RETURNING and the PostgreSQL
// driver lacks LastInsertId.
func (s sqlAudit) Add(ctx context.Context, e auditEntry) (id int64, err error) {
	values := []any{e.Time.UnixMilli(), e.Actor, e.Action, e.Target, e.Reason, e.IP, e.UserAgent, e.Label, e.Sessions}
	if s.dialect != sqlstore.MySQL {
		err = s.db.QueryRowContext(ctx, s.rebind(insertAudit)+" RETURNING id", values...).Scan(&id)
	} else {
		var result sql.Result
		if result, err = s.db.ExecContext(ctx, insertAudit, values...); err == nil {
			id, err = result.LastInsertId()
		}
	}
	if err != nil {
		return 0, fmt.Errorf("writing the audit: %w", err)
	}
	return id, nil
}

// auditSkew is by how much the order of IDs may differ from the order of times. The clocks
// of two servers differ, and an entry gets its ID up to auditTimeout after its time.
const auditSkew = 5 * time.Minute

// List reads one page of an index for each actor and each target, and merges the pages. So
// a page costs as much in a long audit as in a short one. One statement with OR would read
// every entry of the audit.
func (s sqlAudit) List(ctx context.Context, f auditFilter, before int64, limit int) ([]auditEntry, error) {
	rest, err := s.restOf(ctx, f, before)
	var merged []auditEntry
	for _, who := range peopleOf(f) {
		if err == nil {
			var page []auditEntry
			page, err = s.query(ctx, who.where+rest.where, slices.Concat(who.args, rest.args, []any{limit}))
			merged = append(merged, page...)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the audit: %w", err)
	}
	slices.SortFunc(merged, func(a, b auditEntry) int { return cmp.Compare(b.ID, a.ID) })
	merged = slices.CompactFunc(merged, func(a, b auditEntry) bool { return a.ID == b.ID })
	return merged[:min(limit, len(merged))], nil
}

// A condition is a part of a WHERE clause.
type condition struct {
	where string
	args  []any
}

// peopleOf returns a condition for each actor and each target of the filter.
func peopleOf(f auditFilter) (list []condition) {
	for _, actor := range f.Actors {
		list = append(list, condition{"actor = ? AND ", []any{actor}})
	}
	for _, target := range f.Targets {
		list = append(list, condition{"target = ? AND substr(action, 1, 9) <> '" + customerPrefix + "' AND ", []any{target}})
	}
	if list == nil {
		list = []condition{{}}
	}
	return list
}

// restOf returns the condition for the rest of the filter. It bounds the IDs by the times,
// because the entries are read in order of ID.
func (s sqlAudit) restOf(ctx context.Context, f auditFilter, before int64) (condition, error) {
	c := condition{"id < ?", []any{before}}
	if f.Action != "" {
		c = condition{"action = ? AND " + c.where, []any{f.Action, before}}
	}
	if !f.From.IsZero() {
		after, err := s.idBefore(ctx, f.From)
		if err != nil {
			return c, err
		}
		c = condition{c.where + " AND id > ? AND created_at >= ?", append(c.args, after, f.From.UnixMilli())}
	}
	if !f.To.IsZero() {
		next, err := s.idAfter(ctx, f.To)
		if err != nil {
			return c, err
		}
		c = condition{c.where + " AND id < ? AND created_at <= ?", append(c.args, next, f.To.UnixMilli())}
	}
	return c, nil
}

const (
	selectAudit    = `SELECT id, created_at, actor, action, target, reason, ip, user_agent, label, sessions FROM audit`
	selectIDBefore = `SELECT id FROM audit WHERE created_at < ? ORDER BY created_at DESC, id DESC LIMIT 1`
	selectIDAfter  = `SELECT id FROM audit WHERE created_at > ? ORDER BY created_at, id LIMIT 1`
)

// query returns the newest entries for which the condition holds, the newest first.
func (s sqlAudit) query(ctx context.Context, where string, args []any) ([]auditEntry, error) {
	rows, err := s.db.QueryContext(ctx, s.rebind(selectAudit+" WHERE "+where+" ORDER BY id DESC LIMIT ?"), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var page []auditEntry
	for rows.Next() {
		var e auditEntry
		var created int64
		if err := rows.Scan(&e.ID, &created, &e.Actor, &e.Action, &e.Target, &e.Reason, &e.IP, &e.UserAgent, &e.Label, &e.Sessions); err != nil {
			return nil, err
		}
		e.Time = time.UnixMilli(created)
		page = append(page, e)
	}
	return page, rows.Err()
}

// idBefore returns an ID that is less than that of every entry of this time or later.
func (s sqlAudit) idBefore(ctx context.Context, from time.Time) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, s.rebind(selectIDBefore), from.Add(-auditSkew).UnixMilli()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// idAfter returns an ID that is greater than that of every entry of this time or earlier.
func (s sqlAudit) idAfter(ctx context.Context, to time.Time) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, s.rebind(selectIDAfter), to.Add(auditSkew).UnixMilli()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return math.MaxInt64, nil
	}
	return id, err
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
