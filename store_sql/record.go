package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
	"github.com/googlesession/googlesession/internal/lane"
)

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	return act(ctx, s, "writing a user", func() (bool, error) { return s.put(ctx, u) })
}

func (s *Store) put(ctx context.Context, u googlesession.User) (applied bool, err error) {
	if err := contract.CheckUser(u); err != nil {
		return false, err
	}
	err = s.change(ctx, u.ID, lane.Disable, func(tx *sql.Tx) (err error) {
		applied, err = s.apply(ctx, tx, u)
		return err
	})
	return applied, err
}

// apply locks the user and writes u if it is newer; a disabled one ends the user's
// sessions.
func (s *Store) apply(ctx context.Context, tx *sql.Tx, u googlesession.User) (bool, error) {
	_, err := tx.ExecContext(ctx, s.sql.put, u.ID, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, u.Version,
		u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli())
	if err != nil {
		return false, err
	}
	rec, err := s.read(ctx, tx, u.ID)
	if err != nil || rec.isNew() {
		return rec.isNew(), err
	}
	if u.Version <= rec.user.version.Int64 {
		return false, nil
	}
	return true, s.write(ctx, tx, u, nil)
}

// A record is a user's row inside a transaction that has locked it.
type record struct {
	now  int64
	ops  int64
	gone bool // deleted
	user userRow
}

// isNew reports whether this transaction inserted it.
func (r *record) isNew() bool { return r.ops == 0 }

// nextVersion belongs to the next state of the record.
func (r *record) nextVersion() int64 { return max(r.user.version.Int64+1, r.now) }

func (s *Store) read(ctx context.Context, tx *sql.Tx, id string) (r record, err error) {
	err = tx.QueryRowContext(ctx, s.sql.read, id).Scan(append([]any{&r.now, &r.ops, &r.gone}, r.user.fields()...)...)
	return r, err
}

// write replaces the user's row, and ends the sessions of one that is disabled.
func (s *Store) write(ctx context.Context, tx *sql.Tx, u googlesession.User, deleted *int64) error {
	if u.Disabled {
		if _, err := s.end(ctx, tx, u.ID, [32]byte{}); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, s.sql.write, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, u.Version,
		u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli(), deleted, u.ID)
	return err
}

// A userRow holds the columns of a user, all NULL if there is none.
type userRow struct {
	id, email, name, picture text
	admin, disabled          flag
	version, created, seen   number
}

// fields are in the order of userColumns.
func (r *userRow) fields() []any {
	return []any{&r.id, &r.email, &r.name, &r.picture, &r.admin, &r.disabled, &r.version, &r.created, &r.seen}
}

func (r *userRow) user() googlesession.User {
	return googlesession.User{
		ID: r.id.String, Email: r.email.String, Name: r.name.String, Picture: r.picture.String,
		Admin: r.admin.Bool, Disabled: r.disabled.Bool, Version: r.version.Int64,
		CreatedAt: instant(r.created.Int64), SeenAt: instant(r.seen.Int64),
	}
}
