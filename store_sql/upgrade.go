package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A step of an upgrade waits at most this long for its turn, because the requests that
// come after it wait behind it; then it lets them pass and tries again.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second

	// politeTries is how often a step in MariaDB is tried that does not wait at all. One
	// that waits makes a transaction fail that has read a table and then changes it.
	politeTries = 10

	// patience is how long it tries again before it says that it cannot.
	patience = 10 * time.Minute
)

// breath is the pause between two steps in SQLite, in which writers have their turn: they
// sleep and try again, and do not queue up.
const breath = 100 * time.Millisecond

// upgrade leads from one version to the next on tables that are in use. Each step is by
// itself, and is left out if an upgrade that was cut off has done it.
func (s *Store) upgrade(ctx context.Context, conn *sql.Conn, from int, text string) (err error) {
	release, err := s.dialect.exclude(ctx, s, conn)
	if err != nil {
		return err
	}
	defer release()
	for statement := range statementsOf(text) {
		if err := s.step(ctx, conn, from, statement); err != nil {
			return fmt.Errorf("version %d: %w", from+1, err)
		}
		if !s.dialect.oneWriter {
			continue
		}
		if err := sleep(ctx, breath); err != nil {
			return err
		}
	}
	return nil
}

// errBuilding says that a connection which this package has lost is still building.
var errBuilding = errors.New("another connection is building the index")

// step runs a statement. One that does not get its turn in time is repeated.
func (s *Store) step(ctx context.Context, conn *sql.Conn, from int, statement string) error {
	began := time.Now()
	for pause, tries := firstPause, 1; ; pause, tries = min(2*pause, longestPause), tries+1 {
		if tries == politeTries && s.dialect.insists != "" {
			if _, err := conn.ExecContext(ctx, s.dialect.insists); err != nil {
				return err
			}
		}
		err := s.try(ctx, conn, from, statement)
		if err == nil || !isBusy(err) || time.Since(began) > patience {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

var (
	addsColumn = regexp.MustCompile(`(?m)^ALTER TABLE (\w+) ADD COLUMN (\w+)`)
	addsIndex  = regexp.MustCompile(`(?m)^(?:CREATE|ALTER TABLE \w+ ADD) INDEX (\w+)`)
)

func (s *Store) try(ctx context.Context, conn *sql.Conn, from int, statement string) error {
	index := addsIndex.FindStringSubmatch(statement)
	if index != nil && s.dialect.concurrently {
		return s.buildIndex(ctx, conn, index[1], strings.Replace(statement, "CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1))
	}
	d := s.dialect
	return s.bracket(ctx, conn, d.stepBegin, d.stepCommit, d.stepRollback, func() error {
		done, err := s.isDone(ctx, conn, from, statement)
		if err != nil || done {
			return err
		}
		_, err = conn.ExecContext(ctx, statement)
		return err
	})
}

// isDone reports whether the step is behind us: an upgrade was cut off after it, or
// another process has made all of them.
func (s *Store) isDone(ctx context.Context, q querier, from int, statement string) (bool, error) {
	if m := addsColumn.FindStringSubmatch(statement); m != nil {
		tables, err := s.tables(ctx, q)
		return tables[m[1]][m[2]], err
	}
	if m := addsIndex.FindStringSubmatch(statement); m != nil {
		state, err := s.indexState(ctx, q, m[1])
		return state != indexAbsent, err
	}
	version, err := s.schemaVersion(ctx, q)
	return version > from, err
}

// What there is under an index's name. Only PostgreSQL knows the last two: it builds an
// index beside everything else, and leaves it behind when that is cut off.
const (
	indexAbsent = iota
	indexUsable
	indexGrowing
	indexBroken
)

func (s *Store) indexState(ctx context.Context, q querier, name string) (state int, err error) {
	err = q.QueryRowContext(ctx, s.sql.index, name).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return indexAbsent, nil
	}
	return state, err
}

// buildIndex makes an index without keeping anybody from reading or writing. It cannot be
// part of a transaction.
func (s *Store) buildIndex(ctx context.Context, conn *sql.Conn, name, statement string) error {
	state, err := s.indexState(ctx, conn, name)
	switch {
	case err != nil || state == indexUsable:
		return err
	case state == indexGrowing:
		return errBuilding
	case state == indexBroken:
		if _, err := conn.ExecContext(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+name); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx, statement)
	return err
}

// isBusy reports whether a statement did not get its turn.
func isBusy(err error) bool {
	if errors.Is(err, errBuilding) {
		return true
	}
	switch sqlState(err) {
	case pgLockTimeout, pgDeadlock, pgRelationTwice:
		return true
	}
	switch mysqlNumber(err) {
	case errLockTimeout, errDeadlock:
		return true
	}
	return strings.Contains(err.Error(), "database is locked") // SQLite's
}

// Codes of failures that only an upgrade meets.
const (
	pgLockTimeout   = "55P03"
	pgRelationTwice = "42P07" // an index that another connection has just begun to build
	errLockTimeout  = 1205
)

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// excludePostgres keeps other upgrades out, by a lock that a transaction on a connection
// of its own holds. It does not wait for that lock within a statement: building an index
// waits for all statements that began before it.
func excludePostgres(ctx context.Context, s *Store, _ *sql.Conn) (release func(), err error) {
	if s.db.Stats().MaxOpenConnections == 1 {
		return nil, fmt.Errorf("%w: upgrading the tables takes two connections: SetMaxOpenConns(2)", ErrSetup)
	}
	// At a stricter level, the idle transaction would be waited for as well.
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	got, err := false, error(nil)
	for err == nil && !got {
		err = tx.QueryRowContext(ctx, s.prefixed(`SELECT pg_try_advisory_xact_lock(hashtext('gs_schema'))`)).Scan(&got)
		if err == nil {
			// What was selected last keeps its snapshot, and is waited for, until another
			// statement takes its place.
			_, err = tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0")
		}
		if err == nil && !got {
			err = sleep(ctx, firstPause)
		}
	}
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return func() { _ = tx.Rollback() }, nil
}

// excludeMySQL keeps other upgrades out, and bounds how long a step waits for its turn.
func excludeMySQL(ctx context.Context, s *Store, conn *sql.Conn) (release func(), err error) {
	release = func() {
		s.rollBack(ctx, conn, `SET SESSION lock_wait_timeout = @gs_lock_wait_timeout`)
		s.rollBack(ctx, conn, s.dialect.rollback)
	}
	for _, statement := range append([]string{
		`SET @gs_lock_wait_timeout = @@session.lock_wait_timeout`,
		`SET SESSION lock_wait_timeout = 0`, // in MySQL, a second
	}, s.dialect.begin...) {
		if _, err := conn.ExecContext(ctx, s.prefixed(statement)); err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// excludeSQLite does nothing: each step is a transaction that looks whether it was done.
func excludeSQLite(context.Context, *Store, *sql.Conn) (release func(), err error) {
	return func() {}, nil
}
