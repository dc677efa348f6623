package sqlstore

import "strings"

// statements are the texts that a store sends.
type statements struct {
	columns, index, version                                  string // schema.go
	check, absent, touch, expire, list                       string // sessions.go
	revoke, owner                                            string // revoke.go
	standby, wait                                            string // standby.go, writer.go
	current, admit, insert, evict, markExpired, trim         string // create.go
	signIn, refuse, user, users, lock, demotions, otherAdmin string // users.go
	put, read, write, endLive, endRest, endStale             string // record.go
	purgeSessions                                            string // purge.go
	deleted, copies                                          forgetting
}

// userColumns are the fields of a User, in the order of [userRow.fields].
const userColumns = `u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms`

// isUser is true of a row of gs_users that is a user of this store: not of one that was
// deleted, and not of a copy.
const isUser = `deleted_ms IS NULL AND copy_ms IS NULL`

// heard notes that a record of a user who is not this store's was heard of now. It is
// kept for a while from then on.
const heard = `
copy_ms = CASE WHEN gs_users.copy_ms < NOW! THEN NOW! ELSE gs_users.copy_ms END,
deleted_ms = CASE WHEN gs_users.deleted_ms < NOW! THEN NOW! ELSE gs_users.deleted_ms END`

// isLive is true of a row of gs_sessions that has not been ended and has not expired. The
// sum keeps PostgreSQL from reading all sessions by their ends, to find those of a user.
const isLive = `revoked_ms IS NULL AND MOMENT! < abs_ms + 0 AND MOMENT! < seen_ms + idle_ms`

// someRows is how many IDs a statement has room for that says SOME!.
const someRows = 10

var some = `IN (?` + strings.Repeat(", ?", someRows-1) + `)`

