-- What a process of version 3 sends. The names in parentheses are those of the parameters.
-- The statement write keeps the data, which a process reads and writes again.

-- check (id)
SELECT CASE WHEN (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only) THEN NULL ELSE (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, s.kind, s.public_id, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END
FROM gs_sessions AS s
JOIN gs_users AS u ON u.id = s.user_id
WHERE s.id = ?;

-- absent (id)
SELECT CASE WHEN (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only) THEN NULL ELSE (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, s.kind, s.public_id, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_sessions AS s ON s.id = ?
LEFT JOIN gs_users AS u ON u.id = s.user_id;

-- touch (now id tag due)
UPDATE gs_sessions
SET seen_ms = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND seen_ms <= ? AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < abs_ms AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < seen_ms + idle_ms AND NOT (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only);

-- expireOne (id tag)
UPDATE gs_sessions
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 4
WHERE id = ? AND tag = ? AND revoked_ms IS NULL
AND ((TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) >= abs_ms OR (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) >= seen_ms + idle_ms) AND NOT (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only);

-- revoke (id tag)
UPDATE gs_sessions
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 1
WHERE id = ? AND tag = ? AND revoked_ms IS NULL AND NOT (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only);

-- list (user tag)
SELECT CASE WHEN (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only) THEN NULL ELSE (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, s.kind, s.public_id, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END, s.id, s.device, s.label
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ?
LEFT JOIN gs_sessions AS s FORCE INDEX (gs_sessions_live) ON s.user_id = u.id AND s.tag = ? AND s.revoked_ms IS NULL AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < s.abs_ms + 0
ORDER BY s.created_ms DESC, s.id;

-- current (user version)
UPDATE gs_users
SET ops = ops + 1,
copy_ms = CASE WHEN gs_users.copy_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) THEN (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) ELSE gs_users.copy_ms END,
deleted_ms = CASE WHEN gs_users.deleted_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) THEN (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) ELSE gs_users.deleted_ms END
WHERE id = ? AND version = ? AND disabled = FALSE;

-- admit (id user limit user limit user)
SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), (SELECT COUNT(*) FROM gs_sessions WHERE id = ?),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM gs_sessions FORCE INDEX (gs_sessions_live) WHERE user_id = ? AND revoked_ms IS NULL LIMIT ?) AS unmarked),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM gs_sessions WHERE user_id = ? LIMIT ?) AS kept),
u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END, s.id
FROM gs_users AS u
LEFT JOIN gs_sessions AS s FORCE INDEX (gs_sessions_live) ON s.user_id = u.id AND s.revoked_ms IS NULL
AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < s.abs_ms + 0 AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < s.seen_ms + s.idle_ms
WHERE u.id = ?
ORDER BY s.seen_ms DESC, s.id;

-- insert (id tag user now abs idle now token device kind publicID label)
INSERT INTO gs_sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, token_ms, device, kind, public_id, label)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- expire (user limit)
UPDATE gs_sessions FORCE INDEX (gs_sessions_live)
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 4
WHERE user_id = ? AND revoked_ms IS NULL AND ((TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) >= abs_ms OR (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) >= seen_ms + idle_ms)
ORDER BY abs_ms
LIMIT ?;

-- trim (user limit)
DELETE s
FROM gs_sessions AS s
JOIN (SELECT id FROM gs_sessions FORCE INDEX (gs_sessions_live) WHERE user_id = ? AND revoked_ms IS NOT NULL
ORDER BY revoked_ms LIMIT ?) AS oldest ON oldest.id = s.id;

-- signIn (user email name picture)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT ?, ?, ?, ?, FALSE, FALSE, t.ms, t.ms, t.ms
FROM (SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) AS ms) AS t
WHERE TRUE
ON DUPLICATE KEY UPDATE ops = ops + 1;

