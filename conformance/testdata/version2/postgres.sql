-- What a process of version 2 sends. The names in parentheses are those of the parameters.

-- check (id)
SELECT CASE WHEN (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean) THEN NULL ELSE (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms
FROM gs_sessions AS s
JOIN gs_users AS u ON u.id = s.user_id
WHERE s.id = $1;

-- absent (id id)
SELECT CASE WHEN (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean) THEN NULL ELSE (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms, 'gs_absent', $1::bytea
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_sessions AS s ON s.id = $2
LEFT JOIN gs_users AS u ON u.id = s.user_id;

-- touch (now id tag due)
UPDATE gs_sessions
SET seen_ms = $1
WHERE id = $2 AND tag = $3 AND revoked_ms IS NULL
AND seen_ms <= $4 AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < abs_ms AND (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint < seen_ms + idle_ms;

-- expireOne (id tag)
UPDATE gs_sessions
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 4
WHERE id = $1 AND tag = $2 AND revoked_ms IS NULL
AND ((EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint >= abs_ms OR (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint >= seen_ms + idle_ms);

-- revoke (id tag id id tag)
WITH ended AS (
UPDATE gs_sessions
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 1
WHERE id = $1 AND tag = $2 AND revoked_ms IS NULL 
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> ''
RETURNING 1)
SELECT 'gs_revoke', $3::bytea, (SELECT COUNT(*) FROM ended),
CASE WHEN NOT EXISTS (SELECT 1 FROM ended) AND EXISTS (SELECT 1 FROM gs_sessions WHERE id = $4 AND tag = $5) THEN (pg_logical_emit_message(set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '', 'googlesession', ''::text) IS NOT NULL) ELSE FALSE END;

-- list (user tag)
SELECT CASE WHEN (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean) THEN NULL ELSE (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint END, s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms, s.id, s.device
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = $1
LEFT JOIN gs_sessions AS s  ON s.user_id = u.id AND s.tag = $2 AND s.revoked_ms IS NULL AND (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) < s.abs_ms + 0
ORDER BY s.created_ms DESC, s.id;

-- current (user version)
UPDATE gs_users
SET ops = ops + 1, 
copy_ms = CASE WHEN gs_users.copy_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint THEN (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint ELSE gs_users.copy_ms END,
deleted_ms = CASE WHEN gs_users.deleted_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint THEN (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint ELSE gs_users.deleted_ms END
WHERE id = $1 AND version = $2 AND disabled = FALSE;

-- admit (id user limit user limit user)
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, (SELECT COUNT(*) FROM gs_sessions WHERE id = $1),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM gs_sessions  WHERE user_id = $2 AND revoked_ms IS NULL LIMIT $3) AS unmarked),
(SELECT COUNT(*) FROM (SELECT 1 AS x FROM gs_sessions WHERE user_id = $4 LIMIT $5) AS kept),
u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms, s.id
FROM gs_users AS u
LEFT JOIN gs_sessions AS s  ON s.user_id = u.id AND s.revoked_ms IS NULL
AND (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) < s.abs_ms + 0 AND (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) < s.seen_ms + s.idle_ms
WHERE u.id = $6
ORDER BY s.seen_ms DESC, s.id;

-- insert (id tag user now abs idle now token device)
INSERT INTO gs_sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, token_ms, device)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- expire (user limit)
UPDATE gs_sessions 
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 4
WHERE id = ANY (ARRAY (SELECT id FROM gs_sessions WHERE user_id = $1 AND revoked_ms IS NULL
AND ((SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) >= abs_ms + 0 OR (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) >= seen_ms + idle_ms) ORDER BY abs_ms + 0 LIMIT $2 FOR UPDATE SKIP LOCKED));

-- trim (user limit)
DELETE FROM gs_sessions
WHERE id = ANY (ARRAY (SELECT id FROM gs_sessions WHERE user_id = $1 AND revoked_ms IS NOT NULL ORDER BY created_ms LIMIT $2 FOR UPDATE SKIP LOCKED)) 
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '';

-- signIn (user email name picture)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms)
SELECT $1, $2, $3, $4, FALSE, FALSE, t.ms, t.ms, t.ms
FROM (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint AS ms) AS t
WHERE TRUE
ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1;

-- user (user)
SELECT (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms
FROM (SELECT 1 AS x) AS always
LEFT JOIN gs_users AS u ON u.id = $1 AND u.deleted_ms IS NULL AND u.copy_ms IS NULL;

-- users (user limit)
SELECT (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean), u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms
FROM (SELECT 1 AS x) AS always
LEFT JOIN (SELECT u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms FROM gs_users AS u  WHERE u.id > $1 AND u.deleted_ms IS NULL AND u.copy_ms IS NULL ORDER BY u.id LIMIT $2) AS u ON TRUE
ORDER BY u.id;

-- lock (user)
UPDATE gs_users
SET ops = ops + 1
WHERE id = $1 
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '';

-- put (user email name picture admin disabled version now now after)
INSERT INTO gs_users (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, tokens_after_ms, copy_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1, 
copy_ms = CASE WHEN gs_users.copy_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint THEN (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint ELSE gs_users.copy_ms END,
deleted_ms = CASE WHEN gs_users.deleted_ms < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint THEN (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint ELSE gs_users.deleted_ms END;

-- read (user)
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, u.ops, u.deleted_ms, u.copy_ms, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms
FROM gs_users AS u
WHERE u.id = $1 
AND set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> '';

-- write (email name picture admin disabled version created now after deleted copied user)
UPDATE gs_users
SET email = $1, name = $2, picture = $3, admin = $4, disabled = $5, version = $6, created_ms = $7, seen_ms = $8, tokens_after_ms = $9, deleted_ms = $10, copy_ms = $11
WHERE id = $12;

-- endLive (user keep)
UPDATE gs_sessions 
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 2
WHERE user_id = $1 AND id <> $2 AND revoked_ms IS NULL AND (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) < abs_ms + 0 AND (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) < seen_ms + idle_ms;

-- endRest (user keep limit)
UPDATE gs_sessions 
SET revoked_ms = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, revoked_by = 4
WHERE revoked_by = 0
AND id = ANY (ARRAY (SELECT id FROM gs_sessions WHERE user_id = $1 AND revoked_ms IS NULL AND id <> $2 ORDER BY abs_ms + 0 DESC LIMIT $3 FOR UPDATE SKIP LOCKED));

-- otherAdmin (user)
SELECT EXISTS (SELECT 1 FROM gs_users WHERE admin = TRUE AND disabled = FALSE AND deleted_ms IS NULL AND copy_ms IS NULL AND id <> $1);

-- purgeSessions (retention limit)
DELETE FROM gs_sessions
WHERE id = ANY (ARRAY (SELECT id FROM gs_sessions WHERE abs_ms < (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) - $1 ORDER BY abs_ms LIMIT $2 FOR UPDATE SKIP LOCKED));

-- dueUsers (window limit)
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, u.id, (SELECT MAX(CASE WHEN s.abs_ms < s.seen_ms + s.idle_ms THEN s.abs_ms ELSE s.seen_ms + s.idle_ms END)
FROM gs_sessions AS s 
WHERE s.user_id = u.id AND s.revoked_ms IS NULL)
FROM gs_users AS u
WHERE u.deleted_ms < (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) - $1
ORDER BY u.deleted_ms
LIMIT $2;

-- dueCopies (window limit)
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, u.id, (SELECT MAX(CASE WHEN s.abs_ms < s.seen_ms + s.idle_ms THEN s.abs_ms ELSE s.seen_ms + s.idle_ms END)
FROM gs_sessions AS s 
WHERE s.user_id = u.id AND s.revoked_ms IS NULL)
FROM gs_users AS u
WHERE u.copy_ms < (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) - $1
ORDER BY u.copy_ms
LIMIT $2;

-- lockAdmins ()
SELECT version
FROM gs_schema
ORDER BY version
LIMIT 1
FOR UPDATE;
