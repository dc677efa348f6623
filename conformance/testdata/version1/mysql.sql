-- What a process of version 1 sends. The names in parentheses are those of the parameters.

-- check (id)
SELECT CASE WHEN @@global.read_only THEN NULL ELSE (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM gs_sessions AS s
JOIN gs_users AS u ON u.id = s.user_id
WHERE s.id = ?;

-- touch (now id tag due)
UPDATE gs_sessions
SET seen_ms = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND seen_ms <= ? AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < abs_ms AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < seen_ms + idle_ms;

-- revoke (id tag)
UPDATE gs_sessions
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 1
WHERE id = ? AND tag = ? AND revoked_ms IS NULL ;

-- list (user tag)
SELECT CASE WHEN @@global.read_only THEN NULL ELSE (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, s.id, s.device
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ?
LEFT JOIN gs_sessions AS s ON s.user_id = u.id AND s.tag = ? AND s.revoked_ms IS NULL
ORDER BY s.created_ms DESC, s.id;

-- current (user version)
UPDATE gs_users
SET ops = ops + 1
WHERE id = ? AND version = ? AND disabled = FALSE;

-- admit (id user)
SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), (SELECT COUNT(*) FROM gs_sessions WHERE id = ?), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, s.id
FROM gs_users AS u
LEFT JOIN gs_sessions AS s ON s.user_id = u.id AND s.revoked_ms IS NULL
AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < s.abs_ms AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < s.seen_ms + s.idle_ms
WHERE u.id = ?
ORDER BY s.seen_ms DESC, s.id;

-- insert (id tag user now abs idle now device)
INSERT INTO gs_sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, device)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- signIn (user email name picture)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT ?, ?, ?, ?, FALSE, FALSE, t.ms, t.ms, t.ms
FROM (SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) AS ms) AS t
WHERE TRUE
ON DUPLICATE KEY UPDATE ops = ops + 1;

-- users (user limit)
SELECT @@global.read_only, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id > ? AND u.deleted_ms IS NULL
ORDER BY u.id
LIMIT ?;

-- lock (user)
UPDATE gs_users
SET ops = ops + 1
WHERE id = ? AND deleted_ms IS NULL ;

-- put (user email name picture admin disabled version now now)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE ops = ops + 1;

-- read (user)
SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), u.ops, u.deleted_ms IS NOT NULL, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM gs_users AS u
WHERE u.id = ? ;

-- write (email name picture admin disabled version created now deleted user)
UPDATE gs_users
SET email = ?, name = ?, picture = ?, admin = ?, disabled = ?, version = ?, created_ms = ?, seen_ms = ?, deleted_ms = ?
WHERE id = ?;

-- endLive (user keep)
UPDATE gs_sessions
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 2
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?
AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < abs_ms AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < seen_ms + idle_ms;

-- endRest (user keep)
UPDATE gs_sessions
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 4
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?;

-- purgeSessions (retention limit)
DELETE FROM gs_sessions
WHERE abs_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) - ?
ORDER BY abs_ms
LIMIT ?;

-- purgeDeletedUsers (window limit)
DELETE FROM gs_users
WHERE deleted_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) - ?
ORDER BY deleted_ms
LIMIT ?;
