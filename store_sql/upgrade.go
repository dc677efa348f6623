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

// A step of an upgrade waits only for a short time for its lock, because later requests
// wait behind it. A step that does not get its lock pauses, so that these requests can go
// on, and is tried again.
const (
	// firstPause is the pause after the first attempt. The pause doubles after each further
	// attempt, up to longestPause.
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second

	// politeTries is the number of the first attempt at a step that waits for its lock in
	// MariaDB. Earlier attempts do not wait, because a step that waits makes a transaction
	// fail that has read the table and then changes it.
	politeTries = 10

	// giveUpAfter is how long a step is attempted before the upgrade fails.
	giveUpAfter = 10 * time.Minute
)

// writersPause is the pause between two steps in SQLite. SQLite has no queue for writers.
// A writer that finds the database locked sleeps and tries again, so writers need a time
// in which the database is not locked.
const writersPause = 100 * time.Millisecond

// upgrade changes the tables from the version from to the next version, while other
// clients use them. Each statement of text is a step. A step is a transaction if the
// database allows that. A step that an interrupted upgrade has done is left out.
func (s *Store) upgrade(ctx context.Context, conn *sql.Conn, from int, text string) (err error) {
	release, err := s.dialect.lockUpgrade(ctx, s, conn)
	if err != nil {
		return err
	}
	defer release()
	for statement := range statementsOf(text) {
		if err := s.step(ctx, conn, from, statement); err != nil {
			return fmt.Errorf("upgrading the tables to version %d: %w", from+1, err)
		}
		if !s.dialect.oneWriter {
			continue
		}
		if err := sleep(ctx, writersPause); err != nil {
			return err
		}
	}
	return nil
}

// errBuilding is returned if another connection is building the index that a step should
// build. It may be a connection that an earlier call has lost.
var errBuilding = errors.New("another connection is building the index")

// step runs a statement of an upgrade. It repeats a statement that does not get its lock
// in time, until giveUpAfter.
func (s *Store) step(ctx context.Context, conn *sql.Conn, from int, statement string) error {
	began := time.Now()
	for pause, tries := firstPause, 1; ; pause, tries = min(2*pause, longestPause), tries+1 {
		if tries == politeTries && s.sql.insist != "" {
			if _, err := conn.ExecContext(ctx, s.sql.insist); err != nil {
				return err
			}
		}
		err := s.tryStep(ctx, conn, from, statement)
		if err == nil || !isBusy(err) || time.Since(began) > giveUpAfter {
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

func (s *Store) tryStep(ctx context.Context, conn *sql.Conn, from int, statement string) error {
	index := addsIndex.FindStringSubmatch(statement)
	if index != nil && s.dialect.concurrently {
		return s.buildIndex(ctx, conn, index[1], strings.Replace(statement, "CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1))
	}
	return s.inBracket(ctx, conn, s.sql.step, func() error {
		done, err := s.isDone(ctx, conn, from, statement)
		if err != nil || done {
			return err
		}
		_, err = conn.ExecContext(ctx, statement)
		return err
	})
}

// isDone reports whether the step was done before, by an upgrade that was interrupted
// after the step or by another process.
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

// These are the states of an index, as the statement dialect.index selects them. Only
// PostgreSQL has indexGrowing and indexBroken, because it builds an index concurrently,
// and leaves a broken index behind if the building is interrupted.
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

// buildIndex makes an index while other clients read and write, outside a transaction,
// because PostgreSQL does not allow CREATE INDEX CONCURRENTLY inside one.
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
