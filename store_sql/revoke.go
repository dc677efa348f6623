package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
)

// revokeStatements are the statements that end sessions.
type revokeStatements struct{ revokeSession, selectOwner, revokeLive, expireRest string }

func newRevokeStatements(e *expander) revokeStatements {
	s := revokeStatements{
		revokeSession: e.expand(`
UPDATE {sessions}
SET revoked_ms = {now}, revoked_by = {by_revoke}
WHERE id = ? AND tag = ? AND revoked_ms IS NULL {not_standby}`),

		selectOwner: e.expand(`
SELECT {standby}, s.user_id
FROM (SELECT 1 AS x) AS always
LEFT JOIN {sessions} AS s ON s.id = ? AND s.tag = ?`),

		revokeLive: e.expand(`
UPDATE {sessions} {use_live_index}
SET revoked_ms = {now}, revoked_by = {by_user}
WHERE user_id = ? AND id <> ? AND {is_live}`),

		// expireRest marks a user's expired sessions that are not marked as ended yet. After
		// an upgrade from version 1 there may be many. It begins with the sessions that have
		// expired last, because they would be the first to be live again if the clock stepped
		// back.
		expireRest: e.expand(`
UPDATE {sessions} {use_live_index}
SET revoked_ms = {now}, revoked_by = {by_expiry}
WHERE revoked_by = {not_ended}
AND id {in_subquery} (SELECT id FROM {sessions} WHERE user_id = ? AND revoked_ms IS NULL AND id <> ? ORDER BY abs_ms + 0 DESC LIMIT ? {skip_locked}){end_subquery}`),
	}
	if e.dialect.echoes {
		// If this statement ends nothing although the session exists, an earlier change has
		// ended the session, and the statement waits until that change is durable.
		s.revokeSession = e.expand(`
WITH ended AS (
UPDATE {sessions}
SET revoked_ms = {now}, revoked_by = {by_revoke}
WHERE id = ? AND tag = ? AND revoked_ms IS NULL {durable}
RETURNING 1)
SELECT '{prefix}revoke', ?::bytea, (SELECT COUNT(*) FROM ended),
CASE WHEN NOT EXISTS (SELECT 1 FROM ended) AND EXISTS (SELECT 1 FROM {sessions} WHERE id = ? AND tag = ?) THEN {wait_durable} ELSE FALSE END`)
	}
	if e.dialect.name == MySQL {
		// With a subquery, MySQL would lock every row that the subquery reads.
		s.expireRest = e.expand(`
UPDATE {sessions} {use_live_index}
SET revoked_ms = {now}, revoked_by = {by_expiry}
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?
ORDER BY abs_ms DESC
LIMIT ?`)
	}
	return s
}

// RevokeSession implements [googlesession.SessionStore].
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	return runWrite(ctx, s, "revoking a session", func() (bool, error) { return s.endSession(ctx, r) })
}

func (s *Store) endSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	p, err := s.ready(ctx)
	if err != nil {
		return false, err
	}
	if s.dialect.echoes {
		return runSingle(ctx, s, func(run runner) (bool, error) { return s.endSessionWithEcho(ctx, p.revokeSession.on(run), r) })
	}
	n, err := s.exec(ctx, p.revokeSession, r.ID[:], r.Tag[:])
	if err != nil || n > 0 || s.dialect.inProcess { // Every change that SQLite shows is durable.
		return n > 0, err
	}
	return false, s.waitForEarlierEnd(ctx, r)
}

// endSessionWithEcho ends a session with one statement, which always returns a row with
// an echo. If an earlier change has ended the session, the statement waits until that
// change is durable.
func (s *Store) endSessionWithEcho(ctx context.Context, revoke statement, r googlesession.Ref) (bool, error) {
	var (
		e      echo
		ended  int
		waited bool
	)
	err := revoke.queryRow(ctx, r.ID[:], r.Tag[:], r.ID[:], r.ID[:], r.Tag[:]).Scan(append(e.fields(), &ended, &waited)...)
	return ended > 0, e.check(err, s.opts.Prefix+"revoke", r)
}

// waitForEarlierEnd returns when the end of the session is durable. An earlier call may
// have ended the session without receiving an answer, and MySQL shows a change before the
// change is on disk or on a replica. An update that changes nothing does not wait for the
// disk or the replica, so waitForEarlierEnd increments the user's column ops.
func (s *Store) waitForEarlierEnd(ctx context.Context, r googlesession.Ref) error {
	var (
		standby bool
		owner   sql.NullString
	)
	err := s.db.QueryRowContext(ctx, s.sql.selectOwner, r.ID[:], r.Tag[:]).Scan(&standby, &owner)
	switch {
	case err != nil:
		return err
	case standby:
		return errStandby
	case !owner.Valid: // The session does not exist.
		return nil
	}
	return s.withUser(ctx, owner.String, lane.Revoke, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.sql.lockUser, owner.String)
		return err
	})
}

// RevokeUser implements [googlesession.SessionStore].
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	var kept [32]byte // No session has an ID of zeros, because IDs are SHA-256 hashes.
	if keep != nil && keep.Tag == googlesession.UserTag(userID) {
		kept = keep.ID
	}
	userID = safeUserID(userID)
	ended, err := runWrite(ctx, s, "revoking a user's sessions", func() (ended int64, err error) {
		err = s.withUser(ctx, userID, lane.Revoke, func(tx *sql.Tx) (err error) {
			n, err := affected(tx.ExecContext(ctx, s.sql.lockUser, userID))
			if err != nil {
				return err
			}
			if n == 0 {
				return s.waitDurable(ctx, tx)
			}
			ended, err = s.endSessionsOf(ctx, tx, userID, kept)
			return err
		})
		return ended, err
	})
	return int(ended), err
}

// restRows is the number of a user's expired sessions that endSessionsOf marks as ended
// at most. Each sign-in marks expired sessions of its user, so there are usually few.
const restRows = 1000

// endSessionsOf ends all sessions of a user except the session with the ID kept. It
// returns how many of the ended sessions were live. The caller has locked the user.
func (s *Store) endSessionsOf(ctx context.Context, tx *sql.Tx, userID string, kept [32]byte) (int64, error) {
	live, err := affected(tx.ExecContext(ctx, s.sql.revokeLive, userID, kept[:]))
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, s.sql.expireRest, userID, kept[:], restRows)
	return live, err
}