// statements expands the texts once. "always" is there so that a query has a row
// even if what it looks for is missing: the row says whether the server may be
// believed.
func (d dialect) statements(prefix string) statements {
	words := strings.NewReplacer("RO!", d.standby, "CLOCK!", d.clock(), "MOMENT!", d.moment(), "NOW!", d.now, "SYNC!", d.sync, "WRITABLE!", d.writable, "WAIT!", d.wait, "UPSERT!", d.upsert, "SKIP!", d.skip, "HINT!", d.hint, "ORDERED!", d.ordered, "AMONG!", d.among, "END!", d.amongEnd, "USER!", userColumns)
	sql := func(text string) string {
		text = strings.NewReplacer("ISUSER!", isUser, "HEARD!", heard, "LIVE!", isLive, "SOME!", some).Replace(text)
		return d.placeholders(strings.ReplaceAll(words.Replace(text), "gs_", prefix))
	}
	clock := `CLOCK!, `
	if d.local {
		clock = "" // see Store.now
	}
	all := statements{
		columns: sql(d.columns),
		index:   sql(d.index),
		version: sql(`
SELECT COALESCE(MAX(version), 0)
FROM gs_schema`),

		// It runs with every request, and does nothing that a session which is there can do
		// without: MySQL makes a temporary table of a row that is always there, and a
		// second argument costs SQLite more than making the tag anew.
		check: sql(`
SELECT ` + clock + `s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, USER!
FROM gs_sessions AS s
JOIN gs_users AS u ON u.id = s.user_id
WHERE s.id = ?`),

		// The same for a session that was not there; not asked where there is no standby.
		absent: sql(`
SELECT CLOCK!, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, USER!
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_sessions AS s ON s.id = ?
LEFT JOIN gs_users AS u ON u.id = s.user_id`),

		// It repeats what makes a session live, because it may run late.
		touch: sql(`
UPDATE gs_sessions
SET seen_ms = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND seen_ms <= ? AND NOW! < abs_ms AND NOW! < seen_ms + idle_ms WRITABLE!`),

		expire: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 4
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND (NOW! >= abs_ms OR NOW! >= seen_ms + idle_ms) WRITABLE!`),

		revoke: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 1
WHERE id = ? AND tag = ? AND revoked_ms IS NULL WRITABLE!`),

		owner: sql(`
SELECT RO!, s.user_id
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_sessions AS s ON s.id = ? AND s.tag = ?`),

		standby: sql(`SELECT RO!`),

		list: sql(`
SELECT CLOCK!, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, USER!, s.id, s.device
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ?
LEFT JOIN gs_sessions AS s HINT! ON s.user_id = u.id AND s.tag = ? AND s.revoked_ms IS NULL AND MOMENT! < s.abs_ms + 0
ORDER BY s.created_ms DESC, s.id`),

		// Locks the user, if the given version is the newest and may sign in.
		current: sql(`
UPDATE gs_users
SET ops = ops + 1, HEARD!
WHERE id = ? AND version = ? AND disabled = FALSE`),

		// The clock, whether the ID was ever used, how many rows the user has that have not
		// been ended and how many in all, both up to a limit, the user as of now, and what
		// counts against the limit of sessions, the least recently seen last.
		admit: sql(`
SELECT NOW!, (SELECT COUNT(*) FROM gs_sessions WHERE id = ?),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM gs_sessions HINT! WHERE user_id = ? AND revoked_ms IS NULL LIMIT ?) AS unmarked),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM gs_sessions WHERE user_id = ? LIMIT ?) AS kept),
USER!, s.id
FROM gs_users AS u
LEFT JOIN gs_sessions AS s HINT! ON s.user_id = u.id AND s.revoked_ms IS NULL
AND MOMENT! < s.abs_ms + 0 AND MOMENT! < s.seen_ms + s.idle_ms
WHERE u.id = ?
ORDER BY s.seen_ms DESC, s.id`),

		// Where rows are found by ID, they are not looked for among all that live as well: so
		// this says revoked_by.
		evict: sql(`
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 3
WHERE id SOME! AND revoked_by = 0`),

		insert: sql(`
INSERT INTO gs_sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, token_ms, device)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),

		// The next two keep what a user leaves behind from piling up.
		markExpired: sql(`
UPDATE gs_sessions HINT!
SET revoked_ms = NOW!, revoked_by = 4
WHERE id AMONG! (SELECT id FROM gs_sessions WHERE user_id = ? AND revoked_ms IS NULL
AND (MOMENT! >= abs_ms + 0 OR MOMENT! >= seen_ms + idle_ms) ORDER BY abs_ms + 0 LIMIT ? SKIP!)END!`),

		trim: sql(`
DELETE FROM gs_sessions
WHERE id AMONG! (SELECT id FROM gs_sessions WHERE user_id = ? AND revoked_ms IS NOT NULL ORDER BY created_ms LIMIT ? SKIP!)END! SYNC!`),

		// A clock that moves on within a statement is asked once. SQLite's grammar needs
		// the WHERE before its UPSERT.
		signIn: sql(`
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT ?, ?, ?, ?, FALSE, FALSE, t.ms, t.ms, t.ms
FROM (SELECT NOW! AS ms) AS t
WHERE TRUE
UPSERT!`),

		// Remembers a user who is not there as a deleted one.
		refuse: sql(`
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, deleted_ms)
SELECT ?, '', '', '', FALSE, TRUE, 1, t.ms, t.ms, t.ms
FROM (SELECT NOW! AS ms) AS t
WHERE TRUE
UPSERT!`),

		user: sql(`
SELECT RO!, USER!
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ? AND u.deleted_ms IS NULL AND u.copy_ms IS NULL`),

		// The page is cut within, where the order is the index's: outside, databases sort
		// all users for each page.
		users: sql(`
SELECT RO!, USER!
FROM (SELECT 1 AS x) AS always
LEFT JOIN (SELECT USER! FROM gs_users AS u ORDERED! WHERE u.id > ? AND u.deleted_ms IS NULL AND u.copy_ms IS NULL ORDER BY u.id LIMIT ?) AS u ON TRUE
ORDER BY u.id`),

		lock: sql(`
UPDATE gs_users
SET ops = ops + 1
WHERE id = ? SYNC!`),

		// A row that is always there and that no other statement locks.
		demotions: sql(`
SELECT version
FROM gs_schema
ORDER BY version
LIMIT 1
FOR UPDATE`),

		otherAdmin: sql(`
SELECT EXISTS (SELECT 1 FROM gs_users WHERE admin = TRUE AND disabled = FALSE AND ISUSER! AND id <> ?)`),

		put: sql(`
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, tokens_after_ms, copy_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW!)
UPSERT!, HEARD!`),

		read: sql(`
