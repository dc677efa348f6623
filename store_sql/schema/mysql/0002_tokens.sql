
-- Version 2. Each of these statements lets reads and writes go on, but waits for its
-- turn at the beginning: set lock_wait_timeout to a second before you run them on tables
-- that are in use, as Migrate does, and repeat what did not get its turn.

-- No token that was issued until then signs the user in.
ALTER TABLE gs_users ADD COLUMN tokens_after_ms BIGINT NOT NULL DEFAULT 0, ALGORITHM = INSTANT;

-- Set: PutUser or CreateSession brought the user, whose truth is elsewhere. The row goes
-- SignInWindow after this time, unless a session lives.
ALTER TABLE gs_users ADD COLUMN copy_ms BIGINT, ALGORITHM = INSTANT;

-- When the token of the sign-in was issued; 0: unknown.
ALTER TABLE gs_sessions ADD COLUMN token_ms BIGINT NOT NULL DEFAULT 0, ALGORITHM = INSTANT;

ALTER TABLE gs_users ADD INDEX gs_users_copies (copy_ms), ALGORITHM = INPLACE, LOCK = NONE;

-- Those that live come first, so that ending and listing them does not read the past.
ALTER TABLE gs_sessions ADD INDEX gs_sessions_live (user_id, revoked_ms, abs_ms), ALGORITHM = INPLACE, LOCK = NONE;

INSERT INTO gs_schema (version) VALUES (2);
