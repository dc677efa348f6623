package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// accessStatements are the statements of SetAccess, RefuseTokens and DeleteUser.
type accessStatements struct{ upsertRefused, lockAdmins, hasOtherAdmin string }

func newAccessStatements(e *expander) accessStatements {
	return accessStatements{
		// If the user has no row, upsertRefused inserts one that is marked as deleted, so
		// that TokensAfter is remembered. Otherwise it only locks the row.
		upsertRefused: e.expand(`
INSERT INTO {users} (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, deleted_ms)
SELECT ?, '', '', '', FALSE, TRUE, 1, t.ms, t.ms, t.ms
FROM (SELECT {now} AS ms) AS t
WHERE TRUE
{on_conflict}`),

		// lockAdmins locks a row of the table of versions. The row always exists, and no
		// other statement locks it.
		lockAdmins: e.expand(`
SELECT version
FROM {schema}
ORDER BY version
LIMIT 1
FOR UPDATE`),

		hasOtherAdmin: e.expand(`
SELECT EXISTS (SELECT 1 FROM {users} WHERE admin = TRUE AND disabled = FALSE AND {is_user} AND id <> ?)`),
	}
}

// SetAccess implements [googlesession.UserStore].
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	// The two values are copied, because the work may outlive the call, and the caller may
	// then change them.
	if a.Admin != nil {
		a.Admin = new(*a.Admin)
	}
	if a.Disabled != nil {
		a.Disabled = new(*a.Disabled)
	}
	return runWrite(ctx, s, "setting a user's access", func() (googlesession.User, error) { return s.updateAccess(ctx, id, a) })
}

func (s *Store) updateAccess(ctx context.Context, id string, a googlesession.AccessChange) (user googlesession.User, err error) {
	err = s.withLockedUser(ctx, id, func(tx *sql.Tx, rec record) (err error) {
		old := rec.user.user()
		user = old
		if a.Admin != nil {
			user.Admin = *a.Admin
		}
		if a.Disabled != nil {
			user.Disabled = *a.Disabled
		}
		if user == old {
			return nil
		}
		if user.Version, err = rec.nextVersion(); err != nil {
			return err
		}
		return s.updateKeepingAdmin(ctx, tx, rec, user)
	})
	return user, err
}

// RefuseTokens implements [googlesession.UserStore].
func (s *Store) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	return runWrite(ctx, s, "refusing a user's tokens", func() (googlesession.User, error) { return s.updateTokensAfter(ctx, id, t) })
}

func (s *Store) updateTokensAfter(ctx context.Context, id string, t time.Time) (user googlesession.User, err error) {
	if err := storekit.CheckTokenTime(t); err != nil {
		return user, err
	}
	if !storekit.ValidUserID(id) {
		_, err := s.ready(ctx)
		return user, cmp.Or(err, googlesession.ErrNotFound)
	}
	err = s.withUser(ctx, id, lane.Disable, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql.upsertRefused, id); err != nil {
			return err
		}
		rec, err := s.readRecord(ctx, tx, id)
		if err != nil {
			return err
		}
		if rec.isNew() {
			rec.user.version.Int64 = 0 // The user had no record before this call.
		}
		user = rec.user.user()
		after := storekit.TokenTime(storekit.TokenUnixMilli(t))
		switch {
		case after.After(user.TokensAfter):
			user.TokensAfter = after
			if user.Version, err = rec.nextVersion(); err != nil {
				return err
			}
		case rec.isNew():
			// The transaction has inserted a row for an unknown user, to keep the new TokensAfter.
			// A zero TokensAfter refuses no token, so the error rolls the insertion back.
			return googlesession.ErrNotFound
		case rec.isUser():
			return nil
		}
		if rec.isUser() {
			return s.updateUser(ctx, tx, rec, user)
		}
		rec.markDeleted()
		return cmp.Or[error](s.updateUser(ctx, tx, rec, user), errNotFound)
	})
	return user, err
}

// DeleteUser implements [googlesession.UserStore]. It keeps a disabled record without a
// profile for [googlesession.TokenWindow]. So neither a sign-in that had begun before the
// call nor a token issued before it can bring the user back.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	_, err := runWrite(ctx, s, "deleting a user", func() (none struct{}, err error) {
		return none, s.withLockedUser(ctx, id, func(tx *sql.Tx, rec record) error {
			version, err := rec.nextVersion()
			if err != nil {
				return err
			}
			bare := googlesession.User{
				ID: id, Disabled: true, Version: version, CreatedAt: fromUnixMilli(rec.now), SeenAt: fromUnixMilli(rec.now),
				TokensAfter: fromUnixMilli(max(rec.now, rec.user.tokensAfter.Int64)),
			}
			rec.markDeleted()
			return s.updateKeepingAdmin(ctx, tx, rec, bare)
		})
	})
	return err
}

// withLockedUser locks the row of a user of this store and runs f in the same
// transaction. It returns errNotFound if this store has no such user.
func (s *Store) withLockedUser(ctx context.Context, id string, f func(*sql.Tx, record) error) error {
	id = safeUserID(id)
	return s.withUser(ctx, id, lane.Disable, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, s.sql.lockUser, id))
		if err != nil {
			return err
		}
		if n == 0 {
			if err := s.waitDurable(ctx, tx); err != nil {
				return err
			}
			return errNotFound
		}
		rec, err := s.readRecord(ctx, tx, id)
		if err != nil {
			return err
		}
		if !rec.isUser() {
			return errNotFound
		}
		return f(tx, rec)
	})
}

// errNotFound is ErrNotFound from a transaction that is committed and not rolled back.
// The commit makes sure that an earlier deletion of the user is durable, because the call
// that deleted the user may not have learned that.
var errNotFound = committedError{googlesession.ErrNotFound}

// updateKeepingAdmin replaces the user's row. It returns ErrLastAdmin if no enabled
// administrator would be left.
func (s *Store) updateKeepingAdmin(ctx context.Context, tx *sql.Tx, rec record, user googlesession.User) error {
	if isAdmin(rec.user.user()) && !isAdmin(user) {
		if err := s.lockAdmins(ctx, tx); err != nil {
			return err
		}
		var other bool
		if err := tx.QueryRowContext(ctx, s.sql.hasOtherAdmin, user.ID).Scan(&other); err != nil {
			return err
		}
		if !other {
			return googlesession.ErrLastAdmin
		}
	}
	return s.updateUser(ctx, tx, rec, user)
}

// lockAdmins lets one transaction at a time take away an administrator's rights, so that
// a later transaction sees the changes of an earlier one. A transaction that has the lock
// does not lock another user afterwards, so two transactions cannot wait for each other.
func (s *Store) lockAdmins(ctx context.Context, tx *sql.Tx) error {
	if s.dialect.oneWriter {
		return nil
	}
	var version int
	return tx.QueryRowContext(ctx, s.sql.lockAdmins).Scan(&version)
}

func isAdmin(u googlesession.User) bool { return u.Admin && !u.Disabled }
