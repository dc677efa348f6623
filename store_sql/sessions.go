package sqlstore

import (
	"context"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// sessionStatements are the statements of Sessions.
type sessionStatements struct{ selectSessions string }

func newSessionStatements(e *expander) sessionStatements {
	return sessionStatements{
		// selectSessions returns a row even if the user has no session, because the clock in
		// the row shows whether the server is a standby.
		selectSessions: e.expand(`
SELECT {clock}, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, {user_columns}, s.id, s.device
FROM (SELECT 1 AS x) AS always
LEFT JOIN {users} AS u ON u.id = ?
LEFT JOIN {sessions} AS s {use_live_index} ON s.user_id = u.id AND s.tag = ? AND s.revoked_ms IS NULL AND {fixed_now} < s.abs_ms + 0
ORDER BY s.created_ms DESC, s.id`),
	}
}

// Sessions implements [googlesession.SessionStore].
func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	return runRead(ctx, s, "listing sessions", func() ([]googlesession.Session, error) {
		if _, err := s.ready(ctx); err != nil {
			return nil, err
		}
		return runSingle(ctx, s, func(run runner) ([]googlesession.Session, error) { return s.readSessions(ctx, run, userID) })
	})
}

func (s *Store) readSessions(ctx context.Context, run runner, userID string) ([]googlesession.Session, error) {
	ref := googlesession.Ref{Tag: googlesession.UserTag(safeUserID(userID))}
	rows, err := run.QueryContext(ctx, s.sql.selectSessions, safeUserID(userID), ref.Tag[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	row := s.newRow()
	defer s.freeRow(row)
	sessions := []googlesession.Session{}
	for rows.Next() {
		var id, device []byte
		if err := rows.Scan(append(row.fields[:], &id, &device)...); err != nil {
			return nil, err
		}
		if !row.now.Valid {
			return nil, errStandby
		}
		if !row.created.Valid || !row.isLive() || row.hasRefusedToken() {
			continue
		}
		copy(ref.ID[:], id)
		session := row.session(ref)
		session.Device = decodeDevice(device)
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}

// safeUserID returns userID, or "" if no user can have this ID. The ID "" has no row, and
// every database accepts it as a parameter.
func safeUserID(userID string) string {
	if !storekit.ValidUserID(userID) {
		return ""
	}
	return userID
}