-- user (user)
SELECT (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = ? AND u.deleted_ms IS NULL AND u.copy_ms IS NULL;

-- users (user limit user limit user limit user limit limit)
SELECT (CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms, u.data
FROM (SELECT 1 AS x) AS always
LEFT JOIN (SELECT * FROM (
SELECT * FROM (SELECT u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END AS data, u.id AS sort_key
FROM gs_users AS u FORCE INDEX (gs_users_by_id)
WHERE u.flags = FALSE * 2 + FALSE AND u.id > ?
ORDER BY u.id
LIMIT ?) AS page
UNION ALL
SELECT * FROM (SELECT u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END AS data, u.id AS sort_key
FROM gs_users AS u FORCE INDEX (gs_users_by_id)
WHERE u.flags = FALSE * 2 + TRUE AND u.id > ?
ORDER BY u.id
LIMIT ?) AS page
UNION ALL
SELECT * FROM (SELECT u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END AS data, u.id AS sort_key
FROM gs_users AS u FORCE INDEX (gs_users_by_id)
WHERE u.flags = TRUE * 2 + FALSE AND u.id > ?
ORDER BY u.id
LIMIT ?) AS page
UNION ALL
SELECT * FROM (SELECT u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END AS data, u.id AS sort_key
FROM gs_users AS u FORCE INDEX (gs_users_by_id)
WHERE u.flags = TRUE * 2 + TRUE AND u.id > ?
ORDER BY u.id
LIMIT ?) AS page
) AS pages
ORDER BY sort_key, id
LIMIT ?) AS u ON TRUE
ORDER BY u.sort_key, u.id;

-- lock (user)
UPDATE gs_users
SET ops = ops + 1
WHERE id = ?;

-- put (user email name picture admin disabled version now now after data dataFor)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, tokens_after_ms, data, data_ms, copy_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000))
ON DUPLICATE KEY UPDATE ops = ops + 1,
copy_ms = CASE WHEN gs_users.copy_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) THEN (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) ELSE gs_users.copy_ms END,
deleted_ms = CASE WHEN gs_users.deleted_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) THEN (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) ELSE gs_users.deleted_ms END;

-- read (user)
SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), u.ops, u.deleted_ms, u.copy_ms, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END
FROM gs_users AS u
WHERE u.id = ?;

-- write (email name picture admin disabled version created now after deleted copied user)
UPDATE gs_users
SET email = ?, name = ?, picture = ?, admin = ?, disabled = ?, version = ?, created_ms = ?, seen_ms = ?, tokens_after_ms = ?,
data = data, data_ms = data_ms, browsers = browsers, deleted_ms = ?, copy_ms = ?
WHERE id = ?;

-- endLive (user keep)
UPDATE gs_sessions FORCE INDEX (gs_sessions_live)
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 2
WHERE user_id = ? AND id <> ? AND revoked_ms IS NULL AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < abs_ms + 0 AND (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) < seen_ms + idle_ms;

-- endRest (user keep limit)
UPDATE gs_sessions FORCE INDEX (gs_sessions_live)
SET revoked_ms = (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), revoked_by = 4
WHERE user_id = ? AND revoked_ms IS NULL AND id <> ?
ORDER BY abs_ms DESC
LIMIT ?;

-- otherAdmin (user)
SELECT EXISTS (SELECT 1 FROM gs_users WHERE admin = TRUE AND disabled = FALSE AND deleted_ms IS NULL AND copy_ms IS NULL AND id <> ?);

-- purgeSessions (retention limit)
DELETE FROM gs_sessions
WHERE abs_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) - ?
ORDER BY abs_ms
LIMIT ?;

-- dueUsers (window limit)
SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), u.id, (SELECT MAX(CASE WHEN s.abs_ms < s.seen_ms + s.idle_ms THEN s.abs_ms ELSE s.seen_ms + s.idle_ms END)
FROM gs_sessions AS s FORCE INDEX (gs_sessions_live)
WHERE s.user_id = u.id AND s.revoked_ms IS NULL)
FROM gs_users AS u
WHERE u.deleted_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) - ?
ORDER BY u.deleted_ms
LIMIT ?;

-- dueCopies (window limit)
SELECT (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000), u.id, (SELECT MAX(CASE WHEN s.abs_ms < s.seen_ms + s.idle_ms THEN s.abs_ms ELSE s.seen_ms + s.idle_ms END)
FROM gs_sessions AS s FORCE INDEX (gs_sessions_live)
WHERE s.user_id = u.id AND s.revoked_ms IS NULL)
FROM gs_users AS u
WHERE u.copy_ms < (TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000) - ?
ORDER BY u.copy_ms
LIMIT ?;

-- lockAdmins ()
SELECT version
FROM gs_schema
ORDER BY version
LIMIT 1
FOR UPDATE;
