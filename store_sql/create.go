package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
	"github.com/googlesession/googlesession/internal/lane"
)

// Each purgeEvery-th sign-in clears away up to purgeRows, of each kind. It is not each,
// because looking for rows costs as much as signing in.
const (
	purgeEvery = 10
	purgeRows  = 200
)

// evictRows is how many IDs the statement evict has room for.
const evictRows = 10

// CreateSession implements [googlesession.SessionStore].
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if n.Replaces != nil {
		n.Replaces = new(*n.Replaces) // the work may outlive the call
	}
	session, err := act(ctx, s, "creating a session", func() (googlesession.Session, error) { return s.create(ctx, n) })
	if err == nil && s.signIns.Add(1)%purgeEvery == 1 {
		s.purgeAside(ctx)
	}
	return session, err
}

func (s *Store) create(ctx context.Context, n googlesession.NewSession) (session googlesession.Session, err error) {
	if err := contract.CheckSession(n); err != nil {
		return session, err
	}
	err = s.change(ctx, n.User.ID, lane.SignIn, func(tx *sql.Tx) error {
		if err := s.bring(ctx, tx, n.User); err != nil {
			return err
		}
		a, err := s.admit(ctx, tx, n)
		if err != nil {
			return err
		}
		limit := contract.Limit(n, s.opts.PerUser)
		// The record that a refused sign-in brought has to be kept.
		switch {
		case a.user.disabled.Bool:
			return settled{googlesession.ErrUserDisabled}
		case n.RefuseOverMax && len(a.live) >= limit:
			return settled{googlesession.ErrTooManySessions}
		}
		session = newSession(n, a)
		return s.insert(ctx, tx, n, a, limit)
	})
	return session, err
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
	now  int64
	user userRow
	live [][]byte
}

// admit reports ErrExists for an ID that is or was in use.
func (s *Store) admit(ctx context.Context, tx *sql.Tx, n googlesession.NewSession) (a admission, err error) {
	rows, err := tx.QueryContext(ctx, s.sql.admit, n.Ref.ID[:], n.User.ID)
	if err != nil {
		return a, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			used int
			id   []byte
		)
		dest := append([]any{&a.now, &used}, a.user.fields()...)
		if err := rows.Scan(append(dest, &id)...); err != nil {
			return a, err
		}
		if used > 0 {
			return a, googlesession.ErrExists
		}
		if id != nil && !bytes.Equal(id, contract.Replaced(n)) {
			a.live = append(a.live, id)
		}
	}
	return a, rows.Err()
}

// insert makes room and inserts. There may be many to end where the limit was lowered.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, n googlesession.NewSession, a admission, limit int) error {
	for ids := range slices.Chunk(a.live[min(len(a.live), limit-1):], evictRows) {
		args := make([]any, evictRows)
		for i := range args {
			args[i] = ids[min(i, len(ids)-1)]
		}
		if _, err := tx.ExecContext(ctx, s.sql.evict, args...); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, s.sql.insert, n.Ref.ID[:], n.Ref.Tag[:], n.User.ID,
		a.now, a.now+n.MaxLifetime.Milliseconds(), n.IdleTimeout.Milliseconds(), a.now, contract.EncodeDevice(n.Device))
	return err
}

// newSession is what the row will say.
func newSession(n googlesession.NewSession, a admission) googlesession.Session {
	now := instant(a.now)
	ends := min(n.MaxLifetime, n.IdleTimeout).Truncate(time.Millisecond)
	return googlesession.Session{
		Ref: n.Ref, User: a.user.user(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(ends), Device: n.Device,
	}
}
