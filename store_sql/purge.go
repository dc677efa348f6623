package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync/atomic"

	"github.com/googlesession/googlesession"
)

// Purge removes up to limit rows of each kind that are due: sessions
// [Options.Retention] after their absolute end; deleted users
// [googlesession.TokenWindow] after they were deleted; and copies of users whose truth
// is elsewhere, [googlesession.LoginWindow] after their last session and the last call
// that brought them. A user's ended sessions go with the user. It returns how many rows
// it has removed; fewer than limit: there are no more. It may run at any time, beside
// anything.
func (s *Store) Purge(ctx context.Context, limit int) (int, error) {
	var removed atomic.Int64
	_, err := act(ctx, s, "purging", func() (none struct{}, err error) {
		for more := true; more && err == nil && removed.Load() == 0; { // or the caller calls again
			more, err = s.purge(ctx, max(limit, 0), &removed)
		}
		return none, err
	})
	return int(removed.Load()), err
}

// tidyAside clears away what is due after a sign-in: what its user has left behind, and
// now and then what others have. The sign-in does not wait long for it.
func (s *Store) tidyAside(ctx context.Context, userID string, a admission) {
	expired, surplus := a.unmarked > a.counted, a.kept-a.unmarked-keptRows
	if a.kept >= s.probe() {
		surplus = trimRows
	}
	purges := s.signIns.Add(1)%purgeEvery == 1
	if !expired && surplus <= slackRows && !purges {
		return
	}
	ctx, cancel := share(ctx)
	defer cancel()
	_, _ = outrun(ctx, func() (none struct{}, err error) { return none, s.tidy(ctx, userID, expired, surplus, purges) })
}

func (s *Store) tidy(ctx context.Context, userID string, expired bool, surplus int, purges bool) error {
	if expired {
		if _, err := s.clear(ctx, s.sql.markExpired, userID, markRows); err != nil {
			return err
		}
	}
	if surplus > slackRows {
		if _, err := s.clear(ctx, s.sql.trim, userID, surplus); err != nil {
			return err
		}
	}
	if !purges {
		return nil
	}
	var removed atomic.Int64
	_, err := s.purge(ctx, purgeRows, &removed)
	return err
}

// purge uses a transaction for each kind: writers wait no longer than for one. There is
// more if it has looked at limit users, whether it has removed them or not.
func (s *Store) purge(ctx context.Context, limit int, removed *atomic.Int64) (more bool, err error) {
	if _, err := s.ready(ctx); err != nil {
		return false, err
	}
	n, err := s.clear(ctx, s.sql.purgeSessions, s.opts.Retention.Milliseconds(), limit)
	if err != nil {
		return false, err
	}
	removed.Add(n)
	if limit == 0 {
		return false, nil
	}
	for _, kind := range []forgetting{s.sql.deleted, s.sql.copies} {
		seen, n, err := s.forget(ctx, kind, limit)
		if err != nil {
			return false, err
		}
		removed.Add(n)
		more = more || seen == limit
	}
	return more, nil
}

// clear runs one statement in a transaction, and returns how many rows it changed.
func (s *Store) clear(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = s.sweep(ctx, func(tx *sql.Tx) (err error) {
		n, err = affected(tx.ExecContext(ctx, text, args...))
		return err
	})
	return n, err
}

// sweep runs f in a transaction that belongs to no user.
func (s *Store) sweep(ctx context.Context, f func(*sql.Tx) error) error {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.transact(ctx, f)
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
	window := googlesession.LoginWindow.Milliseconds()
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
