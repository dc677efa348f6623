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

// Each purgeEvery-th sign-in clears away up to purgeRows, of each kind. It is not each,
// because looking for rows costs as much as signing in.
const (
	purgeEvery = 10
	purgeRows  = 200
)

// Of a user's ended sessions the newest keptRows are kept, and slackRows more before a
// sign-in clears some away: it need not do so each time. A sign-in removes, or marks as
// expired, no more than its share of what has piled up before.
const (
	keptRows  = 100
	slackRows = 10
	trimRows  = 200
	markRows  = 1000
)

// CreateSession implements [googlesession.SessionStore].
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if n.Replaces != nil {
		n.Replaces = new(*n.Replaces) // the work may outlive the call
	}
	a, err := act(ctx, s, "creating a session", func() (admission, error) { return s.create(ctx, n) })
	if err != nil {
		return googlesession.Session{}, err
	}
	s.tidyAside(ctx, n.User.ID, a)
	return newSession(n, a), nil
}

func (s *Store) create(ctx context.Context, n googlesession.NewSession) (a admission, err error) {
	if err := storekit.CheckNewSession(n); err != nil {
		return a, err
	}
	err = s.change(ctx, n.User.ID, lane.SignIn, func(tx *sql.Tx) error {
		err := s.bring(ctx, tx, n.User)
		if err != nil {
			return err
		}
		if a, err = s.admit(ctx, tx, n); err != nil {
			return err
		}
		limit := storekit.SessionLimit(n, s.opts.PerUser)
		// The record that a refused sign-in brought has to be kept.
		switch {
		case a.user.disabled.Bool:
			return settled{googlesession.ErrUserDisabled}
		case storekit.IsStaleToken(n.TokenIssuedAt, a.user.user()):
			return settled{googlesession.ErrStaleToken}
		case n.RefuseOverMax && len(a.live) >= limit:
			return settled{googlesession.ErrTooManySessions}
		}
		return s.insert(ctx, tx, n, a, limit)
	})
	return a, err
}

// bring locks the user and applies the record. Most often it is the newest one,
// since SignIn has just written it.
func (s *Store) bring(ctx context.Context, tx *sql.Tx, u googlesession.User) error {
	n, err := affected(tx.ExecContext(ctx, s.sql.current, u.ID, u.Version))
	if err == nil && n == 0 {
		_, err = s.apply(ctx, tx, u)
	}
	return err
}

// An admission is what the statement admit selects: the user as of now, the clock,
// and the live sessions but the one that is replaced, the most recently seen first.
type admission struct {
	now      int64
	user     userRow
	live     [][]byte
	counted  int // all live sessions
	unmarked int // rows that have not been ended, those of expired sessions too
	kept     int // all rows
}

// admit reports ErrExists for an ID that is or was in use.
func (s *Store) admit(ctx context.Context, tx *sql.Tx, n googlesession.NewSession) (a admission, err error) {
	rows, err := tx.QueryContext(ctx, s.sql.admit, n.Ref.ID[:], n.User.ID, s.probe(), n.User.ID, s.probe(), n.User.ID)
	if err != nil {
		return a, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			used int
			id   []byte
		)
		dest := append([]any{&a.now, &used, &a.unmarked, &a.kept}, a.user.fields()...)
		if err := rows.Scan(append(dest, &id)...); err != nil {
			return a, err
		}
		if used > 0 {
			return a, googlesession.ErrExists
		}
		if id != nil {
			a.counted++
		}
		if id != nil && !bytes.Equal(id, storekit.ReplacedID(n)) {
			a.live = append(a.live, id)
		}
	}
	return a, rows.Err()
}

// probe is how many of a user's rows are counted at most: more than there should be.
func (s *Store) probe() int { return s.opts.PerUser + keptRows + 2*slackRows }

// insert makes room and inserts. There may be many to end where the limit was lowered.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, n googlesession.NewSession, a admission, limit int) error {
	for ids := range slices.Chunk(a.live[min(len(a.live), limit-1):], someRows) {
		if _, err := tx.ExecContext(ctx, s.sql.evict, fill(ids)...); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, s.sql.insert, n.Ref.ID[:], n.Ref.Tag[:], n.User.ID,
		a.now, a.now+n.MaxLifetime.Milliseconds(), n.IdleTimeout.Milliseconds(), a.now,
		storekit.TokenUnixMilli(n.TokenIssuedAt), encodeDevice(n.Device))
	return err
}

// fill returns someRows arguments: those that are left over repeat the last.
func fill[T any](ids []T) []any {
	args := make([]any, someRows)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	return args
}

// newSession is what the row will say.
func newSession(n googlesession.NewSession, a admission) googlesession.Session {
	now := fromUnixMilli(a.now)
	ends := min(n.MaxLifetime, n.IdleTimeout).Truncate(time.Millisecond)
	return googlesession.Session{
		Ref: n.Ref, User: a.user.user(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(ends), Device: n.Device,
		TokenIssuedAt: storekit.TokenTime(storekit.TokenUnixMilli(n.TokenIssuedAt)),
	}
}
