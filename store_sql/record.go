package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	return act(ctx, s, "writing a user", func() (bool, error) { return s.put(ctx, u) })
}

func (s *Store) put(ctx context.Context, u googlesession.User) (applied bool, err error) {
	if err := storekit.CheckUser(u); err != nil {
		return false, err
	}
	err = s.change(ctx, u.ID, lane.Disable, func(tx *sql.Tx) (err error) {
		applied, err = s.apply(ctx, tx, u)
		return err
	})
	return applied, err
}

// apply locks the user and writes u if it is newer. A user of this store stays one, and a
// deleted one stays deleted, with u for a record; anybody else is a copy.
func (s *Store) apply(ctx context.Context, tx *sql.Tx, u googlesession.User) (bool, error) {
	_, err := tx.ExecContext(ctx, s.sql.put, u.ID, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, u.Version,
		u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli(), storekit.TokenUnixMilli(u.TokensAfter))
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
	if after := rec.user.user().TokensAfter; rec.deleted.Valid && after.After(u.TokensAfter) {
		u.TokensAfter = after // SignIn goes by it, whatever PutUser brings
	}
	return true, s.write(ctx, tx, rec, u)
}

// A record is a user's row inside a transaction that has locked it.
type record struct {
	now  int64
	ops  int64
	user userRow

	deleted number // set: the user was deleted, or never there; kept until a while after it
	copied  number // set: the truth about the user is elsewhere; likewise
}

// isNew reports whether this transaction inserted it.
func (r *record) isNew() bool { return r.ops == 0 }

// isUser reports whether it is a user of this store.
func (r *record) isUser() bool { return !r.deleted.Valid && !r.copied.Valid }

// nextVersion belongs to the next state of the record.
func (r *record) nextVersion() (int64, error) {
	return storekit.NextVersion(r.user.version.Int64, r.now)
}

// remember has a record that is not a user's kept for TokenWindow from now on. Purge adds
// SignInWindow to what the columns say.
func (r *record) remember() {
	until := r.now + (googlesession.TokenWindow - googlesession.SignInWindow).Milliseconds()
	r.deleted.Int64, r.deleted.Valid = max(until, r.deleted.Int64, r.copied.Int64), true
	r.copied = number{}
}

func (s *Store) read(ctx context.Context, tx *sql.Tx, id string) (r record, err error) {
	dest := []any{&r.now, &r.ops, &r.deleted, &r.copied}
	err = tx.QueryRowContext(ctx, s.sql.read, id).Scan(append(dest, r.user.fields()...)...)
	return r, err
}

// write replaces the user's row. It ends the sessions of a user who is disabled, and
// those of tokens that are refused from now on.
func (s *Store) write(ctx context.Context, tx *sql.Tx, rec record, u googlesession.User) error {
	after := storekit.TokenUnixMilli(u.TokensAfter)
	switch {
	case u.Disabled:
		if _, err := s.end(ctx, tx, u.ID, [32]byte{}); err != nil {
			return err
		}
	case after > rec.user.tokensAfter.Int64:
		if _, err := tx.ExecContext(ctx, s.sql.endStale, u.ID, after); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, s.sql.write, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, u.Version,
		u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli(), after, rec.deleted.NullInt64, rec.copied.NullInt64, u.ID)
	return err
}

// A userRow holds the columns of a user, all NULL if there is none.
type userRow struct {
	id, email, name, picture text
	admin, disabled          flag
	version, created, seen   number
	tokensAfter              number
}

// fields are in the order of userColumns.
func (r *userRow) fields() []any {
	return []any{&r.id, &r.email, &r.name, &r.picture, &r.admin, &r.disabled, &r.version, &r.created, &r.seen, &r.tokensAfter}
}

func (r *userRow) user() googlesession.User {
	return googlesession.User{
		ID: r.id.String, Email: r.email.String, Name: r.name.String, Picture: r.picture.String,
		Admin: r.admin.Bool, Disabled: r.disabled.Bool, Version: r.version.Int64,
		CreatedAt: fromUnixMilli(r.created.Int64), SeenAt: fromUnixMilli(r.seen.Int64),
		TokensAfter: storekit.TokenTime(r.tokensAfter.Int64),
	}
}
