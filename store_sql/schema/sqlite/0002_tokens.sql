
-- Version 2.

-- The user's TokensAfter. A token that was issued before it, or at it, does not sign the
-- user in. 0 means that no token is refused.
ALTER TABLE gs_users ADD COLUMN tokens_after_ms INTEGER NOT NULL DEFAULT 0;

-- NULL, or when PutUser or CreateSession brought a user whose record belongs to another
-- system. The row is removed SignInWindow after this time, unless a session is live.
ALTER TABLE gs_users ADD COLUMN copy_ms INTEGER;

-- When the token of the sign-in was issued. 0 means unknown.
ALTER TABLE gs_sessions ADD COLUMN token_ms INTEGER NOT NULL DEFAULT 0;

CREATE INDEX gs_users_copies ON gs_users (copy_ms) WHERE copy_ms IS NOT NULL;

-- It does not contain sessions that were ended, so that ending and listing live sessions
-- does not read those.
CREATE INDEX gs_sessions_live ON gs_sessions (user_id, abs_ms) WHERE revoked_ms IS NULL;

INSERT INTO gs_schema (version) VALUES (2);
