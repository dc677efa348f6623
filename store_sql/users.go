package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// userStatements are the statements of SignIn and User.
type userStatements struct{ upsertSignIn, selectUser string }

func newUserStatements(e *expander) userStatements {
	return userStatements{
		// The subquery t of upsertSignIn reads the clock once, because a clock can move on
		// within a statement. SQLite's grammar needs the WHERE before its ON CONFLICT.
		upsertSignIn: e.expand(`
INSERT INTO {users} (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT ?, ?, ?, ?, FALSE, FALSE, t.ms, t.ms, t.ms
FROM (SELECT {now} AS ms) AS t
WHERE TRUE
{on_conflict}`),

		// selectUser returns a row even if the user does not exist, because the row says
		// whether the server is a standby.
		selectUser: e.expand(`
SELECT {standby}, {user_columns}
FROM (SELECT 1 AS x) AS always
LEFT JOIN {users} AS u ON u.id = ? AND u.deleted_ms IS NULL AND u.copy_ms IS NULL`),
	}
}

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	return runWrite(ctx, s, "signing a user in", func() (googlesession.User, error) { return s.recordSignIn(ctx, id) })
}

func (s *Store) recordSignIn(ctx context.Context, id googlesession.Identity) (user googlesession.User, err error) {
	if err := storekit.CheckIdentity(id); err != nil {
		return user, err
	}
	err = s.withUser(ctx, id.Subject, lane.SignIn, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql.upsertSignIn, id.Subject, id.Email, id.Name, id.Picture); err != nil {
			return err
		}
		rec, err := s.readRecord(ctx, tx, id.Subject)
		if err != nil {
			return err
		}
		user = rec.user.user()
		switch {
		case rec.isNew() || user.Disabled && rec.isUser():
			return nil
		case storekit.IsStaleToken(id.IssuedAt, user):
			return googlesession.ErrStaleToken
		}
		given := googlesession.User{
			ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture,
			CreatedAt: fromUnixMilli(rec.now), SeenAt: fromUnixMilli(rec.now), TokensAfter: user.TokensAfter,
		}
		if given.Version, err = rec.nextVersion(); err != nil {
			return err
		}
		// Only a user of this store keeps CreatedAt, Admin and Data. The row of a deleted user,
		// or of a copy, keeps TokensAfter only.
		if rec.isUser() {
			given.SeenAt = fromUnixMilli(max(rec.now, user.CreatedAt.UnixMilli()+1))
			given.CreatedAt, given.Admin, given.Data = user.CreatedAt, user.Admin, user.Data
		}
		user = given
		rec.deletedAt, rec.copiedAt = sql.NullInt64{}, sql.NullInt64{}
		return s.updateUser(ctx, tx, rec, user)
	})
	return user, err
}

// User implements [googlesession.UserStore].
func (s *Store) User(ctx context.Context, id string) (googlesession.User, error) {
	return runRead(ctx, s, "reading a user", func() (googlesession.User, error) {
		if _, err := s.ready(ctx); err != nil {
			return googlesession.User{}, err
		}
		if !storekit.ValidUserID(id) {
			return googlesession.User{}, googlesession.ErrNotFound
		}
		return runSingle(ctx, s, func(run runner) (googlesession.User, error) { return s.readUser(ctx, run, id) })
	})
}

func (s *Store) readUser(ctx context.Context, run runner, id string) (user googlesession.User, err error) {
	var (
		standby bool
		row     userRow
	)
	err = run.QueryRowContext(ctx, s.sql.selectUser, id).Scan(append([]any{&standby}, row.fields()...)...)
	switch {
	case err != nil:
		return user, err
	case standby:
		return user, errStandby
	case !row.id.Valid:
		return user, googlesession.ErrNotFound
	}
	return row.user(), nil
}
