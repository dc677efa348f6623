
-- Version 4. Reads and writes continue during this statement, but at its beginning the
-- statement waits for a lock. On tables that are in use, set lock_wait_timeout to a second
-- first, as Migrate does, and repeat a statement that did not get its lock.

-- The session's Binding, at most 64 bytes. NULL means "".
ALTER TABLE gs_sessions ADD COLUMN binding VARBINARY(64), ALGORITHM = INSTANT;

INSERT INTO gs_schema (version) VALUES (4);
