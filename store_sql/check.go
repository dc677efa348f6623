package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// checkStatements are the statements of CheckSession.
type checkStatements struct{ selectSession, confirmAbsent, touch, expireSession string }

func newCheckStatements(e *expander) checkStatements {
	clock := `{clock}, `
	if e.dialect.inProcess {
		clock = "" // readSession takes the time from Store.now instead.
	}
	s := checkStatements{
		// selectSession runs with every request, so it does only what is needed for a session
		// that exists. It does not return a row for a session that does not exist, because
		// MySQL would make a temporary table for that. It does not have the tag as a
		// parameter, because in SQLite a second parameter costs more than comparing the tag
		// in Go.
		selectSession: e.expand(`
SELECT ` + clock + `{session_columns}, {user_columns}
FROM {sessions} AS s
JOIN {users} AS u ON u.id = s.user_id
WHERE s.id = ?`),

		// confirmAbsent repeats selectSession if that found no row. It always returns a row,
		// because the clock in the row shows whether the server is a standby. SQLite does not
		// use confirmAbsent.
		confirmAbsent: e.expand(`
SELECT {clock}, {session_columns}, {user_columns}
FROM (SELECT 1 AS x) AS always
LEFT JOIN {sessions} AS s ON s.id = ?
LEFT JOIN {users} AS u ON u.id = s.user_id`),

		// touch tests again that the session is live, because touch may run long after the
		// check.
		touch: e.expand(`
UPDATE {sessions}
SET seen_ms = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND seen_ms <= ? AND {now} < abs_ms AND {now} < seen_ms + idle_ms {not_standby}`),

		expireSession: e.expand(`
UPDATE {sessions}
SET revoked_ms = {now}, revoked_by = {by_expiry}
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND ({now} >= abs_ms OR {now} >= seen_ms + idle_ms) {not_standby}`),
	}
	if e.dialect.echoes {
		s.confirmAbsent = e.expand(`
SELECT {clock}, {session_columns}, {user_columns}, '{prefix}absent', ?::bytea
FROM (SELECT 1 AS x) AS always
LEFT JOIN {sessions} AS s ON s.id = ?
LEFT JOIN {users} AS u ON u.id = s.user_id`)
	}
	return s
}

// CheckSession implements [googlesession.SessionStore]. It sends one query. At most once in
// the time that [storekit.TouchAfter] returns, it sends a second statement, which records
// the use of the session. If the query finds no session, another query asks again, except
// in SQLite, because the server may be a standby that has not received the session yet.
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	return runRead(ctx, s, "checking a session", func() (googlesession.Session, error) { return s.checkAndTouch(ctx, r, touchAfter) })
}

func (s *Store) checkAndTouch(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	var none googlesession.Session
	p, err := s.ready(ctx)
	if err != nil {
		return none, err
	}
	row := s.newRow()
	defer s.freeRow(row)
	if err := s.readSession(ctx, p, r, row); err != nil {
		return none, err
	}
	switch {
	case !row.now.Valid:
		return none, errStandby
	case !row.created.Valid || googlesession.UserTag(row.user.id.String) != r.Tag:
		return none, googlesession.ErrNoSession
	case row.revokedBy.Int64 == endedByExpiry:
		return none, googlesession.ErrSessionExpired
	case row.revokedBy.Int64 != notEnded || row.hasRefusedToken():
		return none, googlesession.ErrSessionRevoked
	case !row.isLive():
		s.expire(ctx, r)
		return none, googlesession.ErrSessionExpired
	case row.user.disabled.Bool:
		return none, googlesession.ErrUserDisabled
	}
	idle := time.Duration(row.idle.Int64) * time.Millisecond
	after := storekit.TouchAfter(touchAfter, idle).Milliseconds()
	touched := row.now.Int64-row.seen.Int64 >= after && s.touch(ctx, p, r, row.now.Int64, after)
	if touched {
		row.seen.Int64 = row.now.Int64
	}
	session := row.session(r)
	session.Touched = touched
	return session, nil
}

// readSession reads the session and the clock into row. If the session does not exist,
// row.created is NULL and the error is nil.
func (s *Store) readSession(ctx context.Context, p *prepared, r googlesession.Ref, row *sessionRow) error {
	if s.dialect.inProcess {
		err := p.selectSession.queryRow(ctx, r.ID[:]).Scan(row.fields[1:]...) // The statement does not select the clock, which is fields[0].
		// The clock is read after the query, because the session may have expired while the
		// query waited.
		row.now.Int64, row.now.Valid = s.now().UnixMilli(), true
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}
	err := p.selectSession.queryRow(ctx, r.ID[:]).Scan(row.fields[:]...)
	if isConflict(err) {
		err = s.transact(ctx, func(tx *sql.Tx) error {
			return p.selectSession.on(tx).queryRow(ctx, r.ID[:]).Scan(row.fields[:]...)
		})
	}
	// A row does not need an echo, because the tag in r proves that the row's user ID
	// belongs to r. If there is no row, that may be the answer to another client's
	// statement, so confirmAbsent asks again.
	if err == nil && row.created.Valid || err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	_, err = runSingle(ctx, s, func(run runner) (none struct{}, err error) {
		return none, s.confirmAbsent(ctx, p.confirmAbsent.on(run), r, row)
	})
	return err
}

// confirmAbsent reads the session and the clock into row, after selectSession has found
// no session.
func (s *Store) confirmAbsent(ctx context.Context, confirm statement, r googlesession.Ref, row *sessionRow) error {
	if !s.dialect.echoes {
		return confirm.queryRow(ctx, r.ID[:]).Scan(row.fields[:]...)
	}
	var e echo
	err := confirm.queryRow(ctx, r.ID[:], r.ID[:]).Scan(append(row.fields[:], e.fields()...)...)
	return e.check(err, s.opts.Prefix+"absent", r)
}

// touch records the use of a session and reports whether it has done so. A recording that
// fails, is late, or is left to another request of this process does no harm, because it
// cannot make an ended session live. The check waits for it for at most a quarter of the
// time that the check has left.
func (s *Store) touch(ctx context.Context, p *prepared, r googlesession.Ref, now, after int64) bool {
	if !s.touches.claim(&r.ID, now, after) {
		return false
	}
	n, err := s.execOptional(ctx, p.touch, now, r.ID[:], r.Tag[:], now-after)
	if err != nil || n == 0 {
		s.touches.release(&r.ID, now)
		return false
	}
	return true
}

// expire marks the session as expired, so that it stays expired even if the clock steps
// back. The answer of the check does not depend on whether that succeeds.
func (s *Store) expire(ctx context.Context, r googlesession.Ref) {
	_, _ = s.execOptional(ctx, s.unprepared(s.sql.expireSession), r.ID[:], r.Tag[:])
}

// execOptional runs a statement whose failure does no harm. It takes at most a quarter of
// the time that the call has left.
func (s *Store) execOptional(ctx context.Context, x statement, args ...any) (int64, error) {
	ctx, cancel := withQuarter(ctx)
	defer cancel()
	if s.driver.cancels {
		return s.exec(ctx, x, args...)
	}
	return runOrAbandon(ctx, func() (int64, error) { return s.exec(ctx, x, args...) })
}
