package sqlstore

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// Every purgeEvery-th sign-in removes due rows as Purge does, with purgeRows as the
// limit. Not every sign-in does so, because looking for due rows costs as much as signing
// in.
const (
	purgeEvery = 10
	purgeRows  = 200
)

// These are limits for the clearing away of one user's sessions, which is done after a
// sign-in of that user.
const (
	// keptRows is the number of the user's newest ended sessions that are kept.
	keptRows = 100

	// slackRows is the number of further ended sessions of the user that are tolerated, so
	// that not every sign-in has to remove one.
	slackRows = 10

	// trimRows is the number of ended sessions that a sign-in removes if the user's
	// sessions are too many to be counted. markRows is the number of expired sessions that
	// a sign-in marks as ended at most. Later sign-ins do the rest.
	trimRows = 200
	markRows = 1000
)

// purgeStatements are the statements of Purge.
type purgeStatements struct {
	purgeSessions               string
	forgetDeleted, forgetCopies forgetStatements // Their texts are in forget.go.
}

func newPurgeStatements(e *expander) purgeStatements {
	s := purgeStatements{
		purgeSessions: e.expand(`
DELETE FROM {sessions}
WHERE id {in_subquery} (SELECT id FROM {sessions} WHERE abs_ms < {fixed_now} - ? ORDER BY abs_ms LIMIT ? {skip_locked}){end_subquery}`),

		forgetDeleted: newForgetStatements(e, "deleted_ms"),
		forgetCopies:  newForgetStatements(e, "copy_ms"),
	}
	if e.dialect.name == MySQL {
		// With a subquery, MySQL would lock every row that the subquery reads, and two
		// transactions could wait for each other.
		s.purgeSessions = e.expand(`
DELETE FROM {sessions}
WHERE abs_ms < {now} - ?
ORDER BY abs_ms
LIMIT ?`)
	}
	return s
}

// Purge removes rows that are due, up to limit rows of each of three kinds:
//
//   - sessions, [Options.Retention] after their absolute end;
//   - deleted users, [googlesession.TokenWindow] after they were deleted;
//   - copies of users whose records belong to another system,
//     [googlesession.SignInWindow] after the later of two times: when the last session
//     expires, and when PutUser or CreateSession last received the user's record.
//
// The ended sessions of a removed user are removed too.
//
// Purge returns the number of removed rows. If that is less than limit, no more rows are
// due. A limit of zero or less removes nothing. Purge may run at any time and beside all
// other calls. An error wraps [googlesession.ErrUnavailable]; the number then counts the
// rows that were removed before the error.
func (s *Store) Purge(ctx context.Context, limit int) (int, error) {
	var removed atomic.Int64
	_, err := runWrite(ctx, s, "purging", func() (none struct{}, err error) {
		// Repeat only while passes remove nothing but may have more to read. Once rows were
		// removed, return; the caller of Purge decides whether to call again.
		for more := true; more && err == nil && removed.Load() == 0; {
			more, err = s.purgeOnce(ctx, max(limit, 0), &removed)
		}
		return none, err
	})
	return int(removed.Load()), err
}

// tidyOptional clears away expired and ended sessions of the user who has signed in. At
// every purgeEvery-th sign-in it also removes due rows of other users. The sign-in waits
// for it for at most a quarter of the time that the sign-in has left, and a failure does
// no harm.
func (s *Store) tidyOptional(ctx context.Context, userID string, state userState) {
	expired, surplus := state.unmarked > state.liveCount, state.kept-state.unmarked-keptRows
	if state.kept >= s.countLimit() {
		surplus = trimRows
	}
	purges := s.signIns.Add(1)%purgeEvery == 1
	if !expired && surplus <= slackRows && !purges {
		return
	}
	ctx, cancel := withQuarter(ctx)
	defer cancel()
	_, _ = runOrAbandon(ctx, func() (none struct{}, err error) { return none, s.tidy(ctx, userID, expired, surplus, purges) })
}

func (s *Store) tidy(ctx context.Context, userID string, expired bool, surplus int, purges bool) error {
	if expired {
		if _, err := s.execInTransaction(ctx, s.sql.expireUserSessions, userID, markRows); err != nil {
			return err
		}
	}
	if surplus > slackRows {
		if _, err := s.execInTransaction(ctx, s.sql.deleteEndedSessions, userID, surplus); err != nil {
			return err
		}
	}
	if !purges {
		return nil
	}
	var removed atomic.Int64
	_, err := s.purgeOnce(ctx, purgeRows, &removed)
	return err
}

// purgeOnce removes due rows of each kind in a separate transaction, so that another
// writer waits for one transaction at most. more is true if purgeOnce has read limit
// users of a kind, even if it has removed none of them, because further users may be due.
func (s *Store) purgeOnce(ctx context.Context, limit int, removed *atomic.Int64) (more bool, err error) {
	if _, err := s.ready(ctx); err != nil {
		return false, err
	}
	n, err := s.execInTransaction(ctx, s.sql.purgeSessions, s.opts.Retention.Milliseconds(), limit)
	if err != nil {
		return false, err
	}
	removed.Add(n)
	if limit == 0 {
		return false, nil
	}
	for _, forget := range []forgetStatements{s.sql.forgetDeleted, s.sql.forgetCopies} {
		seen, n, err := s.forgetUsers(ctx, forget, limit)
		if err != nil {
			return false, err
		}
		removed.Add(n)
		more = more || seen == limit
	}
	return more, nil
}

// execInTransaction runs one statement in a transaction. It returns how many rows the
// statement has changed.
func (s *Store) execInTransaction(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = s.withoutUser(ctx, func(tx *sql.Tx) (err error) {
		n, err = affected(tx.ExecContext(ctx, text, args...))
		return err
	})
	return n, err
}
