
-- Version 3. Reads and writes continue during each of these statements, but at its
-- beginning the statement waits for a lock. On tables that are in use, set
-- lock_wait_timeout to a second first, as Migrate does, and repeat a statement that did not
-- get its lock.

-- The user's Data, which belongs to the application. It counts only if data_ms equals
-- created_ms, because a process of version 2 does not clear it when it deletes the user.
ALTER TABLE gs_users ADD COLUMN data TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ALGORITHM = INSTANT;
ALTER TABLE gs_users ADD COLUMN data_ms BIGINT, ALGORITHM = INSTANT;

-- NULL, or created_ms in 8 bytes and the browsers of the user in 16 bytes each, the most
-- recent first. Like data, it counts only if its time equals created_ms.
ALTER TABLE gs_users ADD COLUMN browsers VARBINARY(168), ALGORITHM = INSTANT;

-- How the session began: 0 a browser signed in, 1 a program signed in, 2 it was issued.
ALTER TABLE gs_sessions ADD COLUMN kind SMALLINT NOT NULL DEFAULT 0, ALGORITHM = INSTANT;

-- The 16 bytes of the session's PublicID. NULL means the first 16 bytes of id.
ALTER TABLE gs_sessions ADD COLUMN public_id BINARY(16), ALGORITHM = INSTANT;

ALTER TABLE gs_sessions ADD COLUMN label VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ALGORITHM = INSTANT;

-- A query for users reads one range of an index for each pair of the flags. The pair is in
-- one column, which is NULL for deleted users and copies. No index has a column that a
-- sign-in changes.
ALTER TABLE gs_users ADD COLUMN flags TINYINT AS (CASE WHEN deleted_ms IS NULL AND copy_ms IS NULL THEN admin * 2 + disabled END) VIRTUAL, ALGORITHM = INSTANT;

-- The first 100 bytes of the e-mail address and of the name, with ASCII letters in lower
-- case. The function LOWER would change other letters too.
ALTER TABLE gs_users ADD COLUMN email_key VARBINARY(100) AS (
  REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LEFT(CAST(email AS BINARY), 100)
  , 'A', 'a'), 'B', 'b'), 'C', 'c'), 'D', 'd'), 'E', 'e'), 'F', 'f'), 'G', 'g'), 'H', 'h'), 'I', 'i'), 'J', 'j'), 'K', 'k'), 'L', 'l'), 'M', 'm')
  , 'N', 'n'), 'O', 'o'), 'P', 'p'), 'Q', 'q'), 'R', 'r'), 'S', 's'), 'T', 't'), 'U', 'u'), 'V', 'v'), 'W', 'w'), 'X', 'x'), 'Y', 'y'), 'Z', 'z')
) VIRTUAL, ALGORITHM = INSTANT;

ALTER TABLE gs_users ADD COLUMN name_key VARBINARY(100) AS (
  REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LEFT(CAST(name AS BINARY), 100)
  , 'A', 'a'), 'B', 'b'), 'C', 'c'), 'D', 'd'), 'E', 'e'), 'F', 'f'), 'G', 'g'), 'H', 'h'), 'I', 'i'), 'J', 'j'), 'K', 'k'), 'L', 'l'), 'M', 'm')
  , 'N', 'n'), 'O', 'o'), 'P', 'p'), 'Q', 'q'), 'R', 'r'), 'S', 's'), 'T', 't'), 'U', 'u'), 'V', 'v'), 'W', 'w'), 'X', 'x'), 'Y', 'y'), 'Z', 'z')
) VIRTUAL, ALGORITHM = INSTANT;

ALTER TABLE gs_users ADD INDEX gs_users_by_id (flags, id), ALGORITHM = INPLACE, LOCK = NONE;
ALTER TABLE gs_users ADD INDEX gs_users_by_email (flags, email_key, id), ALGORITHM = INPLACE, LOCK = NONE;
ALTER TABLE gs_users ADD INDEX gs_users_by_name (flags, name_key, id), ALGORITHM = INPLACE, LOCK = NONE;

INSERT INTO gs_schema (version) VALUES (3);
