package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// Who ended a session, as the column revoked_by says it; the others are in the
// statements only.
const byExpiry = 4

// CheckSession implements [googlesession.SessionStore]. It is one query. The touch is a
// second one, at most every touchAfter; and a session that is not there is looked for
// once more, where the server may be a standby that has not heard of it.
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	return ask(ctx, s, "checking a session", func() (googlesession.Session, error) { return s.check(ctx, r, touchAfter) })
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
	case row.revokedBy.Int64 != 0 || row.refused():
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
	if s.dialect.local {
		err := p.check.queryRow(ctx, r.ID[:]).Scan(row.fields[1:]...) // all but the clock
		// Asked after the query: while it waited, the session may have expired.
		row.now.Int64, row.now.Valid = s.now().UnixMilli(), true
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}
	err := p.check.queryRow(ctx, r.ID[:]).Scan(row.fields[:]...)
	if isConflict(err) {
		err = s.transact(ctx, func(tx *sql.Tx) error { return p.check.on(tx).queryRow(ctx, r.ID[:]).Scan(row.fields[:]...) })
	}
	// A row proves itself: its user's ID makes the tag. Without one, the answer may have
	// been one to another statement.
	if err == nil && row.created.Valid || err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	_, err = alone(ctx, s, func(run runner) (none struct{}, err error) { return none, s.findAbsent(ctx, p.absent.on(run), r, row) })
	return err
}

// findAbsent is find for a session that was not there.
func (s *Store) findAbsent(ctx context.Context, absent statement, r googlesession.Ref, row *sessionRow) error {
	if !s.dialect.proves {
		return absent.queryRow(ctx, r.ID[:]).Scan(row.fields[:]...)
	}
	var p proof
	err := absent.queryRow(ctx, r.ID[:], r.ID[:]).Scan(append(row.fields[:], p.fields()...)...)
	return p.check(err, s.opts.Prefix+"absent", r)
}

// touch reports whether it has recorded the use. One that fails, or that is late, or
// left to another request of this process, does no harm: it cannot make an ended
// session live. The check waits for it for a part of its time only.
func (s *Store) touch(ctx context.Context, p *prepared, r googlesession.Ref, now, after int64) bool {
	if !s.touches.claim(&r.ID, now, after) {
		return false
	}
	n, err := s.aside(ctx, p.touch, now, r.ID[:], r.Tag[:], now-after)
	if err != nil || n == 0 {
		s.touches.release(&r.ID, now)
		return false
	}
	return true
}

// expire notes that the session was seen expired, for the case that the clock steps
// back. The verdict does not depend on it.
func (s *Store) expire(ctx context.Context, r googlesession.Ref) {
	_, _ = s.aside(ctx, s.text(s.sql.expire), r.ID[:], r.Tag[:])
}

// aside runs a statement whose failure does no harm, in a part of the time.
func (s *Store) aside(ctx context.Context, x statement, args ...any) (int64, error) {
	ctx, cancel := share(ctx)
	defer cancel()
	if s.driver.heeds {
		return s.exec(ctx, x, args...)
	}
	return outrun(ctx, func() (int64, error) { return s.exec(ctx, x, args...) })
}

// Sessions implements [googlesession.SessionStore].
func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	return ask(ctx, s, "listing sessions", func() ([]googlesession.Session, error) {
		if _, err := s.ready(ctx); err != nil {
			return nil, err
		}
		return alone(ctx, s, func(run runner) ([]googlesession.Session, error) { return s.list(ctx, run, userID) })
	})
}

func (s *Store) list(ctx context.Context, run runner, userID string) ([]googlesession.Session, error) {
	if !storekit.ValidUserID(userID) {
		userID = "" // never a user's ID, and every database accepts it
	}
	ref := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	rows, err := run.QueryContext(ctx, s.sql.list, userID, ref.Tag[:])
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
		if !row.created.Valid || !row.live() || row.refused() {
			continue
		}
		copy(ref.ID[:], id)
		session := row.session(ref)
		session.Device = decodeDevice(device)
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}

// A sessionRow is what the statements check, absent and list select. The clock is NULL
// on a standby, all others if there is no session.
type sessionRow struct {
	now, created, abs, idle, seen, revokedBy, token number
	user                                            userRow

	fields [17]any // pointers to all of them, in the order of the columns
}

// newRow returns one to scan into again and again. Whoever frees it has let go of it.
func (s *Store) newRow() *sessionRow {
	if r, ok := s.rows.Get().(*sessionRow); ok {
		return r
	}
	r := new(sessionRow)
	r.fields = [17]any(append([]any{&r.now, &r.created, &r.abs, &r.idle, &r.seen, &r.revokedBy, &r.token}, r.user.fields()...))
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

// refused reports whether the user's TokensAfter has ended it. Only a process of an
// earlier version, which knows of neither, makes or leaves such a session.
func (r *sessionRow) refused() bool {
	after := r.user.tokensAfter.Int64
	return after != 0 && r.token.Int64 <= after
}

func (r *sessionRow) session(ref googlesession.Ref) googlesession.Session {
	return googlesession.Session{
		Ref: ref, User: r.user.user(),
		CreatedAt: fromUnixMilli(r.created.Int64), SeenAt: fromUnixMilli(r.seen.Int64), ExpiresAt: fromUnixMilli(r.ends()),
		TokenIssuedAt: storekit.TokenTime(r.token.Int64),
	}
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
