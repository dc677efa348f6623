-- Times are Unix milliseconds of the database's clock.

CREATE TABLE gs_schema (
  version    INTEGER     NOT NULL PRIMARY KEY,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE gs_users (
  id         TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- compared and ordered bytewise
  email      TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  picture    TEXT    NOT NULL,
  admin      BOOLEAN NOT NULL,
  disabled   BOOLEAN NOT NULL,
  version    BIGINT  NOT NULL CHECK (version > 0), -- version of this record
  created_ms BIGINT  NOT NULL,
  seen_ms    BIGINT  NOT NULL,
  deleted_ms BIGINT,                    -- NULL, or when the user was deleted. The row is kept for a while, without a profile.
  ops        BIGINT  NOT NULL DEFAULT 0 -- Counts the transactions that have locked the row since it was inserted.
) WITH (fillfactor = 80);

CREATE INDEX gs_users_admin ON gs_users (id) WHERE admin = TRUE;
CREATE INDEX gs_users_deleted ON gs_users (deleted_ms) WHERE deleted_ms IS NOT NULL;

-- Each page has free room, and no index contains seen_ms. So recording a use changes no
-- index.
CREATE TABLE gs_sessions (
  id         BYTEA    NOT NULL PRIMARY KEY CHECK (octet_length(id) = 32),
  tag        BYTEA    NOT NULL CHECK (octet_length(tag) = 12),
  user_id    TEXT COLLATE "C" NOT NULL REFERENCES gs_users (id) ON DELETE CASCADE,
  created_ms BIGINT   NOT NULL,
  abs_ms     BIGINT   NOT NULL, -- absolute end of the session
  idle_ms    BIGINT   NOT NULL, -- a duration, not a time
  seen_ms    BIGINT   NOT NULL,
  revoked_ms BIGINT,            -- NULL, or when the session was ended. The row stays, so that its ID is not used again.
  revoked_by SMALLINT NOT NULL DEFAULT 0, -- Why: 0 not ended, 1 revoked, 2 with its user, 3 over the limit, 4 expired, 5 token refused.
  device     BYTEA CHECK (octet_length(device) <= 600),
  CHECK ((revoked_ms IS NULL) = (revoked_by = 0))
) WITH (fillfactor = 80);

CREATE INDEX gs_sessions_user ON gs_sessions (user_id, created_ms);
CREATE INDEX gs_sessions_abs ON gs_sessions (abs_ms);

INSERT INTO gs_schema (version) VALUES (1);
