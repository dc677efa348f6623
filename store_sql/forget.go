package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

// forgetStatements remove or postpone users' rows that are due by one column, which is
// either deleted_ms or copy_ms. A row is due SignInWindow after the time in the column.
type forgetStatements struct{ selectDue, postpone, deleteSessions, deleteUsers string }

func newForgetStatements(e *expander, column string) forgetStatements {
	expand := func(text string) string { return e.expand(strings.ReplaceAll(text, "{column}", column)) }
	s := forgetStatements{
		// selectDue selects the clock and the users whose row is due, each with the time at
		// which the last of the user's sessions expires.
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

		// The condition on the column protects a user who has signed in since selectDue ran,
		// because a sign-in moves the column's time before it inserts the session. Without
		// the condition, live sessions would be deleted with the user.
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

// A dueUser is a user that the statement selectDue has selected.
type dueUser struct {
	id   string
	ends int64 // The time at which the last session expires, in Unix milliseconds, or 0 if no session is left to expire.
}

// forgetUsers removes the rows of due users who have no session left to expire, or whose
// last session has expired more than SignInWindow ago. It postpones the other due users.
// It returns how many due users it has read and how many rows it has removed. Users may
// change between its reading and its writing. That does no harm, because a session begins
// in CreateSession only, which moves the user's time in the column.
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
			// All users of the batch get the time at which the first user's last session
			// expires, which is the earliest. If it is too early for another user, that user is
			// postponed again later.
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

// readDue returns the users whose time in the column is before the cutoff, sorted by the
// time at which their last session expires. The cutoff is SignInWindow before now.
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

// deleteUsers deletes users and their sessions. It deletes at most limit sessions, and
// the users of a batch only after all sessions of the batch. It returns how many rows it
// has deleted.
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
