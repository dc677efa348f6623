
-- Version 3. On tables that are in use, build its indexes with CREATE INDEX CONCURRENTLY
-- outside of a transaction, as Migrate does.

-- The user's Data, which belongs to the application. It counts only if data_ms equals
-- created_ms, because a process of version 2 does not clear it when it deletes the user.
ALTER TABLE gs_users ADD COLUMN data TEXT;
ALTER TABLE gs_users ADD COLUMN data_ms BIGINT;

-- NULL, or created_ms in 8 bytes and the browsers of the user in 16 bytes each, the most
-- recent first. Like data, it counts only if its time equals created_ms.
ALTER TABLE gs_users ADD COLUMN browsers BYTEA;

-- How the session began: 0 a browser signed in, 1 a program signed in, 2 it was issued.
ALTER TABLE gs_sessions ADD COLUMN kind SMALLINT NOT NULL DEFAULT 0;

-- The 16 bytes of the session's PublicID. NULL means the first 16 bytes of id.
ALTER TABLE gs_sessions ADD COLUMN public_id BYTEA;

ALTER TABLE gs_sessions ADD COLUMN label TEXT;

-- A query for users reads one range of an index for each pair of the flags. The function
-- lower folds ASCII letters only, because of the collation. Deleted users and copies are not
-- in the indexes, and no index has a column that a sign-in changes. The expression of the
-- first index keeps a query from walking the primary key past users with other flags.
CREATE INDEX gs_users_by_id ON gs_users (admin, disabled, (id || '')) WHERE deleted_ms IS NULL AND copy_ms IS NULL;
CREATE INDEX gs_users_by_email ON gs_users (admin, disabled, lower(email COLLATE "C"), id) WHERE deleted_ms IS NULL AND copy_ms IS NULL;
CREATE INDEX gs_users_by_name ON gs_users (admin, disabled, lower(name COLLATE "C"), id) WHERE deleted_ms IS NULL AND copy_ms IS NULL;

INSERT INTO gs_schema (version) VALUES (3);
