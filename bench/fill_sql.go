package bench

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

const (
	rowsPerInsert = 1000
	rowsPerCommit = 100_000
)

// fillSQL inserts the sessions whose numbers are 0 to size-1 and their users into empty
// tables, about a hundred thousand rows in a second. It inserts the sessions in the order
// of their IDs, because that is the order of a clustered index. Before that it drops the
// foreign key and the indexes by user and by end, because requests do not read them and
// they make inserting slow.
func fillSQL(db *sql.DB, d Database, prefix string, size int) {
	conn := must1(db.Conn(background))
	defer func() { must(conn.Close()) }()
	for _, text := range bare(d.Dialect) {
		must1(conn.ExecContext(background, strings.ReplaceAll(text, "gs_", prefix)))
	}
	insertUsers(conn, prefix, (size+perUser-1)/perUser)
	order := byID(size)
	now := time.Now().UnixMilli()
	times := fmt.Sprintf("%d,%d,%d,%d)", now, now+lifetime.Milliseconds(), idle.Milliseconds(), now)
	open, end := `X'`, `'`
	if d.Dialect == sqlstore.PostgreSQL {
		open, end = `'\x`, `'::bytea`
	}
	insert(conn, prefix+"sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms)", size,
		func(row []byte, i int) []byte {
			session := int(order[i].session)
			_, ref := tokenOf(session)
			row = append(append(row, '('), open...)
			row = append(append(hex.AppendEncode(row, ref.ID[:]), end...), ',')
			row = hex.AppendEncode(append(row, open...), ref.Tag[:])
			row = append(append(append(row, end...), ",'"...), userID(session)...)
			return append(append(row, "',"...), times...)
		})
	d.settle(db, prefix)
	if d.Dialect == sqlstore.SQLite {
		must1(conn.ExecContext(background, "PRAGMA foreign_keys = ON"))
	}
}

func insertUsers(conn *sql.Conn, prefix string, size int) {
	insert(conn, prefix+"users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)", size,
		func(row []byte, i int) []byte {
			u := userOf(i * perUser)
			return fmt.Appendf(row, "('%s','%s','%s','%s',FALSE,FALSE,%d,%d,%d)", u.ID, u.Email, u.Name, u.Picture,
				u.Version, u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli())
		})
}

// bare returns the statements that drop the indexes and drop or turn off the foreign key,
// because these make inserting into new tables slow.
func bare(d sqlstore.Dialect) []string {
	switch d {
	case sqlstore.PostgreSQL:
		return []string{"DROP INDEX gs_sessions_user, gs_sessions_abs", "ALTER TABLE gs_sessions DROP CONSTRAINT gs_sessions_user_id_fkey"}
	case sqlstore.MySQL:
		return []string{"ALTER TABLE gs_sessions DROP FOREIGN KEY gs_sessions_ibfk_1, DROP INDEX gs_sessions_user, DROP INDEX gs_sessions_abs"}
	default:
		return []string{"DROP INDEX gs_sessions_user", "DROP INDEX gs_sessions_abs", "PRAGMA foreign_keys = OFF"}
	}
}

// insert inserts n rows into the table. The function row appends the SQL text of row number
// i.
func insert(conn *sql.Conn, table string, n int, row func([]byte, int) []byte) {
	text := make([]byte, 0, rowsPerInsert*256)
	for i := 0; i < n; {
		tx := must1(conn.BeginTx(background, nil))
		for committed := min(n, i+rowsPerCommit); i < committed; {
			text = append(append(append(text[:0], "INSERT INTO "...), table...), " VALUES "...)
			for end := min(committed, i+rowsPerInsert); i < end; i++ {
				text = append(row(text, i), ',')
			}
			must1(tx.ExecContext(background, string(text[:len(text)-1])))
		}
		must(tx.Commit())
	}
}

type numbered struct {
	id      uint64 // the first 8 bytes of the session's ID
	session uint32
}

// byID returns the numbers 0 to size-1 in the order of the IDs of the sessions with these
// numbers.
func byID(size int) []numbered {
	order := make([]numbered, size)
	for i := range order {
		_, ref := tokenOf(i)
		order[i] = numbered{binary.BigEndian.Uint64(ref.ID[:]), uint32(i)}
	}
	slices.SortFunc(order, func(a, b numbered) int { return cmp.Compare(a.id, b.id) })
	return order
}
