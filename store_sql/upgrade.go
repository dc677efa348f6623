package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// A step of an upgrade waits only for a short time for its lock, because later requests
// wait behind it. A step that does not get its lock pauses, so that these requests can go
// on, and is tried again. The pause is twice as long as the attempt, so requests wait for
// at most a third of the time. An attempt that does not wait is repeated soon.
const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 2 * time.Second

	// politeFor is how long a step is attempted in MariaDB without waiting for its lock. It
	// waits only then, because a step that waits makes a transaction fail that has read the
	// table and then changes it.
	politeFor = 5 * time.Second

	// giveUpAfter is how long a step is attempted before the upgrade fails.
	giveUpAfter = 10 * time.Minute
)

// writersPause is the longest pause between two steps in SQLite. SQLite has no queue for
// writers. A writer that finds the database locked sleeps and tries again, so writers need a
// time in which the database is not locked. The pause is four times as long as the step.
const writersPause = 100 * time.Millisecond

// upgrade changes the tables from the version from to the next version, while other
// clients use them. A step is a transaction if the database allows that. A step that an
// interrupted upgrade has done is left out.
func (s *Store) upgrade(ctx context.Context, conn *sql.Conn, from int, steps []MigrationStep) (err error) {
	release, err := s.dialect.lockUpgrade(ctx, s, conn)
	if err != nil {
		return err
	}
	defer release()
	for _, step := range steps {
		began := time.Now()
		if err := s.step(ctx, conn, from, step); err != nil {
			return fmt.Errorf("upgrading the tables to version %d: %w", from+1, err)
		}
		if !s.dialect.oneWriter {
			continue
		}
		if err := sleep(ctx, min(4*time.Since(began), writersPause)); err != nil {
			return err
		}
	}
	return nil
}

// errBuilding is returned if another connection is building the index that a step should
// build. It may be a connection that an earlier call has lost.
var errBuilding = errors.New("another connection is building the index")

// step runs a step of an upgrade. It repeats a step that does not get its lock in time,
// until giveUpAfter.
func (s *Store) step(ctx context.Context, conn *sql.Conn, from int, step MigrationStep) error {
	began, polite := time.Now(), s.sql.insist != ""
	for {
		if polite && time.Since(began) > politeFor {
			if _, err := conn.ExecContext(ctx, s.sql.insist); err != nil {
				return err
			}
			polite = false
		}
		tried := time.Now()
		err := s.tryStep(ctx, conn, from, step)
		if err == nil || !isBusy(err) || time.Since(began) > giveUpAfter {
			return err
		}
		if err := sleep(ctx, min(max(2*time.Since(tried), shortestPause), longestPause)); err != nil {
			return err
		}
	}
}

var (
	addsColumn = regexp.MustCompile(`(?m)^ALTER TABLE (\w+) ADD COLUMN (\w+)`)
	addsIndex  = regexp.MustCompile(`(?m)^(?:CREATE|ALTER TABLE \w+ ADD) INDEX (?:CONCURRENTLY )?(\w+)`)
)

func (s *Store) tryStep(ctx context.Context, conn *sql.Conn, from int, step MigrationStep) error {
	if step.NoTransaction {
		return s.buildIndex(ctx, conn, addsIndex.FindStringSubmatch(step.SQL)[1], step.SQL)
	}
	return s.inBracket(ctx, conn, s.sql.step, func() error {
		done, err := s.isDone(ctx, conn, from, step.SQL)
		if err != nil || done {
			return err
		}
		_, err = conn.ExecContext(ctx, step.SQL)
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
