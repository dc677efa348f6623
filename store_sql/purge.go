package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
)

// Purge removes up to limit rows of each kind that are due: sessions
// [Options.Retention] after their absolute end, and deleted users with their
// sessions [googlesession.LoginWindow] after they were deleted. It returns how many
// it has removed; fewer than limit: there are no more. It may run at any time,
// beside anything.
func (s *Store) Purge(ctx context.Context, limit int) (int, error) {
	n, err := s.purge(ctx, max(limit, 0))
	return n, classify(ctx, "purging", err)
}

// purge uses a transaction for each kind: writers wait no longer than for one.
func (s *Store) purge(ctx context.Context, limit int) (total int, err error) {
	if _, err := s.ready(ctx); err != nil {
		return 0, err
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
		n, err := s.exec(ctx, func() (sql.Result, error) {
			return s.db.ExecContext(ctx, kind.text, kind.age, limit)
		})
		total += int(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
