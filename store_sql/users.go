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

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	return act(ctx, s, "signing a user in", func() (googlesession.User, error) { return s.signIn(ctx, id) })
}

func (s *Store) signIn(ctx context.Context, id googlesession.Identity) (user googlesession.User, err error) {
	if err := storekit.CheckIdentity(id); err != nil {
		return user, err
	}
	err = s.change(ctx, id.Subject, lane.SignIn, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql.signIn, id.Subject, id.Email, id.Name, id.Picture); err != nil {
			return err
		}
		rec, err := s.read(ctx, tx, id.Subject)
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
		if rec.isUser() { // nothing else comes back of a deleted user, or comes from PutUser
			given.CreatedAt, given.Admin = user.CreatedAt, user.Admin
		}
		user = given
		rec.deleted, rec.copied = number{}, number{}
		return s.write(ctx, tx, rec, user)
	})
	return user, err
}

// User implements [googlesession.UserStore].
func (s *Store) User(ctx context.Context, id string) (googlesession.User, error) {
	return ask(ctx, s, "reading a user", func() (googlesession.User, error) {
		if _, err := s.ready(ctx); err != nil {
			return googlesession.User{}, err
		}
		if !storekit.ValidUserID(id) {
			return googlesession.User{}, googlesession.ErrNotFound
		}
		return alone(ctx, s, func(run runner) (googlesession.User, error) { return s.user(ctx, run, id) })
	})
}

func (s *Store) user(ctx context.Context, run runner, id string) (user googlesession.User, err error) {
	var (
		standby bool
		row     userRow
	)
	err = run.QueryRowContext(ctx, s.sql.user, id).Scan(append([]any{&standby}, row.fields()...)...)
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

// Users implements [googlesession.UserStore].
func (s *Store) Users(ctx context.Context, after string, limit int) ([]googlesession.User, error) {
	return ask(ctx, s, "listing users", func() ([]googlesession.User, error) {
		if _, err := s.ready(ctx); err != nil {
			return nil, err
		}
		if limit <= 0 {
			return []googlesession.User{}, nil
		}
		return alone(ctx, s, func(run runner) ([]googlesession.User, error) { return s.page(ctx, run, after, limit) })
	})
}

func (s *Store) page(ctx context.Context, run runner, after string, limit int) ([]googlesession.User, error) {
	rows, err := run.QueryContext(ctx, s.sql.users, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	users := []googlesession.User{}
	for rows.Next() {
		var (
			standby bool
			row     userRow
		)
		if err := rows.Scan(append([]any{&standby}, row.fields()...)...); err != nil {
			return nil, err
		}
		if standby {
			return nil, errStandby
		}
		if row.id.Valid {
			users = append(users, row.user())
		}
	}
	return users, rows.Err()
}

// SetAccess implements [googlesession.UserStore].
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	// Copied, because the work may outlive the call.
	if a.Admin != nil {
		a.Admin = new(*a.Admin)
	}
	if a.Disabled != nil {
		a.Disabled = new(*a.Disabled)
	}
	return act(ctx, s, "setting a user's access", func() (googlesession.User, error) { return s.setAccess(ctx, id, a) })
}

func (s *Store) setAccess(ctx context.Context, id string, a googlesession.AccessChange) (user googlesession.User, err error) {
	err = s.changeUser(ctx, id, func(tx *sql.Tx, rec record) (err error) {
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
		return s.replace(ctx, tx, rec, user)
	})
	return user, err
}

// RefuseTokens implements [googlesession.UserStore].
func (s *Store) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	return act(ctx, s, "refusing a user's tokens", func() (googlesession.User, error) { return s.refuseTokens(ctx, id, t) })
}

func (s *Store) refuseTokens(ctx context.Context, id string, t time.Time) (user googlesession.User, err error) {
	if err := storekit.CheckTokenTime(t); err != nil {
		return user, err
	}
	if !storekit.ValidUserID(id) {
		_, err := s.ready(ctx)
		return user, cmp.Or(err, googlesession.ErrNotFound)
	}
	err = s.change(ctx, id, lane.Disable, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql.refuse, id); err != nil {
			return err
		}
		rec, err := s.read(ctx, tx, id)
		if err != nil {
			return err
		}
		if rec.isNew() {
			rec.user.version.Int64 = 0 // of no record that was ever told
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
			return googlesession.ErrNotFound // and nothing to remember
		case rec.isUser():
			return nil
		}
		if rec.isUser() {
			return s.write(ctx, tx, rec, user)
		}
		rec.remember()
		return cmp.Or[error](s.write(ctx, tx, rec, user), errNotFound)
	})
	return user, err
}

// DeleteUser implements [googlesession.UserStore]. What stays, for TokenWindow, is a
// disabled record without a profile, so that neither a sign-in in flight nor an earlier
// token brings the user back.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	_, err := act(ctx, s, "deleting a user", func() (none struct{}, err error) {
		return none, s.changeUser(ctx, id, func(tx *sql.Tx, rec record) error {
			version, err := rec.nextVersion()
			if err != nil {
				return err
			}
			bare := googlesession.User{
				ID: id, Disabled: true, Version: version, CreatedAt: fromUnixMilli(rec.now), SeenAt: fromUnixMilli(rec.now),
				TokensAfter: fromUnixMilli(max(rec.now, rec.user.tokensAfter.Int64)),
			}
			rec.remember()
			return s.replace(ctx, tx, rec, bare)
		})
	})
	return err
}

// changeUser runs f on a user of this store, who is locked.
func (s *Store) changeUser(ctx context.Context, id string, f func(*sql.Tx, record) error) error {
	if !storekit.ValidUserID(id) {
		id = "" // never a user's ID, and every database accepts it
	}
	return s.change(ctx, id, lane.Disable, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, s.sql.lock, id))
		if err != nil {
			return err
		}
		if n == 0 {
			if err := s.wait(ctx, tx); err != nil {
				return err
			}
			return errNotFound
		}
		rec, err := s.read(ctx, tx, id)
		if err != nil {
			return err
		}
		if !rec.isUser() {
			return errNotFound
		}
		return f(tx, rec)
	})
}

// replace writes a user, unless no enabled administrator would be left.
func (s *Store) replace(ctx context.Context, tx *sql.Tx, rec record, user googlesession.User) error {
	if isAdmin(rec.user.user()) && !isAdmin(user) {
		if err := s.lockDemotions(ctx, tx); err != nil {
			return err
		}
		var other bool
		if err := tx.QueryRowContext(ctx, s.sql.otherAdmin, user.ID).Scan(&other); err != nil {
			return err
		}
		if !other {
			return googlesession.ErrLastAdmin
		}
	}
	return s.write(ctx, tx, rec, user)
}

// lockDemotions makes those who take away an administrator's rights wait for each other,
// so that the later one sees what the earlier one did. Whoever has this lock asks for
// no user's lock any more, so that no two of them wait for each other.
func (s *Store) lockDemotions(ctx context.Context, tx *sql.Tx) error {
	if s.dialect.oneWriter {
		return nil
	}
	var version int
	return tx.QueryRowContext(ctx, s.sql.demotions).Scan(&version)
}

func isAdmin(u googlesession.User) bool { return u.Admin && !u.Disabled }
