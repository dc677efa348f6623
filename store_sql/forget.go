package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

// forgetStatements remove the rows of users by one column, which is either deleted_ms or
// copy_ms. The row is due SignInWindow after the column's time, unless a session is live.
type forgetStatements struct{ selectDue, postpone, deleteSessions, deleteUsers string }

func newForgetStatements(e *expander, column string) forgetStatements {
	expand := func(text string) string { return e.expand(strings.ReplaceAll(text, "{column}", column)) }
	s := forgetStatements{
		// Selects the users that are due, each with the time at which the last of the user's
		// sessions expires.
		selectDue: expand(`
SELECT {now}, u.id, (SELECT MAX(CASE WHEN s.abs_ms < s.seen_ms + s.idle_ms THEN s.abs_ms ELSE s.seen_ms + s.idle_ms END)
FROM {sessions} AS s {use_live_index}
WHERE s.user_id = u.id AND s.revoked_ms IS NULL)
FROM {users} AS u
WHERE u.{column} < {fixed_now} - ?
ORDER BY u.{column}
LIMIT ?`),

		postpone: expand(`
UPDATE {users}
SET {column} = ?
WHERE {column} < ? AND id {in_batch}`),

		deleteSessions: expand(`
DELETE FROM {sessions}
WHERE id {in_subquery} (SELECT id FROM {sessions} WHERE (revoked_ms IS NOT NULL OR abs_ms < ? OR seen_ms + idle_ms < ?) AND user_id {in_batch} LIMIT ? {skip_locked}){end_subquery}`),

		// The condition on the column protects a user who has signed in meanwhile, because a
		// sign-in moves the column's time before it inserts the session. Without the condition,
		// live sessions would be deleted with the user.
		deleteUsers: expand(`
DELETE FROM {users}
WHERE {column} < ? AND id {in_batch}`),
	}
	if e.dialect.name == MySQL {
		s.deleteSessions = expand(`
DELETE FROM {sessions}
WHERE (revoked_ms IS NOT NULL OR abs_ms < ? OR seen_ms + idle_ms < ?) AND user_id {in_batch}
LIMIT ?`)
	}
	return s
}

// A dueUser is a user whose row is due.
type dueUser struct {
	id   string
	ends int64 // When the last session expires, or 0 if no session is left.
}

// forgetUsers removes due users without live sessions. It postpones the others until
// their sessions have ended. What it has read may have changed when it writes. That does
// no harm, because a session begins in CreateSession only, which moves the user's time.
func (s *Store) forgetUsers(ctx context.Context, forget forgetStatements, limit int) (seen int, removed int64, err error) {
	cutoff := int64(0)
	due, err := runSingle(ctx, s, func(run runner) (due []dueUser, err error) {
		cutoff, due, err = s.readDue(ctx, run, forget, limit)
		return due, err
	})
	if err != nil || len(due) == 0 {
		return 0, 0, err
	}
	err = s.withoutUser(ctx, func(tx *sql.Tx) error {
		live := slices.IndexFunc(due, func(u dueUser) bool { return u.ends >= cutoff })
		if live < 0 {
			live = len(due)
		}
		removed, err = s.deleteUsers(ctx, tx, forget, cutoff, due[:live], limit)
		if err != nil {
			return err
		}
		for users := range slices.Chunk(due[live:], batchSize) {
			// All are postponed to the end of the first, which ends first. That may be too early
			// for the others, which are then postponed again.
			args := append([]any{users[0].ends, cutoff}, fillBatch(ids(users))...)
			if _, err := tx.ExecContext(ctx, forget.postpone, args...); err != nil {
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

// readDue returns the users whose time is before the cutoff, sorted by when their last
// session ends.
func (s *Store) readDue(ctx context.Context, run runner, forget forgetStatements, limit int) (cutoff int64, due []dueUser, err error) {
	window := googlesession.SignInWindow.Milliseconds()
	rows, err := run.QueryContext(ctx, forget.selectDue, window, limit)
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

// deleteUsers deletes users and their sessions. It deletes sessions up to limit, and a
// user only after all sessions of the user's batch.
func (s *Store) deleteUsers(ctx context.Context, tx *sql.Tx, forget forgetStatements, cutoff int64, due []dueUser, limit int) (total int64, err error) {
	left := int64(limit)
	for users := range slices.Chunk(due, batchSize) {
		batch := fillBatch(ids(users))
		n, err := affected(tx.ExecContext(ctx, forget.deleteSessions, append(append([]any{cutoff, cutoff}, batch...), left)...))
		if err != nil {
			return total, err
		}
		total += n
		if left -= n; left <= 0 {
			return total, nil
		}
		if n, err = affected(tx.ExecContext(ctx, forget.deleteUsers, append([]any{cutoff}, batch...)...)); err != nil {
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
