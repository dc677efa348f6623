
-- Version 4.

-- The session's Binding, at most 64 bytes. NULL means "".
ALTER TABLE gs_sessions ADD COLUMN binding BLOB;

INSERT INTO gs_schema (version) VALUES (4);