SELECT NOW!, u.ops, u.deleted_ms, u.copy_ms, USER!
FROM gs_users AS u
WHERE u.id = ? SYNC!`),

		write: sql(`
UPDATE gs_users
SET email = ?, name = ?, picture = ?, admin = ?, disabled = ?, version = ?, created_ms = ?, seen_ms = ?, tokens_after_ms = ?, deleted_ms = ?, copy_ms = ?
WHERE id = ?`),

		endLive: sql(`
UPDATE gs_sessions HINT!
SET revoked_ms = NOW!, revoked_by = 2
WHERE user_id = ? AND id <> ? AND LIVE!`),

		// What has expired and was not marked yet. There may be many after an upgrade from
		// version 1, so only those are marked that a clock which steps back would revive
		// first.
		endRest: sql(`
UPDATE gs_sessions HINT!
SET revoked_ms = NOW!, revoked_by = 4
WHERE revoked_by = 0
AND id AMONG! (SELECT id FROM gs_sessions WHERE user_id = ? AND revoked_ms IS NULL AND id <> ? ORDER BY abs_ms + 0 DESC LIMIT ? SKIP!)END!`),

		endStale: sql(`
UPDATE gs_sessions HINT!
SET revoked_ms = NOW!, revoked_by = 5
WHERE user_id = ? AND revoked_ms IS NULL AND token_ms <= ?`),

		purgeSessions: sql(`
DELETE FROM gs_sessions
WHERE id AMONG! (SELECT id FROM gs_sessions WHERE abs_ms < MOMENT! - ? ORDER BY abs_ms LIMIT ? SKIP!)END!`),

		deleted: d.forgetting(sql, "deleted_ms"),
		copies:  d.forgetting(sql, "copy_ms"),
	}
	if d.name == PostgreSQL {
		// See proof. It says "gs_" as well, so that another store's statement has another name.
		all.absent = sql(`
SELECT CLOCK!, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, USER!, 'gs_absent', ?::bytea
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_sessions AS s ON s.id = ?
LEFT JOIN gs_users AS u ON u.id = s.user_id`)

		// Where it ends nothing and finds the session, it waits for whoever ended it.
		all.revoke = sql(`
WITH ended AS (
UPDATE gs_sessions
SET revoked_ms = NOW!, revoked_by = 1
WHERE id = ? AND tag = ? AND revoked_ms IS NULL SYNC!
RETURNING 1)
SELECT 'gs_revoke', ?::bytea, (SELECT COUNT(*) FROM ended),
CASE WHEN NOT EXISTS (SELECT 1 FROM ended) AND EXISTS (SELECT 1 FROM gs_sessions WHERE id = ? AND tag = ?) THEN WAIT! ELSE FALSE END`)

		all.wait = sql(`SELECT WAIT!`)
	}
	if d.name == MySQL {
		// A subquery would make it lock every row on its way, and so wait for those who
		// wait for it.
		all.purgeSessions = sql(`
DELETE FROM gs_sessions
WHERE abs_ms < NOW! - ?
ORDER BY abs_ms
LIMIT ?`)
		all.markExpired = sql(`
UPDATE gs_sessions HINT!
SET revoked_ms = NOW!, revoked_by = 4
WHERE user_id = ? AND revoked_ms IS NULL AND (NOW! >= abs_ms OR NOW! >= seen_ms + idle_ms)
ORDER BY abs_ms
LIMIT ?`)
		// A join, since only a SELECT can be told which index to take.
		all.trim = sql(`
DELETE s
FROM gs_sessions AS s
JOIN (SELECT id FROM gs_sessions HINT! WHERE user_id = ? AND revoked_ms IS NOT NULL
ORDER BY revoked_ms LIMIT ?) AS oldest ON oldest.id = s.id`)
		all.endRest = sql(`
UPDATE gs_sessions HINT!
SET revoked_ms = NOW!, revoked_by = 4
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?
ORDER BY abs_ms DESC
LIMIT ?`)
	}
	return all
}
