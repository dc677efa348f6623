package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

// forgetting are the statements that forget users, by one of the two columns that say
// when.
type forgetting struct{ due, postpone, endSessions, remove string }

func (d dialect) forgetting(sql func(string) string, column string) forgetting {
	by := func(text string) string { return sql(strings.ReplaceAll(text, "COLUMN!", column)) }
	f := forgetting{
		// The users that are due, each with the end of the session that ends last.
		due: by(`
SELECT NOW!, u.id, (SELECT MAX(CASE WHEN s.abs_ms < s.seen_ms + s.idle_ms THEN s.abs_ms ELSE s.seen_ms + s.idle_ms END)
FROM gs_sessions AS s HINT!
WHERE s.user_id = u.id AND s.revoked_ms IS NULL)
FROM gs_users AS u
WHERE u.COLUMN! < MOMENT! - ?
ORDER BY u.COLUMN!
LIMIT ?`),

		postpone: by(`
UPDATE gs_users
SET COLUMN! = ?
WHERE COLUMN! < ? AND id SOME!`),

		endSessions: by(`
DELETE FROM gs_sessions
WHERE id AMONG! (SELECT id FROM gs_sessions WHERE (revoked_ms IS NOT NULL OR abs_ms < ? OR seen_ms + idle_ms < ?) AND user_id SOME! LIMIT ? SKIP!)END!`),

		// Whoever makes a session moves the time first, so that nothing that lives goes with
		// the user.
		remove: by(`
DELETE FROM gs_users
WHERE COLUMN! < ? AND id SOME!`),
	}
	if d.name == MySQL {
		f.endSessions = by(`
DELETE FROM gs_sessions
WHERE (revoked_ms IS NOT NULL OR abs_ms < ? OR seen_ms + idle_ms < ?) AND user_id SOME!
LIMIT ?`)
	}
	return f
}

// A dueUser has nothing that speaks for keeping the record, or a session that may live
// until ends.
type dueUser struct {
	id   string
	ends int64
}

// forget removes users who are due, or looks at them again when their sessions have ended.
// What it has read may be old when it writes. But a session begins to live only in
// CreateSession, which moves the user's time.
func (s *Store) forget(ctx context.Context, kind forgetting, limit int) (seen int, removed int64, err error) {
	cutoff := int64(0)
	due, err := alone(ctx, s, func(run runner) (due []dueUser, err error) {
		cutoff, due, err = s.due(ctx, run, kind, limit)
		return due, err
	})
	if err != nil || len(due) == 0 {
		return 0, 0, err
	}
	err = s.sweep(ctx, func(tx *sql.Tx) error {
		live := slices.IndexFunc(due, func(u dueUser) bool { return u.ends >= cutoff })
		if live < 0 {
			live = len(due)
		}
		removed, err = s.removeUsers(ctx, tx, kind, cutoff, due[:live], limit)
		if err != nil {
			return err
		}
		for users := range slices.Chunk(due[live:], someRows) {
			// The first of them ends first: for the others it may be too early, and they
			// are looked at once more.
			args := append([]any{users[0].ends, cutoff}, fill(ids(users))...)
			if _, err := tx.ExecContext(ctx, kind.postpone, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		removed = 0
	}
	return len(due), removed, err
}

// due returns the users whose time is before the cutoff, in order of when their last
// session ends.
func (s *Store) due(ctx context.Context, run runner, kind forgetting, limit int) (cutoff int64, due []dueUser, err error) {
	window := googlesession.SignInWindow.Milliseconds()
	rows, err := run.QueryContext(ctx, kind.due, window, limit)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			now  int64
			user dueUser
			ends sql.NullInt64
		)
		if err := rows.Scan(&now, &user.id, &ends); err != nil {
			return 0, nil, err
		}
		cutoff, user.ends = now-window, ends.Int64
		due = append(due, user)
	}
	slices.SortFunc(due, func(a, b dueUser) int { return cmp.Compare(a.ends, b.ends) })
	return cutoff, due, rows.Err()
}

// removeUsers deletes users with the sessions that they have left, up to limit rows of
// each.
func (s *Store) removeUsers(ctx context.Context, tx *sql.Tx, kind forgetting, cutoff int64, due []dueUser, limit int) (total int64, err error) {
	left := int64(limit)
	for users := range slices.Chunk(due, someRows) {
		some := fill(ids(users))
		n, err := affected(tx.ExecContext(ctx, kind.endSessions, append(append([]any{cutoff, cutoff}, some...), left)...))
		if err != nil {
			return total, err
		}
		total += n
		if left -= n; left <= 0 {
			return total, nil
		}
		if n, err = affected(tx.ExecContext(ctx, kind.remove, append([]any{cutoff}, some...)...)); err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func ids(users []dueUser) []string {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.id
	}
	return ids
}
