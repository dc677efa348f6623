package sqlstore

import (
	"fmt"
	"strings"
)

// syncFull is SQLite's synchronous=FULL, as a number.
const syncFull = 2

// A dialect is what differs between databases.
type dialect struct {
	name Dialect // and the folder under schema/

	// What the words in capitals stand for in a statement.
	standby string // RO!: true where writes of others arrive late
	now     string // NOW!: the clock, Unix milliseconds, the same throughout one statement
	sync    string // SYNC!: makes the statement durable on return, whatever the server's default
	upsert  string // UPSERT!: an INSERT's other way, if the user is there

	// columns lists the tables of ours that exist, with their columns.
	columns string

	// settings asks for what checkSettings looks at.
	settings string

	// begin, commit and rollback bracket one migration; begin keeps others out.
	begin, commit, rollback string
}

func lookUp(d Dialect) (dialect, error) {
	switch d {
	case SQLite:
		return dialect{
			name:    SQLite,
			standby: `FALSE`,
			// julianday counts days; ROUND takes back what its binary fraction loses.
			now:    `CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)`,
			upsert: `ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1`,
			columns: `
SELECT lower(t.name), c.name
FROM sqlite_schema AS t
JOIN pragma_table_info(t.name) AS c
WHERE lower(t.name) IN ('gs_schema', 'gs_users', 'gs_sessions')`,
			settings: `
SELECT d.file, j.journal_mode, s.synchronous, b.timeout
FROM pragma_database_list AS d, pragma_journal_mode AS j, pragma_synchronous AS s, pragma_busy_timeout AS b
WHERE d.name = 'main'`,
			begin:    `BEGIN IMMEDIATE`,
			commit:   `COMMIT`,
			rollback: `ROLLBACK`,
		}, nil
	default:
		return dialect{}, fmt.Errorf("sqlstore: unknown dialect %q", string(d))
	}
}

// statements are the texts that a store sends.
type statements struct {
	columns, version                                            string // schema.go
	check, touch, expire, revoke, list                          string // sessions.go
	current, admit, insert, evict                               string // create.go
	signIn, user, users, lock, otherAdmin                       string // users.go
	put, read, write, endLive, endRest                          string // record.go
	purgeSessions, purgeDeletedUsersSessions, purgeDeletedUsers string // purge.go
}

// userColumns are the fields of a User, in the order of [userRow.fields].
const userColumns = `u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms`

// statements expands the texts once. "always" is there so that a query has a row
// even if what it looks for is missing: the row says whether the server may be
// believed.
func (d dialect) statements(prefix string) statements {
	words := strings.NewReplacer("RO!", d.standby, "NOW!", d.now, "SYNC!", d.sync, "UPSERT!", d.upsert, "USER!", userColumns)
	sql := func(text string) string {
		return strings.ReplaceAll(words.Replace(text), "gs_", prefix)
	}
	return statements{
		columns: sql(d.columns),
		version: sql(`
SELECT COALESCE(MAX(version), 0)
FROM gs_schema`),

		check: sql(`
SELECT RO!, NOW!, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, USER!
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_sessions AS s ON s.id = ? AND s.tag = ?
LEFT JOIN gs_users AS u ON u.id = s.user_id`),

		// It repeats what makes a session live, because it may run late.
		touch: sql(`
UPDATE gs_sessions
SET seen_ms = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND seen_ms <= ? AND NOW! < abs_ms AND NOW! < seen_ms + idle_ms`),

		expire: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 4
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND (NOW! >= abs_ms OR NOW! >= seen_ms + idle_ms)`),

		revoke: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 1
WHERE id = ? AND tag = ? AND revoked_ms IS NULL SYNC!`),

		list: sql(`
SELECT RO!, NOW!, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, USER!, s.id, s.device
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ?
LEFT JOIN gs_sessions AS s ON s.user_id = u.id AND s.tag = ? AND s.revoked_ms IS NULL
ORDER BY s.created_ms DESC, s.id`),

		// Locks the user, if the given version is the newest and may sign in.
		current: sql(`
UPDATE gs_users
SET ops = ops + 1
WHERE id = ? AND version = ? AND disabled = FALSE`),

		// The clock, whether the ID was ever used, the user as of now, and what
		// counts against the limit, the least recently seen last.
		admit: sql(`
SELECT NOW!, (SELECT COUNT(*) FROM gs_sessions WHERE id = ?), USER!, s.id
FROM gs_users AS u
LEFT JOIN gs_sessions AS s ON s.user_id = u.id AND s.revoked_ms IS NULL
AND NOW! < s.abs_ms AND NOW! < s.seen_ms + s.idle_ms
WHERE u.id = ?
ORDER BY s.seen_ms DESC, s.id`),

		evict: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 3
WHERE id = ? AND revoked_ms IS NULL`),

		insert: sql(`
INSERT INTO gs_sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, device)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),

		signIn: sql(`
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
VALUES (?, ?, ?, ?, FALSE, FALSE, NOW!, NOW!, NOW!)
UPSERT!`),

		user: sql(`
SELECT RO!, USER!
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ? AND u.deleted_ms IS NULL`),

		users: sql(`
SELECT RO!, USER!
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id > ? AND u.deleted_ms IS NULL
ORDER BY u.id
LIMIT ?`),

		lock: sql(`
UPDATE gs_users
SET ops = ops + 1
WHERE id = ? AND deleted_ms IS NULL SYNC!`),

		otherAdmin: sql(`
SELECT EXISTS (SELECT 1 FROM gs_users WHERE admin = TRUE AND disabled = FALSE AND id <> ?)`),

		put: sql(`
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
UPSERT!`),

		read: sql(`
SELECT NOW!, u.ops, u.deleted_ms IS NOT NULL, USER!
FROM gs_users AS u
WHERE u.id = ? SYNC!`),

		write: sql(`
UPDATE gs_users
SET email = ?, name = ?, picture = ?, admin = ?, disabled = ?, version = ?, created_ms = ?, seen_ms = ?, deleted_ms = ?
WHERE id = ?`),

		endLive: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 2
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?
AND NOW! < abs_ms AND NOW! < seen_ms + idle_ms`),

		endRest: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 4
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?`),

		purgeSessions: sql(`
DELETE FROM gs_sessions
WHERE id IN (SELECT id FROM gs_sessions WHERE abs_ms < NOW! - ? ORDER BY abs_ms LIMIT ?)`),

		purgeDeletedUsersSessions: sql(`
DELETE FROM gs_sessions
WHERE id IN (SELECT s.id FROM gs_users AS u JOIN gs_sessions AS s ON s.user_id = u.id
WHERE u.deleted_ms < NOW! - ? LIMIT ?)`),

		purgeDeletedUsers: sql(`
DELETE FROM gs_users
WHERE id IN (SELECT u.id FROM gs_users AS u
WHERE u.deleted_ms < NOW! - ? AND NOT EXISTS (SELECT 1 FROM gs_sessions AS s WHERE s.user_id = u.id) LIMIT ?)`),
	}
}
