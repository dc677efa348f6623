package sqlstore

import (
	"context"
	"database/sql"
	"encoding/base64"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// sessionStatements are the statements of Sessions and AllSessions.
type sessionStatements struct{ selectSessions, selectAllSessions string }

func newSessionStatements(e *expander) sessionStatements {
	return sessionStatements{
		// selectSessions returns a row even if the user has no session, because the clock in
		// the row shows whether the server is a standby.
		selectSessions: e.expand(`
SELECT {clock}, {session_columns}, {user_columns}, s.id, s.device, s.label
FROM (SELECT 1 AS x) AS always
LEFT JOIN {users} AS u ON u.id = ?
LEFT JOIN {sessions} AS s {use_live_index} ON s.user_id = u.id AND s.tag = ? AND s.revoked_ms IS NULL AND {fixed_now} < s.abs_ms + 0
ORDER BY s.created_ms DESC, s.id`),

		// selectAllSessions reads sessions in the order of the primary key, so ended ones are
		// among them. It reads the user of a session only if the session is not ended.
		selectAllSessions: e.expand(`
SELECT {clock}, {session_columns}, {user_columns}, s.id, s.device, s.label
FROM (SELECT 1 AS x) AS always
LEFT JOIN (SELECT * FROM {sessions} WHERE id > ? ORDER BY id LIMIT ?) AS s ON TRUE
LEFT JOIN {users} AS u ON u.id = s.user_id AND s.revoked_ms IS NULL
ORDER BY s.id`),
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
	userID = safeUserID(userID)
	tag := googlesession.UserTag(userID)
	rows, err := run.QueryContext(ctx, s.sql.selectSessions, userID, tag[:])
	if err != nil {
		return nil, err
	}
	sessions := []googlesession.Session{}
	err = s.scanSessions(rows, func(_ []byte, session *googlesession.Session) {
		if session != nil {
			sessions = append(sessions, *session)
		}
	})
	return sessions, err
}

// scanSessions reads and closes the rows of a statement that lists sessions. It calls yield
// for each row that has a session, with the session's ID. The session is nil if it is not
// live.
func (s *Store) scanSessions(rows *sql.Rows, yield func(id []byte, session *googlesession.Session)) error {
	defer rows.Close()
	row := s.newRow()
	defer s.freeRow(row)
	for rows.Next() {
		var (
			id, device []byte
			label      sql.NullString
		)
		if err := rows.Scan(append(row.fields[:], &id, &device, &label)...); err != nil {
			return err
		}
		if !row.now.Valid {
			return errStandby
		}
		if !row.created.Valid {
			continue
		}
		if !row.user.id.Valid || row.user.disabled.Bool || !row.isLive() || row.hasRefusedToken() {
			yield(id, nil)
			continue
		}
		session := row.session(googlesession.Ref{Tag: googlesession.UserTag(row.user.id.String), ID: [32]byte(id)})
		session.Device, session.Label = decodeDevice(device), label.String
		yield(id, &session)
	}
	return rows.Err()
}

// AllSessions reads up to readPerSession rows for each session of a page, because some rows
// are of ended sessions. It reads maxRead rows at most.
const (
	readPerSession = 10
	maxRead        = 1000
)

// AllSessions implements [googlesession.SessionStore]. The text of next is the ID of the
// last session that was read, in base64url.
func (s *Store) AllSessions(ctx context.Context, after string, limit int) ([]googlesession.Session, string, error) {
	type result struct {
		page []googlesession.Session
		next string
	}
	r, err := runRead(ctx, s, "listing all sessions", func() (r result, err error) {
		if _, err := s.ready(ctx); err != nil || limit <= 0 {
			return r, err
		}
		var begin [32]byte // No session has an ID of zeros, because IDs are SHA-256 hashes.
		if after != "" {
			id, err := base64.RawURLEncoding.Strict().DecodeString(after)
			if err != nil || len(id) != len(begin) {
				return r, googlesession.ErrNotFound
			}
			begin = [32]byte(id)
		}
		return runSingle(ctx, s, func(run runner) (r result, err error) {
			r.page, r.next, err = s.readAllSessions(ctx, run, begin[:], limit)
			return r, err
		})
	})
	return r.page, r.next, err
}

func (s *Store) readAllSessions(ctx context.Context, run runner, after []byte, limit int) (page []googlesession.Session, next string, err error) {
	most := min(maxRead, readPerSession*min(limit, maxRead))
	rows, err := run.QueryContext(ctx, s.sql.selectAllSessions, after, most)
	if err != nil {
		return nil, "", err
	}
	read := 0
	err = s.scanSessions(rows, func(id []byte, session *googlesession.Session) {
		if len(page) == limit {
			return // The next page begins here.
		}
		read++
		if session != nil {
			page = append(page, *session)
		}
		after = id
	})
	if len(page) == limit || read == most {
		next = base64.RawURLEncoding.EncodeToString(after)
	}
	return page, next, err
}

// safeUserID returns userID, or "" if no user can have this ID. The ID "" has no row, and
// every database accepts it as a parameter.
func safeUserID(userID string) string {
	if !storekit.ValidUserID(userID) {
		return ""
	}
	return userID
}
