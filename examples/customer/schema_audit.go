package main

import sqlstore "github.com/googlesession/googlesession/store_sql"

// auditColumns adds the columns of the client and the sessions to the table audit, and an
// index for each way of reading a page. The new columns have a default, because a server of
// the version before may still be writing entries. MySQL cannot index TEXT and compares it
// without case, so the columns that have an index become VARBINARY.
func auditColumns() migration {
	standard := []string{
		`ALTER TABLE audit ADD COLUMN ip TEXT NOT NULL DEFAULT ''`,
		`ALTER TABLE audit ADD COLUMN user_agent TEXT NOT NULL DEFAULT ''`,
		`ALTER TABLE audit ADD COLUMN label TEXT NOT NULL DEFAULT ''`,
		`ALTER TABLE audit ADD COLUMN sessions TEXT NOT NULL DEFAULT ''`,
		`CREATE INDEX audit_time ON audit (created_at, id)`,
		`CREATE INDEX audit_action ON audit (action, id)`,
		`CREATE INDEX audit_actor ON audit (actor, id)`,
		`CREATE INDEX audit_target ON audit (target, id)`,
		`CREATE INDEX audit_actor_action ON audit (actor, action, id)`,
		`CREATE INDEX audit_target_action ON audit (target, action, id)`,
	}
	return migration{alter: map[sqlstore.Dialect]alteration{
		sqlstore.SQLite:     {statements: standard},
		sqlstore.PostgreSQL: {statements: standard},
		sqlstore.MySQL: {
			done: `SELECT count(*) FROM information_schema.columns
				WHERE table_schema = database() AND table_name = 'audit' AND column_name = 'sessions'`,
			statements: []string{`ALTER TABLE audit
				MODIFY actor  VARBINARY(255) NOT NULL,
				MODIFY action VARBINARY(64) NOT NULL,
				MODIFY target VARBINARY(255) NOT NULL,
				ADD COLUMN ip         VARCHAR(45) NOT NULL DEFAULT '',
				ADD COLUMN user_agent VARCHAR(512) NOT NULL DEFAULT '',
				ADD COLUMN label      VARCHAR(100) NOT NULL DEFAULT '',
				ADD COLUMN sessions   VARBINARY(2400) NOT NULL DEFAULT '',
				ADD INDEX audit_time (created_at, id),
				ADD INDEX audit_action (action, id),
				ADD INDEX audit_actor (actor, id),
				ADD INDEX audit_target (target, id),
				ADD INDEX audit_actor_action (actor, action, id),
				ADD INDEX audit_target_action (target, action, id)`},
		},
	}}
}
