package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// RevokeSession implements [googlesession.SessionStore].
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	return act(ctx, s, "revoking a session", func() (bool, error) { return s.revoke(ctx, r) })
}

func (s *Store) revoke(ctx context.Context, r googlesession.Ref) (bool, error) {
	p, err := s.ready(ctx)
	if err != nil {
		return false, err
	}
	if s.dialect.proves {
		return alone(ctx, s, func(run runner) (bool, error) { return s.revokeProven(ctx, p.revoke.on(run), r) })
	}
	n, err := s.exec(ctx, p.revoke, r.ID[:], r.Tag[:])
	if err != nil || n > 0 || s.dialect.local { // what SQLite shows is durable
		return n > 0, err
	}
	return false, s.endedBefore(ctx, r)
}

// revokeProven is one statement that returns a row in any case. If it finds the session
// ended, it waits until that is durable.
func (s *Store) revokeProven(ctx context.Context, revoke statement, r googlesession.Ref) (bool, error) {
	var (
		p      proof
		ended  int
		waited bool
	)
	err := revoke.queryRow(ctx, r.ID[:], r.Tag[:], r.ID[:], r.ID[:], r.Tag[:]).Scan(append(p.fields(), &ended, &waited)...)
	return ended > 0, p.check(err, s.opts.Prefix+"revoke", r)
}

// endedBefore returns when the end of the session is durable. An earlier call may have
// ended it without having heard of that, and MySQL shows a change before it is on disk or
// on a replica. An update that changes nothing waits for neither, so this one counts the
// user's transactions up.
func (s *Store) endedBefore(ctx context.Context, r googlesession.Ref) error {
	var (
		standby bool
		owner   text
	)
	err := s.db.QueryRowContext(ctx, s.sql.owner, r.ID[:], r.Tag[:]).Scan(&standby, &owner)
	switch {
	case err != nil:
		return err
	case standby:
		return errStandby
	case !owner.Valid: // there is no such session
		return nil
	}
	return s.change(ctx, owner.String, lane.Revoke, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.sql.lock, owner.String)
		return err
	})
}

// RevokeUser implements [googlesession.SessionStore].
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	var kept [32]byte // of no session: SHA-256 is not known to give 0
	if keep != nil && keep.Tag == googlesession.UserTag(userID) {
		kept = keep.ID
	}
	if !storekit.ValidUserID(userID) {
		userID = "" // never a user's ID, and every database accepts it
	}
	ended, err := act(ctx, s, "revoking a user's sessions", func() (ended int64, err error) {
		err = s.change(ctx, userID, lane.Revoke, func(tx *sql.Tx) (err error) {
			n, err := affected(tx.ExecContext(ctx, s.sql.lock, userID))
			if err != nil {
				return err
			}
			if n == 0 {
				return s.wait(ctx, tx)
			}
			ended, err = s.end(ctx, tx, userID, kept)
			return err
		})
		return ended, err
	})
	return int(ended), err
}

// restRows is how many expired sessions are marked, of those that were not marked yet. A
// sign-in marks its user's, so there are few.
const restRows = 1000

// end ends all sessions of a user but one and returns how many were live. The user
// is locked.
func (s *Store) end(ctx context.Context, tx *sql.Tx, userID string, kept [32]byte) (int64, error) {
	live, err := affected(tx.ExecContext(ctx, s.sql.endLive, userID, kept[:]))
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, s.sql.endRest, userID, kept[:], restRows)
	return live, err
}
