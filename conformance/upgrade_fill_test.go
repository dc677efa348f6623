package conformance_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A filling is what tables hold before an upgrade. Session i belongs to user i % users.
type filling struct {
	users, sessions int
	at              int64 // when it was inserted, in Unix milliseconds
}

func (*filling) userID(u int) string { return fmt.Sprintf("old-%d", u) }

func (f *filling) ref(i int) googlesession.Ref {
	return googlesession.Ref{ID: sha256.Sum256(fmt.Appendf(nil, "s%d", i)), Tag: googlesession.UserTag(f.userID(i % f.users))}
}

// isLive says whether session i was live. One user in ten was disabled, and of each seven
// sessions one was revoked, one has reached its absolute end and one its idle timeout.
func (f *filling) isLive(i int) bool {
	kind := i % 7
	return i%f.users%10 != 9 && kind != 4 && kind != 5 && kind != 6
}

// insert inserts the rows with the columns of version 1, which every version has.
func (f *filling) insert(tb testing.TB, s sqlServer, prefix string) {
	tb.Helper()
	f.at = time.Now().UnixMilli()
	db := s.open(tb)
	if s.dialect == sqlstore.SQLite {
		f.insertRows(tb, db, prefix) // because SQLite has no function for SHA-256
		return
	}
	text, user, id, tag := "CONCAT('old-', i)", "CONCAT('old-', i %% %[2]d)", "sha256(CONCAT('s', i)::bytea)",
		`substr(sha256('\x67732d7461672f3100'::bytea || convert_to(%[3]s, 'UTF8')), 1, 12)`
	if s.dialect == sqlstore.MySQL {
		id, tag = "UNHEX(SHA2(CONCAT('s', i), 256))", "SUBSTR(UNHEX(SHA2(CONCAT('gs-tag/1', CHAR(0), %[3]s), 256)), 1, 12)"
	}
	user = fmt.Sprintf(user, 0, f.users)
	execute(tb, db, fmt.Sprintf(`
INSERT INTO %susers (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT %s, 'a@example.com', 'A', '', 1 = 0, i %% 10 = 9, 1, %d, %[3]d FROM %[4]s`, prefix, text, f.at, s.numbers(f.users)))
	execute(tb, db, fmt.Sprintf(`
INSERT INTO %[1]ssessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, revoked_ms, revoked_by, device)
SELECT %[4]s, `+tag+`, %[3]s, %[5]d, %[5]d + CASE WHEN i %% 7 = 5 THEN -1000 ELSE 3600000 END, 3600000, %[5]d - CASE WHEN i %% 7 = 6 THEN 3601000 ELSE 0 END,
CASE WHEN i %% 7 = 4 THEN %[5]d END, CASE WHEN i %% 7 = 4 THEN 1 ELSE 0 END, NULL FROM %[6]s`,
		prefix, f.users, user, id, f.at, s.numbers(f.sessions)))
}

func (f *filling) insertRows(tb testing.TB, db *sql.DB, prefix string) {
	tb.Helper()
	tx, err := db.BeginTx(tb.Context(), nil)
	require.NoError(tb, err)
	users, err := tx.PrepareContext(tb.Context(), fmt.Sprintf(`
INSERT INTO %susers (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
VALUES (?, 'a@example.com', 'A', '', 0, ?, 1, ?, ?)`, prefix))
	require.NoError(tb, err)
	defer func() { _ = users.Close() }()
	for u := range f.users {
		_, err := users.ExecContext(tb.Context(), f.userID(u), u%10 == 9, f.at, f.at)
		require.NoError(tb, err)
	}
	sessions, err := tx.PrepareContext(tb.Context(), fmt.Sprintf(`
INSERT INTO %ssessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, revoked_ms, revoked_by)
VALUES (?, ?, ?, ?, ?, 3600000, ?, ?, ?)`, prefix))
	require.NoError(tb, err)
	defer func() { _ = sessions.Close() }()
	for i := range f.sessions {
		ref, end, seen, revoked, by := f.ref(i), f.at+3_600_000, f.at, sql.NullInt64{}, 0
		switch i % 7 {
		case 4:
			revoked, by = sql.NullInt64{Int64: f.at, Valid: true}, 1
		case 5:
			end = f.at - 1000
		case 6:
			seen -= 3_601_000
		}
		_, err := sessions.ExecContext(tb.Context(), ref.ID[:], ref.Tag[:], f.userID(i%f.users), f.at, end, seen, revoked, by)
		require.NoError(tb, err)
	}
	require.NoError(tb, tx.Commit())
}

// requireKept expects that every row is still there, and that its session is live if it was
// and ended says nothing else. A session whose time was over may be marked as expired now.
func (f *filling) requireKept(t *testing.T, s sqlServer, prefix string, ended map[int]bool) {
	t.Helper()
	index := make(map[[32]byte]int, f.sessions)
	for i := range f.sessions {
		index[f.ref(i).ID] = i
	}
	rows, err := s.open(t).QueryContext(t.Context(), `
SELECT s.id, s.tag, s.user_id, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, u.disabled
FROM `+prefix+`sessions AS s
JOIN `+prefix+`users AS u ON u.id = s.user_id
WHERE u.id LIKE 'old-%'`)
	require.NoError(t, err)
	defer rows.Close()
	now := time.Now().UnixMilli()
	for rows.Next() {
		var (
			id, tag                             []byte
			user                                string
			created, end, idle, seen, revokedBy int64
			disabled                            bool
		)
		require.NoError(t, rows.Scan(&id, &tag, &user, &created, &end, &idle, &seen, &revokedBy, &disabled))
		i, known := index[[32]byte(id)]
		require.True(t, known)
		delete(index, [32]byte(id))
		live := revokedBy == 0 && now < end && now < seen+idle && !disabled
		if live != (f.isLive(i) && !ended[i]) || user != f.userID(i%f.users) || googlesession.UserTag(user) != [12]byte(tag) || created != f.at {
			t.Fatalf("session %d of %s has changed: live %v, revoked by %d, disabled %v", i, user, live, revokedBy, disabled)
		}
	}
	require.NoError(t, rows.Err())
	require.Empty(t, index, "rows that are gone")
}
