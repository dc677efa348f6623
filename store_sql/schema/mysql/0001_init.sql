-- Times are Unix milliseconds of the database's clock. MySQL commits each of these
-- statements by itself. If they were interrupted, all of them can run again.

CREATE TABLE IF NOT EXISTS gs_users (
  id         VARBINARY(255) NOT NULL PRIMARY KEY, -- binary: 'a' is neither 'A' nor 'a '
  email      TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  picture    TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  admin      BOOLEAN NOT NULL,
  disabled   BOOLEAN NOT NULL,
  version    BIGINT  NOT NULL CHECK (version > 0), -- version of this record
  created_ms BIGINT  NOT NULL,
  seen_ms    BIGINT  NOT NULL,
  deleted_ms BIGINT,                     -- NULL, or when the user was deleted. The row is kept for a while, without a profile.
  ops        BIGINT  NOT NULL DEFAULT 0, -- Counts the transactions that have locked the row since it was inserted.
  INDEX gs_users_admin (admin, disabled, id),
  INDEX gs_users_deleted (deleted_ms)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS gs_sessions (
  id         BINARY(32)     NOT NULL PRIMARY KEY,
  tag        BINARY(12)     NOT NULL,
  user_id    VARBINARY(255) NOT NULL,
  created_ms BIGINT         NOT NULL,
  abs_ms     BIGINT         NOT NULL, -- absolute end of the session
  idle_ms    BIGINT         NOT NULL, -- a duration, not a time
  seen_ms    BIGINT         NOT NULL,
  revoked_ms BIGINT,                  -- NULL, or when the session was ended. The row stays, so that its ID is not used again.
  revoked_by SMALLINT       NOT NULL DEFAULT 0, -- Why: 0 not ended, 1 revoked, 2 with its user, 3 over the limit, 4 expired, 5 token refused.
  device     VARBINARY(600),
  CHECK ((revoked_ms IS NULL) = (revoked_by = 0)),
  INDEX gs_sessions_user (user_id, created_ms),
  INDEX gs_sessions_abs (abs_ms),
  FOREIGN KEY (user_id) REFERENCES gs_users (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS gs_schema (
  version    INTEGER   NOT NULL PRIMARY KEY,
  applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB;

INSERT INTO gs_schema (version) VALUES (1);
