package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// mysqlLock is the name of the lock that keeps other migrations of the same tables out.
// The name is a hash, because the name of a lock can have at most 64 characters.
const mysqlLock = `MD5(CONCAT(DATABASE(), '.{schema}'))`

// mysqlStandby is an SQL condition. It is true on a replica, where read_only is on, and
// on a reader of Amazon Aurora, where innodb_read_only is on. The value of read_only is a
// word in MariaDB 12 and a number in other versions.
const mysqlStandby = `(CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only)`

func mysql() dialect {
	return dialect{
		name:       MySQL,
		standby:    mysqlStandby,
		notStandby: `AND NOT ` + mysqlStandby,
		// UNIX_TIMESTAMP(NOW()) would repeat an hour each autumn, when daylight saving time
		// ends.
		now:          `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)`,
		onConflict:   `ON DUPLICATE KEY UPDATE ops = ops + 1`,
		useLiveIndex: `FORCE INDEX ({sessions}_live)`,
		inSubquery:   `IN`,
		search: search{
			inRange:  `u.flags = {admin} * 2 + {disabled}`,
			idKey:    `u.id`,
			emailKey: `u.email_key`,
			nameKey:  `u.name_key`,
			keyBytes: 100,
			// MySQL searches an index for this condition, but not for a comparison of pairs. With two
			// parts it would sort.
			beyond:   []string{`({key} = ? AND u.id > ? OR {key} > ? AND {key} < ?)`},
			useIndex: `FORCE INDEX ({users}_by_{order})`,
		},
		prepares:            true, // A statement that is not prepared costs a second round trip.
		ddlNotTransactional: true,
		isolation:           sql.LevelReadCommitted,
		install: bracket{
			begin:    []string{`SELECT GET_LOCK(` + mysqlLock + `, 600)`},
			commit:   `SELECT RELEASE_LOCK(` + mysqlLock + `)`,
			rollback: `SELECT RELEASE_LOCK(` + mysqlLock + `)`,
		},
		lockUpgrade: lockUpgradeMySQL,
		insist:      `SET SESSION lock_wait_timeout = 1`,
		check:       checkMySQL,
		findings:    findMySQL,
		columns: `
SELECT LOWER(table_name), LOWER(column_name)
FROM information_schema.columns
WHERE table_schema = DATABASE() AND LOWER(table_name) IN ('{schema}', '{users}', '{sessions}')`,
		index: `
SELECT 1
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND LOWER(table_name) IN ('{users}', '{sessions}') AND LOWER(index_name) = ?
LIMIT 1`,
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
		return fmt.Errorf("%w: no database selected: the data source name must name one", ErrSetup)
	case charset.String != "utf8mb4":
		return fmt.Errorf("%w: the connection's character set is %s, must be utf8mb4", ErrSetup, charset.String)
	case !autocommit:
		return fmt.Errorf("%w: autocommit is off: revocations would not be committed", ErrSetup)
	case !logs:
		return nil
	}
	format, err := mysqlVariable(ctx, q, "binlog_format") // This is the value for the session, not the global one.
	if err == nil && format == "STATEMENT" {
		err = errStatementFormat
	}
	return err
}

// mysqlVariable returns the value of a variable, or "" if the server's version does not
// have the variable.
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
		standby, innodbWritable, binlog bool
		flush, syncBinlog               int
		doublewrite                     sql.NullString
	)
	err = q.QueryRowContext(ctx, `
SELECT `+mysqlStandby+`, NOT @@global.innodb_read_only, @@global.log_bin, @@global.innodb_flush_log_at_trx_commit, @@global.sync_binlog, @@global.innodb_doublewrite`).
		Scan(&standby, &innodbWritable, &binlog, &flush, &syncBinlog, &doublewrite)
	if err != nil {
		return nil, err
	}
	switch {
	case standby && innodbWritable:
		f = append(f, Finding{true, "read_only is on, as on a replica: every call of the store fails"})
	case standby:
		f = append(f, Finding{true, "innodb_read_only is on, as on a reader of Amazon Aurora: every call of the store fails"})
	}
	if flush != 1 {
		f = append(f, Finding{true, fmt.Sprintf("innodb_flush_log_at_trx_commit is %d, must be 1: a crash may bring back revoked sessions", flush)})
	}
	if binlog && syncBinlog != 1 {
		f = append(f, Finding{true, fmt.Sprintf("sync_binlog is %d, must be 1: a power cut may bring back revoked sessions", syncBinlog)})
	}
	if s := doublewrite.String; s == "0" || s == "OFF" {
		f = append(f, Finding{false, "innodb_doublewrite is off: a power cut may destroy the database"})
	}
	galera, err := mysqlVariable(ctx, q, "wsrep_on")
	if err != nil || galera != "ON" {
		return f, err
	}
	f = append(f, Finding{true, "the server is a node of Galera: crashes may lose commits; use one node for everything"})
	wait, err := mysqlVariable(ctx, q, "wsrep_sync_wait")
	if bits, _ := strconv.Atoi(wait); bits&galeraWaits != galeraWaits {
		f = append(f, Finding{true, fmt.Sprintf("the server is a node of Galera: wsrep_sync_wait is %s, must be 7: other nodes answer from the past and admit revoked sessions", wait)})
	}
	return f, err
}

// galeraWaits are the bits of Galera's variable wsrep_sync_wait: 1 for SELECT, 2 for
// UPDATE and DELETE, 4 for INSERT.
const galeraWaits = 1 | 2 | 4
