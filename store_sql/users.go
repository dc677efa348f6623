package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
	"github.com/googlesession/googlesession/internal/lane"
)

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	return act(ctx, s, "signing a user in", func() (googlesession.User, error) { return s.signIn(ctx, id) })
}

func (s *Store) signIn(ctx context.Context, id googlesession.Identity) (user googlesession.User, err error) {
	if err := contract.CheckIdentity(id); err != nil {
		return user, err
	}
	given := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
	err = s.change(ctx, id.Subject, lane.SignIn, func(tx *sql.Tx) error {
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
	return ask(ctx, s, "reading a user", func() (googlesession.User, error) {
		if _, err := s.ready(ctx); err != nil {
			return googlesession.User{}, err
		}
		if !contract.IsUserID(id) {
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
		return alone(ctx, s, func(run runner) ([]googlesession.User, error) { return s.page(ctx, run, after, max(limit, 0)) })
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
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.Access) (googlesession.User, error) {
	// Copied, because the work may outlive the call.
	if a.Admin != nil {
		a.Admin = new(*a.Admin)
	}
	if a.Disabled != nil {
		a.Disabled = new(*a.Disabled)
	}
	return act(ctx, s, "setting a user's access", func() (googlesession.User, error) { return s.setAccess(ctx, id, a) })
}

func (s *Store) setAccess(ctx context.Context, id string, a googlesession.Access) (user googlesession.User, err error) {
	err = s.changeUser(ctx, id, func(tx *sql.Tx, rec record) error {
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
	return user, err
}

// DeleteUser implements [googlesession.UserStore]. What stays for a while is a
// disabled record without a profile, so that a sign-in in flight does not bring
// the user back.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	_, err := act(ctx, s, "deleting a user", func() (none struct{}, err error) {
		return none, s.changeUser(ctx, id, func(tx *sql.Tx, rec record) error {
			bare := googlesession.User{
				ID: id, Disabled: true, Version: rec.nextVersion(), CreatedAt: instant(rec.now), SeenAt: instant(rec.now),
			}
			return s.replace(ctx, tx, rec.user.user(), bare, &rec.now)
		})
	})
	return err
}

// changeUser runs f on a user that is locked and not deleted.
func (s *Store) changeUser(ctx context.Context, id string, f func(*sql.Tx, record) error) error {
	if !contract.IsUserID(id) {
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
			return notFound
		}
		rec, err := s.read(ctx, tx, id)
		if err != nil {
			return err
		}
		if rec.gone {
			return notFound
		}
		return f(tx, rec)
	})
}

// replace writes a user, unless no enabled administrator would be left.
func (s *Store) replace(ctx context.Context, tx *sql.Tx, old, user googlesession.User, deleted *int64) error {
	if isAdmin(old) && !isAdmin(user) {
		if err := s.lockDemotions(ctx, tx); err != nil {
			return err
		}
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

// RefuseTokens implements [googlesession.UserStore].
func (s *Store) RefuseTokens(context.Context, string, time.Time) (googlesession.User, error) {
	return googlesession.User{}, googlesession.ErrUnavailable // to be written
}
