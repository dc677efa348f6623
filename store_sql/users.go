package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
)

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	user, err := s.signIn(ctx, id)
	if err != nil {
		return googlesession.User{}, classify(ctx, "signing a user in", err)
	}
	return user, nil
}

func (s *Store) signIn(ctx context.Context, id googlesession.Identity) (user googlesession.User, err error) {
	if err := contract.CheckIdentity(id); err != nil {
		return user, err
	}
	given := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql.signIn, given.ID, given.Email, given.Name, given.Picture); err != nil {
			return err
		}
		rec, err := s.read(ctx, tx, given.ID)
		if err != nil {
			return err
		}
		user = rec.user.user()
		if rec.isNew() || user.Disabled && !rec.gone {
			return nil
		}
		given.CreatedAt, given.SeenAt, given.Version = instant(rec.now), instant(rec.now), rec.nextVersion()
		if !rec.gone { // of a deleted user nothing comes back
			given.CreatedAt, given.Admin = user.CreatedAt, user.Admin
		}
		user = given
		return s.write(ctx, tx, user, nil)
	})
	return user, err
}

// User implements [googlesession.UserStore].
func (s *Store) User(ctx context.Context, id string) (googlesession.User, error) {
	user, err := s.user(ctx, id)
	if err != nil {
		return googlesession.User{}, classify(ctx, "reading a user", err)
	}
	return user, nil
}

func (s *Store) user(ctx context.Context, id string) (user googlesession.User, err error) {
	if _, err := s.ready(ctx); err != nil {
		return user, err
	}
	if !contract.IsUserID(id) {
		return user, googlesession.ErrNotFound
	}
	var (
		standby bool
		row     userRow
	)
	err = s.db.QueryRowContext(ctx, s.sql.user, id).Scan(append([]any{&standby}, row.fields()...)...)
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
	users, err := s.page(ctx, after, max(limit, 0))
	if err != nil {
		return nil, classify(ctx, "listing users", err)
	}
	return users, nil
}

func (s *Store) page(ctx context.Context, after string, limit int) ([]googlesession.User, error) {
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, s.sql.users, after, limit)
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
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.Access) (user googlesession.User, err error) {
	demotes := a.Admin != nil && !*a.Admin || a.Disabled != nil && *a.Disabled
	err = s.changeUser(ctx, id, demotes, func(tx *sql.Tx, rec record) error {
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
		user.Version = rec.nextVersion()
		return s.replace(ctx, tx, old, user, nil)
	})
	if err != nil {
		return googlesession.User{}, classify(ctx, "setting a user's access", err)
	}
	return user, nil
}

// DeleteUser implements [googlesession.UserStore]. What stays for a while is a
// disabled record without a profile, so that a sign-in in flight does not bring
// the user back.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	err := s.changeUser(ctx, id, true, func(tx *sql.Tx, rec record) error {
		bare := googlesession.User{
			ID: id, Disabled: true, Version: rec.nextVersion(), CreatedAt: instant(rec.now), SeenAt: instant(rec.now),
		}
		return s.replace(ctx, tx, rec.user.user(), bare, &rec.now)
	})
	return classify(ctx, "deleting a user", err)
}

// errPromoted: the user became an administrator after the administrators were locked.
var errPromoted = errors.New("user was promoted meanwhile")

// changeUser runs f on a user that is locked and not deleted. If the change may take
// an administrator away, all of them are locked first.
func (s *Store) changeUser(ctx context.Context, id string, demotes bool, f func(*sql.Tx, record) error) error {
	if !contract.IsUserID(id) {
		id = "" // nobody's, and every database's
	}
	for {
		err := s.change(ctx, func(tx *sql.Tx) error {
			var admins []string
			if demotes && !s.dialect.oneWriter {
				var err error
				if admins, err = s.lockAdmins(ctx, tx); err != nil {
					return err
				}
			}
			n, err := affected(tx.ExecContext(ctx, s.sql.lock, id))
			if err != nil {
				return err
			}
			if n == 0 {
				return googlesession.ErrNotFound
			}
			rec, err := s.read(ctx, tx, id)
			if err != nil {
				return err
			}
			if demotes && !s.dialect.oneWriter && isAdmin(rec.user.user()) && !slices.Contains(admins, id) {
				return errPromoted
			}
			return f(tx, rec)
		})
		if !errors.Is(err, errPromoted) {
			return err
		}
	}
}

// lockAdmins returns the enabled administrators, whom nobody else can demote now.
func (s *Store) lockAdmins(ctx context.Context, tx *sql.Tx) (ids []string, err error) {
	rows, err := tx.QueryContext(ctx, s.sql.lockAdmins)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// replace writes a user, unless no enabled administrator would be left.
func (s *Store) replace(ctx context.Context, tx *sql.Tx, old, user googlesession.User, deleted *int64) error {
	if isAdmin(old) && !isAdmin(user) {
		var other bool
		if err := tx.QueryRowContext(ctx, s.sql.otherAdmin, old.ID).Scan(&other); err != nil {
			return err
		}
		if !other {
			return googlesession.ErrLastAdmin
		}
	}
	return s.write(ctx, tx, user, deleted)
}

func isAdmin(u googlesession.User) bool { return u.Admin && !u.Disabled }

// RefuseTokens implements [googlesession.UserStore].
func (s *Store) RefuseTokens(context.Context, string, time.Time) (googlesession.User, error) {
	return googlesession.User{}, googlesession.ErrUnavailable // to be written
}
