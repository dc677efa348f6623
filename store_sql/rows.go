package sqlstore

import (
	"database/sql"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// A sessionRow is one row of a statement that reads sessions with their user. The column now
// is the server's clock. The statements make it NULL on a standby, whose answers the store
// refuses. If there is no session, the statement confirmAbsent still returns a row with the
// clock, and with NULL in the columns of the session.
type sessionRow struct {
	now, created, abs, idle, seen, revokedBy, token, kind sql.NullInt64

	publicID []byte // It is nil if the PublicID is that of the Ref.
	binding  []byte // It is nil if the session is not bound.
	user     userRow

	fields [21]any // It holds pointers to all columns, in the order in which the statements select them.
}

// newRow returns a row into which the caller can scan several times. The caller must not
// use the row after freeRow, because another call may use it then.
func (s *Store) newRow() *sessionRow {
	if r, ok := s.rows.Get().(*sessionRow); ok {
		return r
	}
	r := new(sessionRow)
	own := []any{&r.now, &r.created, &r.abs, &r.idle, &r.seen, &r.revokedBy, &r.token, &r.kind, &r.publicID, &r.binding}
	r.fields = [21]any(append(own, r.user.fields()...))
	return r
}

func (s *Store) freeRow(r *sessionRow) {
	*r = sessionRow{fields: r.fields}
	s.rows.Put(r)
}

// expiresAt returns when the session expires unless it is used, in Unix milliseconds.
func (r *sessionRow) expiresAt() int64 { return min(r.abs.Int64, r.seen.Int64+r.idle.Int64) }

// isLive reports whether the session has not expired. The result is also true if the
// clock has stepped back to a time before the last use, because the session was live
// then.
func (r *sessionRow) isLive() bool { return r.now.Int64 < r.expiresAt() }

// hasRefusedToken reports whether the user's TokensAfter has ended the session. Only
// processes of version 1, which do not know TokensAfter, do not mark such a session as
// ended.
func (r *sessionRow) hasRefusedToken() bool {
	after := r.user.tokensAfter.Int64
	return after != 0 && r.token.Int64 <= after
}

func (r *sessionRow) session(ref googlesession.Ref) googlesession.Session {
	publicID := ref.PublicID()
	if r.publicID != nil {
		copy(publicID[:], r.publicID)
	}
	return googlesession.Session{
		Ref: ref, User: r.user.user(), Kind: googlesession.SessionKind(r.kind.Int64), PublicID: publicID, Binding: string(r.binding), //nolint:gosec // Each process writes a byte.
		CreatedAt: fromUnixMilli(r.created.Int64), SeenAt: fromUnixMilli(r.seen.Int64), ExpiresAt: fromUnixMilli(r.expiresAt()),
		TokenIssuedAt: storekit.TokenTime(r.token.Int64),
	}
}

// A userRow holds the columns of a user. All are NULL if there is no such user.
type userRow struct {
	id, email, name, picture sql.NullString
	admin, disabled          sql.NullBool
	version, created, seen   sql.NullInt64
	tokensAfter              sql.NullInt64
	data                     sql.NullString
}

// fields returns pointers to the columns, in the order of userColumns.
func (r *userRow) fields() []any {
	return []any{&r.id, &r.email, &r.name, &r.picture, &r.admin, &r.disabled, &r.version, &r.created, &r.seen, &r.tokensAfter, &r.data}
}

func (r *userRow) user() googlesession.User {
	return googlesession.User{
		ID: r.id.String, Email: r.email.String, Name: r.name.String, Picture: r.picture.String,
		Admin: r.admin.Bool, Disabled: r.disabled.Bool, Version: r.version.Int64, Data: r.data.String,
		CreatedAt: fromUnixMilli(r.created.Int64), SeenAt: fromUnixMilli(r.seen.Int64),
		TokensAfter: storekit.TokenTime(r.tokensAfter.Int64),
	}
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
