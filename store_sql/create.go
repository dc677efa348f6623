package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// createStatements are the statements of CreateSession. After the session is created,
// expireUserSessions and deleteEndedSessions clear away expired and ended sessions of its
// user.
type createStatements struct {
	lockIfCurrent, selectUserState, insertSession, evictSessions string
	expireUserSessions, deleteEndedSessions                      string
}

func newCreateStatements(e *expander) createStatements {
	s := createStatements{
		// lockIfCurrent locks the user if the stored record has the given version and is not
		// disabled.
		lockIfCurrent: e.expand(`
UPDATE {users}
SET ops = ops + 1, {renew}
WHERE id = ? AND version = ? AND disabled = FALSE`),

		// selectUserState returns one row for each live session of the user, or one row
		// without a session. Its columns are the clock, how many sessions of any user have
		// the new session's ID, how many of the user's sessions are not marked as ended, how
		// many sessions the user has in all, the user, and the ID of the live session. The
		// user's sessions are counted up to a limit.
		selectUserState: e.expand(`
SELECT {now}, (SELECT COUNT(*) FROM {sessions} WHERE id = ?),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM {sessions} {use_live_index} WHERE user_id = ? AND revoked_ms IS NULL LIMIT ?) AS unmarked),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM {sessions} WHERE user_id = ? LIMIT ?) AS kept),
{user_columns}, s.id
FROM {users} AS u
LEFT JOIN {sessions} AS s {use_live_index} ON s.user_id = u.id AND s.revoked_ms IS NULL
AND {fixed_now} < s.abs_ms + 0 AND {fixed_now} < s.seen_ms + s.idle_ms
WHERE u.id = ?
ORDER BY s.seen_ms DESC, s.id`),

		insertSession: e.expand(`
INSERT INTO {sessions} (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, token_ms, device, kind, public_id, label)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),

		// Test revoked_by and not revoked_ms IS NULL, because revoked_ms IS NULL matches the
		// index sessions_live, and a database might scan that index instead of looking up the
		// given IDs.
		evictSessions: e.expand(`
UPDATE {sessions}
SET revoked_ms = {now}, revoked_by = {by_limit}
WHERE id {in_batch} AND revoked_by = {not_ended}`),

		expireUserSessions: e.expand(`
UPDATE {sessions} {use_live_index}
SET revoked_ms = {now}, revoked_by = {by_expiry}
WHERE id {in_subquery} (SELECT id FROM {sessions} WHERE user_id = ? AND revoked_ms IS NULL
AND ({fixed_now} >= abs_ms + 0 OR {fixed_now} >= seen_ms + idle_ms) ORDER BY abs_ms + 0 LIMIT ? {skip_locked}){end_subquery}`),

		deleteEndedSessions: e.expand(`
DELETE FROM {sessions}
WHERE id {in_subquery} (SELECT id FROM {sessions} WHERE user_id = ? AND revoked_ms IS NOT NULL ORDER BY created_ms LIMIT ? {skip_locked}){end_subquery} {durable}`),
	}
	if e.dialect.name == MySQL {
		// With a subquery, MySQL would lock every row that the subquery reads.
		s.expireUserSessions = e.expand(`
UPDATE {sessions} {use_live_index}
SET revoked_ms = {now}, revoked_by = {by_expiry}
WHERE user_id = ? AND revoked_ms IS NULL AND ({now} >= abs_ms OR {now} >= seen_ms + idle_ms)
ORDER BY abs_ms
LIMIT ?`)
		// The SELECT is joined, because MySQL does not accept the name of an index in a
		// DELETE from one table.
		s.deleteEndedSessions = e.expand(`
DELETE s
FROM {sessions} AS s
JOIN (SELECT id FROM {sessions} {use_live_index} WHERE user_id = ? AND revoked_ms IS NOT NULL
ORDER BY revoked_ms LIMIT ?) AS oldest ON oldest.id = s.id`)
	}
	return s
}

// CreateSession implements [googlesession.SessionStore].
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if n.Replaces != nil {
		n.Replaces = new(*n.Replaces) // The work may outlive the call, so it uses a copy.
	}
	state, err := runWrite(ctx, s, "creating a session", func() (userState, error) { return s.admitAndInsert(ctx, n) })
	if err != nil {
		return googlesession.Session{}, err
	}
	s.tidyOptional(ctx, n.User.ID, state)
	return newSession(n, state), nil
}

func (s *Store) admitAndInsert(ctx context.Context, n googlesession.NewSession) (state userState, err error) {
	if err := storekit.CheckNewSession(n); err != nil {
		return state, err
	}
	err = s.withUser(ctx, n.User.ID, lane.SignIn, func(tx *sql.Tx) error {
		err := s.lockAndApply(ctx, tx, n.User)
		if err != nil {
			return err
		}
		if state, err = s.readUserState(ctx, tx, n); err != nil {
			return err
		}
		limit := storekit.SessionLimit(n, s.opts.PerUser)
		// The errors of this switch commit the transaction, because the user's record has to
		// be kept even if the sign-in is refused.
		switch {
		case state.user.disabled.Bool:
			return committedError{googlesession.ErrUserDisabled}
		case storekit.IsStaleToken(n.TokenIssuedAt, state.user.user()):
			return committedError{googlesession.ErrStaleToken}
		case n.RefuseOverMax && len(state.live) >= limit:
			return committedError{googlesession.ErrTooManySessions}
		}
		return s.evictAndInsert(ctx, tx, n, state, limit)
	})
	return state, err
}

// lockAndApply locks the user and applies the record u. Most often u is the stored
// record, because SignIn has just written it, and then lockAndApply only locks the user.
func (s *Store) lockAndApply(ctx context.Context, tx *sql.Tx, u googlesession.User) error {
	n, err := affected(tx.ExecContext(ctx, s.sql.lockIfCurrent, u.ID, u.Version))
	if err == nil && n == 0 {
		_, err = s.applyRecord(ctx, tx, u)
	}
	return err
}

// A userState holds the result of the statement selectUserState.
type userState struct {
	now  int64 // The server's clock in Unix milliseconds.
	user userRow

	// live holds the IDs of the user's live sessions, the most recently used first. It does
	// not hold the session that the new session replaces.
	live [][]byte

	liveCount int // The number of the user's live sessions, including a session that is to be replaced.
	unmarked  int // The number of the user's sessions that are not marked as ended, up to countLimit. It includes expired sessions.
	kept      int // The number of all sessions of the user that are stored, up to countLimit.
}

// readUserState reads the userState of the user of n. It returns ErrExists if the ID of
// the new session is or was in use.
func (s *Store) readUserState(ctx context.Context, tx *sql.Tx, n googlesession.NewSession) (state userState, err error) {
	rows, err := tx.QueryContext(ctx, s.sql.selectUserState, n.Ref.ID[:], n.User.ID, s.countLimit(), n.User.ID, s.countLimit(), n.User.ID)
	if err != nil {
		return state, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			used int
			id   []byte
		)
		dest := append([]any{&state.now, &used, &state.unmarked, &state.kept}, state.user.fields()...)
		if err := rows.Scan(append(dest, &id)...); err != nil {
			return state, err
		}
		if used > 0 {
			return state, googlesession.ErrExists
		}
		if id != nil {
			state.liveCount++
		}
		if id != nil && !bytes.Equal(id, storekit.ReplacedID(n)) {
			state.live = append(state.live, id)
		}
	}
	return state, rows.Err()
}

// countLimit returns the number at which the counting of a user's sessions stops. A user
// normally has fewer sessions.
func (s *Store) countLimit() int { return s.opts.PerUser + keptRows + 2*slackRows }

// evictAndInsert ends the least recently used sessions, until the new session is within
// the limit, and inserts the new session. It may have to end many sessions if the limit
// was lowered.
func (s *Store) evictAndInsert(ctx context.Context, tx *sql.Tx, n googlesession.NewSession, state userState, limit int) error {
	for ids := range slices.Chunk(state.live[min(len(state.live), limit-1):], batchSize) {
		if _, err := tx.ExecContext(ctx, s.sql.evictSessions, fillBatch(ids)...); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, s.sql.insertSession, n.Ref.ID[:], n.Ref.Tag[:], n.User.ID,
		state.now, state.now+n.MaxLifetime.Milliseconds(), n.IdleTimeout.Milliseconds(), state.now,
		storekit.TokenUnixMilli(n.TokenIssuedAt), encodeDevice(n.Device), n.Kind, ownPublicID(n), sql.NullString{String: n.Label, Valid: n.Label != ""})
	return err
}

// ownPublicID returns the value of the column public_id. It is nil if the PublicID is that
// of the Ref.
func ownPublicID(n googlesession.NewSession) []byte {
	id := storekit.PublicID(n)
	if id == n.Ref.PublicID() {
		return nil
	}
	return id[:]
}

// newSession returns the session that the inserted row describes.
func newSession(n googlesession.NewSession, state userState) googlesession.Session {
	now := fromUnixMilli(state.now)
	lifetime := min(n.MaxLifetime, n.IdleTimeout).Truncate(time.Millisecond)
	return googlesession.Session{
		Ref: n.Ref, User: state.user.user(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(lifetime),
		Device: n.Device, Label: n.Label, Kind: n.Kind, PublicID: storekit.PublicID(n),
		TokenIssuedAt: storekit.TokenTime(storekit.TokenUnixMilli(n.TokenIssuedAt)),
	}
}
