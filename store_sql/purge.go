package sqlstore

import (
	"context"
	"database/sql"
	"sync/atomic"

	"github.com/googlesession/googlesession"
)

// Purge removes up to limit rows of each kind that are due: sessions
// [Options.Retention] after their absolute end, and deleted users with their
// sessions [googlesession.LoginWindow] after they were deleted. It returns how many
// it has removed; fewer than limit: there are no more. It may run at any time,
// beside anything.
func (s *Store) Purge(ctx context.Context, limit int) (int, error) {
	var removed atomic.Int64
	_, err := act(ctx, s, "purging", func() (none struct{}, err error) { return none, s.purge(ctx, max(limit, 0), &removed) })
	return int(removed.Load()), err
}

// purgeAside is for a sign-in, which does not wait long for it.
func (s *Store) purgeAside(ctx context.Context) {
	ctx, cancel := share(ctx)
	defer cancel()
	var removed atomic.Int64
	_, _ = outrun(ctx, func() (none struct{}, err error) { return none, s.purge(ctx, purgeRows, &removed) })
}

// purge uses a transaction for each kind: writers wait no longer than for one.
func (s *Store) purge(ctx context.Context, limit int, removed *atomic.Int64) error {
	if _, err := s.ready(ctx); err != nil {
		return err
	}
	for _, kind := range []struct {
		text string
		age  int64 // milliseconds
	}{
		{s.sql.purgeSessions, s.opts.Retention.Milliseconds()},
		{s.sql.purgeDeletedUsersSessions, googlesession.LoginWindow.Milliseconds()},
		{s.sql.purgeDeletedUsers, googlesession.LoginWindow.Milliseconds()},
	} {
		if kind.text == "" {
			continue
		}
		n, err := s.remove(ctx, kind.text, kind.age, limit)
		if err != nil {
			return err
		}
		removed.Add(n)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, text string, args ...any) (n int64, err error) {
	unlock, err := s.lockWriter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	err = s.transact(ctx, func(tx *sql.Tx) (err error) {
		n, err = affected(tx.ExecContext(ctx, text, args...))
		return err
	})
	return n, err
}
