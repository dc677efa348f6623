package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

func sqlite() dialect {
	return dialect{
		name:    SQLite,
		standby: noStandby,
		// julianday returns a binary fraction of days, which is not exact. Adding 0.5 before
		// the CAST rounds it to the nearest millisecond, and is cheaper than ROUND.
		now:        `CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)`,
		onConflict: `ON CONFLICT (id) DO UPDATE SET ops = {users}.ops + 1`,
		inSubquery: `IN`,
		search: search{
			inRange:  inPartialIndex,
			idKey:    `u.id`,
			emailKey: `u.email COLLATE NOCASE`,
			nameKey:  `u.name COLLATE NOCASE`,
			beyond:   beyondInTwo,
		},
		inProcess:   true,
		prepares:    true,
		oneWriter:   true,
		isolation:   sql.LevelDefault, // Transactions of SQLite are serializable by default.
		install:     bracket{begin: []string{`BEGIN IMMEDIATE`}, commit: `COMMIT`, rollback: `ROLLBACK`},
		step:        bracket{begin: []string{`BEGIN IMMEDIATE`}, commit: `COMMIT`, rollback: `ROLLBACK`},
		lockUpgrade: lockUpgradeSQLite,
		check:       checkSQLite,
		findings:    findSQLite,
		columns: `
SELECT lower(t.name), c.name
FROM sqlite_schema AS t
JOIN pragma_table_info(t.name) AS c
WHERE lower(t.name) IN ('{schema}', '{users}', '{sessions}')`,
		index: `
SELECT 1
FROM sqlite_schema
WHERE type = 'index' AND lower(tbl_name) IN ('{users}', '{sessions}') AND lower(name) = ?`,
	}
}

// findSQLite returns no findings, because checkSQLite refuses every setting that matters.
func findSQLite(context.Context, querier) ([]Finding, error) { return nil, nil }

// syncFull is the number that SQLite reports for synchronous=FULL.
const syncFull = 2

func checkSQLite(ctx context.Context, q querier, db *sql.DB) error {
	var (
		file             sql.NullString
		journal          string
		syncLevel, waits int
	)
	err := q.QueryRowContext(ctx, `
SELECT d.file, j.journal_mode, s.synchronous, b.timeout
FROM pragma_database_list AS d, pragma_journal_mode AS j, pragma_synchronous AS s, pragma_busy_timeout AS b
WHERE d.name = 'main'`).Scan(&file, &journal, &syncLevel, &waits)
	switch {
	case err != nil:
		return err
	case file.String == "":
		if n := db.Stats().MaxOpenConnections; n != 1 {
			return fmt.Errorf("%w: a database in memory needs SetMaxOpenConns(1), because each connection has its own", ErrSetup)
		}
		return nil
	case journal != "wal":
		return fmt.Errorf("%w: journal_mode is %s, must be wal", ErrSetup, journal)
	case syncLevel < syncFull:
		return fmt.Errorf("%w: synchronous is %d, must be FULL (2): a power cut would bring back revoked sessions", ErrSetup, syncLevel)
	case waits == 0:
		return fmt.Errorf("%w: busy_timeout is 0, should be about 5000 ms", ErrSetup)
	}
	return nil
}
