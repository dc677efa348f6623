package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

func sqlite() dialect {
	return dialect{
		name:    SQLite,
		standby: never,
		// julianday counts days; rounding takes back what its binary fraction loses, and
		// is cheaper so than by ROUND.
		now:       `CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)`,
		upsert:    `ON CONFLICT (id) DO UPDATE SET ops = gs_users.ops + 1`,
		among:     `IN`,
		local:     true,
		prepares:  true,
		oneWriter: true,
		isolation: sql.LevelDefault, // serializable
		columns: `
SELECT lower(t.name), c.name
FROM sqlite_schema AS t
JOIN pragma_table_info(t.name) AS c
WHERE lower(t.name) IN ('gs_schema', 'gs_users', 'gs_sessions')`,
		index: `
SELECT 1
FROM sqlite_schema
WHERE type = 'index' AND lower(tbl_name) IN ('gs_users', 'gs_sessions') AND lower(name) = ?`,
		begin:    []string{`BEGIN IMMEDIATE`},
		commit:   `COMMIT`,
		rollback: `ROLLBACK`,

		stepBegin:    []string{`BEGIN IMMEDIATE`},
		stepCommit:   `COMMIT`,
		stepRollback: `ROLLBACK`,
		exclude:      excludeSQLite,

		check:    checkSQLite,
		findings: func(context.Context, querier) ([]Finding, error) { return nil, nil }, // what matters, check refuses
	}
}

// syncFull is SQLite's synchronous=FULL, as a number.
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
			return fmt.Errorf("%w: a database in memory belongs to one connection: call SetMaxOpenConns(1)", ErrSetup)
		}
		return nil
	case journal != "wal":
		return fmt.Errorf("%w: journal_mode is %s, needed wal", ErrSetup, journal)
	case syncLevel < syncFull:
		return fmt.Errorf("%w: synchronous is %d, needed FULL (2): a power cut would bring back revoked sessions", ErrSetup, syncLevel)
	case waits == 0:
		return fmt.Errorf("%w: busy_timeout is 0, needed about 5000 ms", ErrSetup)
	}
	return nil
}
