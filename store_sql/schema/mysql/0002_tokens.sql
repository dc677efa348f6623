
-- Version 2. Reads and writes continue during each of these statements, but at its
-- beginning the statement waits for a lock. On tables that are in use, set
-- lock_wait_timeout to a second first, as Migrate does, and repeat a statement that did not
-- get its lock.

-- The user's TokensAfter. A token that was issued before it, or at it, does not sign the
-- user in. 0 means that no token is refused.
ALTER TABLE gs_users ADD COLUMN tokens_after_ms BIGINT NOT NULL DEFAULT 0, ALGORITHM = INSTANT;

-- NULL, or when PutUser or CreateSession brought a user whose record belongs to another
-- system. The row is removed SignInWindow after this time, unless a session is live.
ALTER TABLE gs_users ADD COLUMN copy_ms BIGINT, ALGORITHM = INSTANT;

-- When the token of the sign-in was issued. 0 means unknown.
ALTER TABLE gs_sessions ADD COLUMN token_ms BIGINT NOT NULL DEFAULT 0, ALGORITHM = INSTANT;

ALTER TABLE gs_users ADD INDEX gs_users_copies (copy_ms), ALGORITHM = INPLACE, LOCK = NONE;

-- Sessions that were not ended come first, so that ending and listing live sessions does
-- not read the others.
ALTER TABLE gs_sessions ADD INDEX gs_sessions_live (user_id, revoked_ms, abs_ms), ALGORITHM = INPLACE, LOCK = NONE;

INSERT INTO gs_schema (version) VALUES (2);
