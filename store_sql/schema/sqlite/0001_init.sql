-- Times are Unix milliseconds of the database's clock.

CREATE TABLE gs_schema (
  version    INTEGER NOT NULL PRIMARY KEY,
  applied_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;

CREATE TABLE gs_users (
  id         TEXT    NOT NULL PRIMARY KEY, -- compared bytewise, SQLite's default
  email      TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  picture    TEXT    NOT NULL,
  admin      INTEGER NOT NULL CHECK (admin IN (0, 1)),
  disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  version    INTEGER NOT NULL CHECK (version > 0), -- version of this record
  created_ms INTEGER NOT NULL,
  seen_ms    INTEGER NOT NULL,
  deleted_ms INTEGER,                   -- NULL, or when the user was deleted. The row is kept for a while, without a profile.
  ops        INTEGER NOT NULL DEFAULT 0 -- Counts the transactions that have locked the row since it was inserted.
) STRICT, WITHOUT ROWID;

CREATE INDEX gs_users_admin ON gs_users (id) WHERE admin = TRUE;
CREATE INDEX gs_users_deleted ON gs_users (deleted_ms) WHERE deleted_ms IS NOT NULL;

CREATE TABLE gs_sessions (
  id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
  tag        BLOB    NOT NULL CHECK (length(tag) = 12),
  user_id    TEXT    NOT NULL REFERENCES gs_users (id) ON DELETE CASCADE,
  created_ms INTEGER NOT NULL,
  abs_ms     INTEGER NOT NULL, -- absolute end of the session
  idle_ms    INTEGER NOT NULL, -- a duration, not a time
  seen_ms    INTEGER NOT NULL,
  revoked_ms INTEGER,          -- NULL, or when the session was ended. The row stays, so that its ID is not used again.
  revoked_by INTEGER NOT NULL DEFAULT 0, -- Why: 0 not ended, 1 revoked, 2 with its user, 3 over the limit, 4 expired, 5 token refused.
  device     BLOB CHECK (length(device) <= 600),
  CHECK ((revoked_ms IS NULL) = (revoked_by = 0))
) STRICT, WITHOUT ROWID;

CREATE INDEX gs_sessions_user ON gs_sessions (user_id, created_ms);
CREATE INDEX gs_sessions_abs ON gs_sessions (abs_ms);

INSERT INTO gs_schema (version) VALUES (1);
