package sqlstore

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// Purge removes up to limit rows of each kind that are due: sessions
// [Options.Retention] after their absolute end; deleted users
// [googlesession.TokenWindow] after they were deleted; and copies of users whose truth
// is elsewhere, [googlesession.SignInWindow] after their last session and the last call
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
