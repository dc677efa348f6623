package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// mysqlLock is one per database and prefix; its name may have 64 characters.
const mysqlLock = `MD5(CONCAT(DATABASE(), '.gs_schema'))`

// mysqlStandby: a replica is read_only, which is a word in MariaDB 12 and a number
// elsewhere. A reader of Amazon Aurora's is innodb_read_only.
const mysqlStandby = `(CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only)`

func mysql() dialect {
	return dialect{
		name:     MySQL,
		standby:  mysqlStandby,
		writable: `AND NOT ` + mysqlStandby,
		// Not UNIX_TIMESTAMP(NOW()), which repeats an hour each autumn.
		now:       `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)`,
		upsert:    `ON DUPLICATE KEY UPDATE ops = ops + 1`,
		hint:      `FORCE INDEX (gs_sessions_live)`,
		ordered:   `FORCE INDEX (PRIMARY)`,
		among:     `IN`,
		prepares:  true, // or each costs a round trip more
		resumes:   true,
		isolation: sql.LevelReadCommitted,
		columns: `
SELECT LOWER(table_name), LOWER(column_name)
FROM information_schema.columns
WHERE table_schema = DATABASE() AND LOWER(table_name) IN ('gs_schema', 'gs_users', 'gs_sessions')`,
		index: `
SELECT 1
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND LOWER(table_name) IN ('gs_users', 'gs_sessions') AND LOWER(index_name) = ?
LIMIT 1`,
		begin:    []string{`SELECT GET_LOCK(` + mysqlLock + `, 600)`},
		commit:   `SELECT RELEASE_LOCK(` + mysqlLock + `)`,
		rollback: `SELECT RELEASE_LOCK(` + mysqlLock + `)`,
		exclude:  excludeMySQL,
		insists:  `SET SESSION lock_wait_timeout = 1`,
		check:    checkMySQL,
		findings: findMySQL,
	}
}

func checkMySQL(ctx context.Context, q querier, _ *sql.DB) error {
	var (
		charset, database sql.NullString
		autocommit, logs  bool
	)
	err := q.QueryRowContext(ctx, `SELECT @@character_set_client, @@autocommit, @@global.log_bin, DATABASE()`).
		Scan(&charset, &autocommit, &logs, &database)
	switch {
	case err != nil:
		return err
	case !database.Valid:
		return fmt.Errorf("%w: no database selected", ErrSetup)
	case charset.String != "utf8mb4":
		return fmt.Errorf("%w: the connection's character set is %s, needed utf8mb4", ErrSetup, charset.String)
	case !autocommit:
		return fmt.Errorf("%w: autocommit is off: revocations would not be committed", ErrSetup)
	case !logs:
		return nil
	}
	format, err := mysqlVariable(ctx, q, "binlog_format") // the session's
	if err == nil && format == "STATEMENT" {
		err = errStatementFormat
	}
	return err
}

// mysqlVariable returns a variable that not every version has, or "".
func mysqlVariable(ctx context.Context, q querier, name string) (string, error) {
	var value string
	err := q.QueryRowContext(ctx, `SHOW VARIABLES LIKE '`+name+`'`).Scan(&name, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func findMySQL(ctx context.Context, q querier) (f []Finding, err error) {
	var (
		standby, readOnly, binlog bool
		flush, syncBinlog         int
		doublewrite               sql.NullString
	)
	err = q.QueryRowContext(ctx, `
SELECT `+mysqlStandby+`, NOT @@global.innodb_read_only, @@global.log_bin, @@global.innodb_flush_log_at_trx_commit, @@global.sync_binlog, @@global.innodb_doublewrite`).
		Scan(&standby, &readOnly, &binlog, &flush, &syncBinlog, &doublewrite)
	if err != nil {
		return nil, err
	}
	switch {
	case standby && readOnly:
		f = append(f, Finding{true, "read_only is on, as on a replica: the store answers 503"})
	case standby:
		f = append(f, Finding{true, "innodb_read_only is on, as on a reader of Amazon Aurora's: the store answers 503"})
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
	galera, err := mysqlVariable(ctx, q, "wsrep_on")
	if err != nil || galera != "ON" {
		return f, err
	}
	f = append(f, Finding{true, "Galera: crashes may lose commits: use one node for everything"})
	wait, err := mysqlVariable(ctx, q, "wsrep_sync_wait")
	if bits, _ := strconv.Atoi(wait); bits&galeraWaits != galeraWaits {
		f = append(f, Finding{true, fmt.Sprintf("Galera: wsrep_sync_wait is %s, needed 7: nodes answer from the past, and admit revoked sessions", wait)})
	}
	return f, err
}

// galeraWaits are the bits of wsrep_sync_wait for SELECT, for UPDATE and DELETE, and for
// INSERT.
const galeraWaits = 1 | 2 | 4
