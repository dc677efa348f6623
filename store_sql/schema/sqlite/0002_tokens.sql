
-- Version 2.

-- No token that was issued until then signs the user in.
ALTER TABLE gs_users ADD COLUMN tokens_after_ms INTEGER NOT NULL DEFAULT 0;

-- Set: PutUser or CreateSession brought the user, whose truth is elsewhere. The row goes
-- SignInWindow after this time, unless a session lives.
ALTER TABLE gs_users ADD COLUMN copy_ms INTEGER;

-- When the token of the sign-in was issued; 0: unknown.
ALTER TABLE gs_sessions ADD COLUMN token_ms INTEGER NOT NULL DEFAULT 0;

CREATE INDEX gs_users_copies ON gs_users (copy_ms) WHERE copy_ms IS NOT NULL;

-- What ended is not in it, so that ending and listing what lives do not read the past.
CREATE INDEX gs_sessions_live ON gs_sessions (user_id, abs_ms) WHERE revoked_ms IS NULL;

INSERT INTO gs_schema (version) VALUES (2);
