package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// mysqlLock is one per database and prefix; its name may have 64 characters.
const mysqlLock = `MD5(CONCAT(DATABASE(), '.gs_schema'))`

func mysql() dialect {
	return dialect{
		name:    MySQL,
		standby: `@@global.read_only`,
		// Not UNIX_TIMESTAMP(NOW()), which repeats an hour each autumn.
		now:       `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)`,
		upsert:    `ON DUPLICATE KEY UPDATE ops = ops + 1`,
		among:     `IN`,
		prepares:  true, // or each costs a round trip more
		resumes:   true,
		isolation: sql.LevelReadCommitted,
		columns: `
SELECT LOWER(table_name), LOWER(column_name)
FROM information_schema.columns
WHERE table_schema = DATABASE() AND LOWER(table_name) IN ('gs_schema', 'gs_users', 'gs_sessions')`,
		begin:    []string{`SELECT GET_LOCK(` + mysqlLock + `, 600)`},
		commit:   `SELECT RELEASE_LOCK(` + mysqlLock + `)`,
		rollback: `SELECT RELEASE_LOCK(` + mysqlLock + `)`,
		check:    checkMySQL,
		findings: findMySQL,
	}
}

func checkMySQL(ctx context.Context, q querier, _ *sql.DB) error {
	var (
		charset, database sql.NullString
		autocommit        bool
	)
	err := q.QueryRowContext(ctx, `SELECT @@character_set_client, @@autocommit, DATABASE()`).Scan(&charset, &autocommit, &database)
	switch {
	case err != nil:
		return err
	case !database.Valid:
		return fmt.Errorf("%w: no database selected", ErrSetup)
	case charset.String != "utf8mb4":
		return fmt.Errorf("%w: the connection's character set is %s, needed utf8mb4", ErrSetup, charset.String)
	case !autocommit:
		return fmt.Errorf("%w: autocommit is off: revocations would not be committed", ErrSetup)
	}
	return nil
}

func findMySQL(ctx context.Context, q querier) (f []Finding, err error) {
	var (
		readOnly, binlog    bool
		flush, syncBinlog   int
		galera, doublewrite sql.NullString
	)
	err = q.QueryRowContext(ctx, `
SELECT @@global.read_only, @@global.log_bin, @@global.innodb_flush_log_at_trx_commit, @@global.sync_binlog, @@global.innodb_doublewrite`).
		Scan(&readOnly, &binlog, &flush, &syncBinlog, &doublewrite)
	if err != nil {
		return nil, err
	}
	if readOnly {
		f = append(f, Finding{true, "read_only is on, as on a replica: the store answers 503"})
	}
	if flush != 1 {
		f = append(f, Finding{true, fmt.Sprintf("innodb_flush_log_at_trx_commit is %d, needed 1: a crash may bring back revoked sessions", flush)})
	}
	if binlog && syncBinlog != 1 {
		f = append(f, Finding{true, fmt.Sprintf("sync_binlog is %d, needed 1: a power cut may bring back revoked sessions", syncBinlog)})
	}
	if s := doublewrite.String; s == "0" || s == "OFF" {
		f = append(f, Finding{false, "innodb_doublewrite is off: a power cut may destroy the database"})
	}
	var name string
	err = q.QueryRowContext(ctx, `SHOW GLOBAL VARIABLES LIKE 'wsrep_on'`).Scan(&name, &galera)
	if err == nil && galera.String == "ON" {
		f = append(f, Finding{true, "Galera: other nodes may answer from the past, and crashes may lose commits: use one node for everything"})
	}
	return f, nil
}
