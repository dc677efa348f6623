package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
)

// Who ended a session, as the column revoked_by says it; 2 and 3 are in the
// statements only.
const byExpiry = 4

// errStandby: the server lags behind another one, so its answer may be too old.
var errStandby = errors.New("this database server is a read-only standby")

// CheckSession implements [googlesession.SessionStore]. It is one query. The touch is a
// second one, at most every touchAfter; and a session that is not there is looked for
// once more, where the server may be a standby that has not heard of it.
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	session, err := s.check(ctx, r, touchAfter)
	return session, classify(ctx, "checking a session", err)
}

func (s *Store) check(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	var none googlesession.Session
	p, err := s.ready(ctx)
	if err != nil {
		return none, err
	}
	row := s.newRow()
	defer s.freeRow(row)
	if err := s.find(ctx, p, r, row); err != nil {
		return none, err
	}
	switch {
	case !row.now.Valid:
		return none, errStandby
	case !row.created.Valid || googlesession.UserTag(row.user.id.String) != r.Tag:
		return none, googlesession.ErrNoSession
	case row.revokedBy.Int64 == byExpiry:
		return none, googlesession.ErrSessionExpired
	case row.revokedBy.Int64 != 0:
		return none, googlesession.ErrSessionRevoked
	case !row.live():
		s.expire(ctx, r)
		return none, googlesession.ErrSessionExpired
	case row.user.disabled.Bool:
		return none, googlesession.ErrUserDisabled
	}
	after := touchAfter.Milliseconds()
	touched := row.now.Int64-row.seen.Int64 >= after && s.touch(ctx, p, r, row.now.Int64, after)
	if touched {
		row.seen.Int64 = row.now.Int64
	}
	session := row.session(r)
	session.Touched = touched
	return session, nil
}

// find reads a session and what time it is, or that there is none.
func (s *Store) find(ctx context.Context, p *prepared, r googlesession.Ref, row *sessionRow) error {
	fields := row.fields[:]
	if s.dialect.local {
		fields = fields[1:] // all but the clock
	}
	err := p.check.queryRow(ctx, r.ID[:]).Scan(fields...)
	absent := errors.Is(err, sql.ErrNoRows)
	if absent && !s.dialect.local {
		return p.absent.queryRow(ctx, r.ID[:]).Scan(fields...)
	}
	if s.dialect.local {
		// Asked after the query: while it waited, the session may have expired.
		row.now.Int64, row.now.Valid = s.now().UnixMilli(), true
	}
	if absent {
		return nil
	}
	return err
}

// touch reports whether it has recorded the use. One that fails, or that is late, or
// left to another request of this process, does no harm: it cannot make an ended
// session live.
func (s *Store) touch(ctx context.Context, p *prepared, r googlesession.Ref, now, after int64) bool {
	if !s.touches.claim(&r.ID, now, after) {
		return false
	}
	n, err := s.exec(ctx, func() (sql.Result, error) {
		return p.touch.exec(ctx, now, r.ID[:], r.Tag[:], now-after)
	})
	if err != nil || n == 0 {
		s.touches.release(&r.ID, now)
		return false
	}
	return true
}

// expire notes that the session was seen expired, for the case that the clock steps
// back. The verdict does not depend on it.
func (s *Store) expire(ctx context.Context, r googlesession.Ref) {
	_, _ = s.exec(ctx, func() (sql.Result, error) {
		return s.db.ExecContext(ctx, s.sql.expire, r.ID[:], r.Tag[:])
	})
}

// RevokeSession implements [googlesession.SessionStore].
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	n, err := s.revoke(ctx, r)
	return n > 0, classify(ctx, "revoking a session", err)
}

func (s *Store) revoke(ctx context.Context, r googlesession.Ref) (int64, error) {
	p, err := s.ready(ctx)
	if err != nil {
		return 0, err
	}
	return s.exec(ctx, func() (sql.Result, error) {
		return p.revoke.exec(ctx, r.ID[:], r.Tag[:])
	})
}

// RevokeUser implements [googlesession.SessionStore].
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	var kept [32]byte // no session's ID: SHA-256 is not known to give 0
	if keep != nil && keep.Tag == googlesession.UserTag(userID) {
		kept = keep.ID
	}
	if !contract.IsUserID(userID) {
		userID = "" // nobody's, and every database's
	}
	var ended int64
	err := s.change(ctx, func(tx *sql.Tx) (err error) {
		if n, err := affected(tx.ExecContext(ctx, s.sql.lock, userID)); err != nil || n == 0 {
			return err
		}
		ended, err = s.end(ctx, tx, userID, kept)
		return err
	})
	if err != nil {
		ended = 0
	}
	return int(ended), classify(ctx, "revoking a user's sessions", err)
}

// end ends all sessions of a user but one and returns how many were live. The user
// is locked.
func (s *Store) end(ctx context.Context, tx *sql.Tx, userID string, kept [32]byte) (int64, error) {
	live, err := affected(tx.ExecContext(ctx, s.sql.endLive, userID, kept[:]))
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, s.sql.endRest, userID, kept[:])
	return live, err
}

// Sessions implements [googlesession.SessionStore].
func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	sessions, err := s.list(ctx, userID)
	if err != nil {
		return nil, classify(ctx, "listing sessions", err)
	}
	return sessions, nil
}

func (s *Store) list(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	if !contract.IsUserID(userID) {
		userID = "" // nobody's, and every database's
	}
	ref := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	rows, err := s.db.QueryContext(ctx, s.sql.list, userID, ref.Tag[:])
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
		if !row.created.Valid || !row.live() {
			continue
		}
		copy(ref.ID[:], id)
		session := row.session(ref)
		session.Device = contract.DecodeDevice(device)
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}

// A sessionRow is what the statements check, absent and list select. The clock is NULL
// on a standby, all others if there is no session.
type sessionRow struct {
	now, created, abs, idle, seen, revokedBy number
	user                                     userRow

	fields [15]any // pointers to all of them, in the order of the columns
}

// newRow returns one to scan into again and again. Whoever frees it has let go of it.
func (s *Store) newRow() *sessionRow {
	if r, ok := s.rows.Get().(*sessionRow); ok {
		return r
	}
	r := new(sessionRow)
	r.fields = [15]any(append([]any{&r.now, &r.created, &r.abs, &r.idle, &r.seen, &r.revokedBy}, r.user.fields()...))
	return r
}

func (s *Store) freeRow(r *sessionRow) {
	*r = sessionRow{fields: r.fields}
	s.rows.Put(r)
}

func (r *sessionRow) ends() int64 { return min(r.abs.Int64, r.seen.Int64+r.idle.Int64) }

// live holds for a clock that has stepped back behind the last use as well: that was
// before the end.
func (r *sessionRow) live() bool { return r.now.Int64 < r.ends() }

func (r *sessionRow) session(ref googlesession.Ref) googlesession.Session {
	return googlesession.Session{
		Ref: ref, User: r.user.user(),
		CreatedAt: instant(r.created.Int64), SeenAt: instant(r.seen.Int64), ExpiresAt: instant(r.ends()),
	}
}

// instant is a time that leaves the store.
func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
