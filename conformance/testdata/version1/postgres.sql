-- What a process of version 1 sends. The names in parentheses are those of the parameters.

-- check (id)
SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM gs_sessions AS s
JOIN gs_users AS u ON u.id = s.user_id
WHERE s.id = $1;

-- touch (now id tag due)
UPDATE gs_sessions
SET seen_ms = $1
WHERE id = $2 AND tag = $3 AND revoked_ms IS NULL
AND seen_ms <= $4 AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < abs_ms AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < seen_ms + idle_ms;

-- revoke (id tag)
UPDATE gs_sessions
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 1
WHERE id = $1 AND tag = $2 AND revoked_ms IS NULL
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '';

-- list (user tag)
SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, s.id, s.device
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = $1
LEFT JOIN gs_sessions AS s ON s.user_id = u.id AND s.tag = $2 AND s.revoked_ms IS NULL
ORDER BY s.created_ms DESC, s.id;

-- current (user version)
UPDATE gs_users
SET ops = ops + 1
WHERE id = $1 AND version = $2 AND disabled = FALSE;

-- admit (id user)
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, (SELECT COUNT(*) FROM gs_sessions WHERE id = $1), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, s.id
FROM gs_users AS u
LEFT JOIN gs_sessions AS s ON s.user_id = u.id AND s.revoked_ms IS NULL
AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < s.abs_ms AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < s.seen_ms + s.idle_ms
WHERE u.id = $2
ORDER BY s.seen_ms DESC, s.id;

-- insert (id tag user now abs idle now device)
INSERT INTO gs_sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, device)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- signIn (user email name picture)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT $1, $2, $3, $4, FALSE, FALSE, t.ms, t.ms, t.ms
FROM (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint AS ms) AS t
WHERE TRUE
ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1;

-- users (user limit)
SELECT pg_is_in_recovery(), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id > $1 AND u.deleted_ms IS NULL
ORDER BY u.id
LIMIT $2;

-- lock (user)
UPDATE gs_users
SET ops = ops + 1
WHERE id = $1 AND deleted_ms IS NULL
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '';

-- put (user email name picture admin disabled version now now)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1;

-- read (user)
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, u.ops, u.deleted_ms IS NOT NULL, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms
FROM gs_users AS u
WHERE u.id = $1
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '';

-- write (email name picture admin disabled version created now deleted user)
UPDATE gs_users
SET email = $1, name = $2, picture = $3, admin = $4, disabled = $5, version = $6, created_ms = $7, seen_ms = $8, deleted_ms = $9
WHERE id = $10;

-- endLive (user keep)
UPDATE gs_sessions
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 2
WHERE user_id = $1 AND revoked_ms IS NULL AND id <> $2
AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < abs_ms AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < seen_ms + idle_ms;

-- endRest (user keep)
UPDATE gs_sessions
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 4
WHERE user_id = $1 AND revoked_ms IS NULL AND id <> $2;

-- purgeSessions (retention limit)
DELETE FROM gs_sessions
WHERE id = ANY (ARRAY (SELECT id FROM gs_sessions WHERE abs_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint - $1 ORDER BY abs_ms LIMIT $2 FOR UPDATE SKIP LOCKED));

-- purgeDeletedUsersSessions (window limit)
DELETE FROM gs_sessions
WHERE id = ANY (ARRAY (SELECT s.id FROM gs_users AS u JOIN gs_sessions AS s ON s.user_id = u.id
WHERE u.deleted_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint - $1 LIMIT $2));

-- purgeDeletedUsers (window limit)
DELETE FROM gs_users
WHERE id = ANY (ARRAY (SELECT u.id FROM gs_users AS u
WHERE u.deleted_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint - $1 AND NOT EXISTS (SELECT 1 FROM gs_sessions AS s WHERE s.user_id = u.id) LIMIT $2));
