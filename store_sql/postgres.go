package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// raiseCommit is true. Its effect ends with the transaction.
const raiseCommit = `set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, TRUE) <> ''`

func postgres() dialect {
	return dialect{
		name: PostgreSQL,
		// A primary that was told to take no more changes may have a successor already.
		standby: `(pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean)`,
		// Not now(), which is when the transaction began: it may have waited since.
		now: `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint`,
		// Weaker settings are raised, for this transaction and without a statement more.
		// remote_apply waits for even more and is left.
		sync: `
AND ` + raiseCommit,
		// A commit without changes waits for nothing. A message in the log is a change that
		// locks nothing, and later than what the transaction has seen.
		wait:   `(pg_logical_emit_message(` + raiseCommit + `, 'googlesession', ''::text) IS NOT NULL)`,
		upsert: `ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1`,
		skip:   `FOR UPDATE SKIP LOCKED`,
		// With IN, a table without statistics is read from one end to the other.
		among:     `= ANY (ARRAY`,
		amongEnd:  `)`,
		numbered:  true,
		proves:    true,
		isolation: sql.LevelReadCommitted,
		// to_regclass finds what the names mean in the connection's search_path.
		columns: `
SELECT c.relname, a.attname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE c.oid IN (to_regclass('gs_schema'), to_regclass('gs_users'), to_regclass('gs_sessions'))
AND a.attnum > 0 AND NOT a.attisdropped`,
		index: `
SELECT CASE WHEN i.indisvalid THEN 1
WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid) THEN 2
ELSE 3 END
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid IN (to_regclass('gs_users'), to_regclass('gs_sessions')) AND c.relname = ?`,
		begin:    []string{`BEGIN`, `SELECT pg_advisory_xact_lock(hashtext('gs_schema'))`},
		commit:   `COMMIT`,
		rollback: `ROLLBACK`,

		stepBegin:    []string{`BEGIN`, `SET LOCAL lock_timeout = '500ms'`},
		stepCommit:   `COMMIT`,
		stepRollback: `ROLLBACK`,
		exclude:      excludePostgres,
		concurrently: true,

		check:    checkPostgres,
		findings: findPostgres,
	}
}

func checkPostgres(ctx context.Context, q querier, _ *sql.DB) error {
	var encoding string
	if err := q.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w: the database's encoding is %s, needed UTF8", ErrSetup, encoding)
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
		f = append(f, Finding{true, "the server is a standby: the store answers 503"})
	}
	if fsync == "off" {
		f = append(f, Finding{true, "fsync is off: a power cut may bring back revoked sessions, or destroy the database"})
	}
	if pages == "off" {
		f = append(f, Finding{true, "full_page_writes is off: a power cut may destroy the database"})
	}
	if vacuum == "off" {
		f = append(f, Finding{false, "autovacuum is off: each recorded use leaves a dead row behind"})
	}
	if commit != "on" && commit != "remote_apply" {
		f = append(f, Finding{false, "synchronous_commit is " + commit + ": the store raises it to on for revocations"})
	}
	if standbys > 0 && names == "" {
		f = append(f, Finding{false, "standbys are asynchronous: a failover may undo the latest revocations; synchronous_standby_names prevents it"})
	}
	return f, nil
}
