package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// raiseCommit is an SQL condition that is always true. If synchronous_commit is weaker
// than on, the condition raises it to on until the transaction ends. The value
// remote_apply is stronger than on and is kept.
const raiseCommit = `set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> ''`

func postgres() dialect {
	return dialect{
		name: PostgreSQL,
		// A primary with default_transaction_read_only counts as a standby, because another
		// server may have taken over its role already.
		standby: `(pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean)`,
		// The function now() would be wrong, because it returns when the transaction began,
		// and the transaction may have waited since.
		now: `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint`,
		// A condition is part of a statement that is sent anyway, and SET LOCAL would be one
		// more statement.
		durable: `
AND ` + raiseCommit,
		// PostgreSQL does not wait at the commit of a transaction without changes. A message
		// in the log is a change that locks nothing, and it comes after all changes that the
		// transaction has seen.
		waitDurable: `(pg_logical_emit_message(` + raiseCommit + `, 'googlesession', ''::text) IS NOT NULL)`,
		onConflict:  `ON CONFLICT (id) DO UPDATE SET ops = {users}.ops + 1`,
		skipLocked:  `FOR UPDATE SKIP LOCKED`,
		// With IN, PostgreSQL reads the whole of a table that has no statistics yet.
		inSubquery:  `= ANY (ARRAY`,
		endSubquery: `)`,
		search: search{
			inRange:  inPartialIndex,
			idKey:    `(u.id || '')`,
			emailKey: `lower(u.email COLLATE "C")`,
			nameKey:  `lower(u.name COLLATE "C")`,
			beyond:   []string{`({key}, u.id) > (?, ?) AND {key} < ?`},
		},
		numberedParameters: true,
		echoes:             true,
		isolation:          sql.LevelReadCommitted,
		install: bracket{
			begin:    []string{`BEGIN`, `SELECT pg_advisory_xact_lock(hashtext('{schema}'))`},
			commit:   `COMMIT`,
			rollback: `ROLLBACK`,
		},
		step:         bracket{begin: []string{`BEGIN`, `SET LOCAL lock_timeout = '500ms'`}, commit: `COMMIT`, rollback: `ROLLBACK`},
		lockUpgrade:  lockUpgradePostgres,
		concurrently: true,
		check:        checkPostgres,
		findings:     findPostgres,
		// The function to_regclass finds the tables in the connection's search_path.
		columns: `
SELECT c.relname, a.attname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE c.oid IN (to_regclass('{schema}'), to_regclass('{users}'), to_regclass('{sessions}'))
AND a.attnum > 0 AND NOT a.attisdropped`,
		index: `
SELECT CASE WHEN i.indisvalid THEN 1
WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid) THEN 2
ELSE 3 END
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid IN (to_regclass('{users}'), to_regclass('{sessions}')) AND c.relname = ?`,
	}
}

func checkPostgres(ctx context.Context, q querier, _ *sql.DB) error {
	var encoding string
	if err := q.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w: the database's encoding is %s, must be UTF8", ErrSetup, encoding)
	}
	return nil
}

func findPostgres(ctx context.Context, q querier) (f []Finding, err error) {
	var (
		recovery                            bool
		fsync, pages, vacuum, commit, names string
		standbys                            int
	)
	err = q.QueryRowContext(ctx, `
SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), current_setting('autovacuum'),
current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
(SELECT COUNT(*) FROM pg_stat_replication)`).Scan(&recovery, &fsync, &pages, &vacuum, &commit, &names, &standbys)
	if err != nil {
		return nil, err
	}
	if recovery {
		f = append(f, Finding{true, "the server is a standby: every call of the store fails"})
	}
	if fsync == "off" {
		f = append(f, Finding{true, "fsync is off: a power cut may bring back revoked sessions, or destroy the database"})
	}
	if pages == "off" {
		f = append(f, Finding{true, "full_page_writes is off: a power cut may destroy the database"})
	}
	if vacuum == "off" {
		f = append(f, Finding{false, "autovacuum is off: the table grows, because each recorded use leaves a dead row behind"})
	}
	if commit != "on" && commit != "remote_apply" {
		f = append(f, Finding{false, "synchronous_commit is " + commit + ": the store raises it to on for revocations"})
	}
	if standbys > 0 && names == "" {
		f = append(f, Finding{false, "standbys are asynchronous: a failover may undo the latest revocations, which synchronous_standby_names prevents"})
	}
	return f, nil
}
