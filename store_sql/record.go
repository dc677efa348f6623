package sqlstore

import (
	"context"
	"database/sql"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// recordStatements are the statements that read and write a user's row inside a
// transaction.
type recordStatements struct{ upsertUser, selectRecord, updateUser, revokeStale string }

func newRecordStatements(e *expander) recordStatements {
	return recordStatements{
		upsertUser: e.expand(`
INSERT INTO {users} (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, tokens_after_ms, data, data_ms, copy_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {now})
{on_conflict}, {renew}`),

		selectRecord: e.expand(`
SELECT {now}, u.ops, u.deleted_ms, u.copy_ms, {user_columns}
FROM {users} AS u
WHERE u.id = ? {durable}`),

		updateUser: e.expand(`
UPDATE {users}
SET email = ?, name = ?, picture = ?, admin = ?, disabled = ?, version = ?, created_ms = ?, seen_ms = ?, tokens_after_ms = ?,
data = ?, data_ms = ?, browsers = CASE WHEN ? THEN NULL ELSE browsers END, deleted_ms = ?, copy_ms = ?
WHERE id = ?`),

		revokeStale: e.expand(`
UPDATE {sessions} {use_live_index}
SET revoked_ms = {now}, revoked_by = {by_token}
WHERE user_id = ? AND revoked_ms IS NULL AND token_ms <= ?`),
	}
}

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	return runWrite(ctx, s, "writing a user", func() (applied bool, err error) {
		if err := storekit.CheckUser(u); err != nil {
			return false, err
		}
		err = s.withUser(ctx, u.ID, lane.Disable, func(tx *sql.Tx) (err error) {
			applied, err = s.applyRecord(ctx, tx, u)
			return err
		})
		return applied, err
	})
}

// applyRecord locks the user, writes u if u is newer than the stored record, and reports
// whether it has written u. A user of this store remains a user of this store, and a
// deleted user remains deleted. A user without a row becomes a copy of a record of
// another system.
func (s *Store) applyRecord(ctx context.Context, tx *sql.Tx, u googlesession.User) (bool, error) {
	data, dataFor := dataColumns(u)
	_, err := tx.ExecContext(ctx, s.sql.upsertUser, u.ID, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, u.Version,
		u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli(), storekit.TokenUnixMilli(u.TokensAfter), data, dataFor)
	if err != nil {
		return false, err
	}
	rec, err := s.readRecord(ctx, tx, u.ID)
	if err != nil || rec.isNew() {
		return rec.isNew(), err
	}
	if u.Version <= rec.user.version.Int64 {
		return false, nil
	}
	if after := rec.user.user().TokensAfter; rec.deletedAt.Valid && after.After(u.TokensAfter) {
		u.TokensAfter = after // SignIn refuses tokens from before the deletion, whatever record PutUser receives.
	}
	return true, s.updateUser(ctx, tx, rec, u)
}

// A record is a user's row inside a transaction that has locked it.
type record struct {
	now     int64 // The server's clock in Unix milliseconds.
	changes int64 // The value of the column ops, which counts the transactions that have locked the row since its insertion.
	user    userRow

	// deletedAt is not NULL if the user was deleted, or if RefuseTokens was called before
	// the user's first sign-in. The row is kept until SignInWindow after this time.
	deletedAt sql.NullInt64

	// copiedAt is not NULL if the row is a copy of a record of another system. The row is
	// kept until SignInWindow after this time.
	copiedAt sql.NullInt64
}

// isNew reports whether the transaction that has read r inserted the row.
func (r *record) isNew() bool { return r.changes == 0 }

// isUser reports whether the row is a user of this store, and not a deleted user or a
// copy.
func (r *record) isUser() bool { return !r.deletedAt.Valid && !r.copiedAt.Valid }

// nextVersion returns the version of the user's next record.
func (r *record) nextVersion() (int64, error) {
	return storekit.NextVersion(r.user.version.Int64, r.now)
}

// markDeleted makes r the row of a deleted user, which is kept for TokenWindow from now
// on. It sets deletedAt to a time in the future, because Purge removes the row
// SignInWindow after that time.
func (r *record) markDeleted() {
	at := r.now + (googlesession.TokenWindow - googlesession.SignInWindow).Milliseconds()
	r.deletedAt = sql.NullInt64{Int64: max(at, r.deletedAt.Int64, r.copiedAt.Int64), Valid: true}
	r.copiedAt = sql.NullInt64{}
}

func (s *Store) readRecord(ctx context.Context, tx *sql.Tx, id string) (r record, err error) {
	dest := []any{&r.now, &r.changes, &r.deletedAt, &r.copiedAt}
	err = tx.QueryRowContext(ctx, s.sql.selectRecord, id).Scan(append(dest, r.user.fields()...)...)
	return r, err
}

// dataColumns returns the values of the columns data and data_ms. Both are NULL if the user
// has no data.
func dataColumns(u googlesession.User) (data sql.NullString, dataFor sql.NullInt64) {
	has := u.Data != ""
	return sql.NullString{String: u.Data, Valid: has}, sql.NullInt64{Int64: u.CreatedAt.UnixMilli(), Valid: has}
}

// updateUser replaces the user's row with u, except for the browsers, which it only forgets
// if the user is deleted. If u is disabled, it ends all sessions of the user. If not, it ends
// the sessions whose tokens the new TokensAfter refuses.
func (s *Store) updateUser(ctx context.Context, tx *sql.Tx, rec record, u googlesession.User) error {
	after := storekit.TokenUnixMilli(u.TokensAfter)
	switch {
	case u.Disabled:
		if _, err := s.endSessionsOf(ctx, tx, u.ID, [32]byte{}); err != nil {
			return err
		}
	case after > rec.user.tokensAfter.Int64:
		if _, err := tx.ExecContext(ctx, s.sql.revokeStale, u.ID, after); err != nil {
			return err
		}
	}
	data, dataFor := dataColumns(u)
	_, err := tx.ExecContext(ctx, s.sql.updateUser, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, u.Version,
		u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli(), after, data, dataFor, rec.deletedAt.Valid, rec.deletedAt, rec.copiedAt, u.ID)
	return err
}
