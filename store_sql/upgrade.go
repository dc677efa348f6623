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

// A step of an upgrade waits only for a short time for its lock, because requests that
// come after it wait behind it. If it does not get the lock it lets them pass, pauses, and
// tries again.
const (
	// firstPause is the pause after the first attempt. It doubles up to longestPause.
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second

	// politeTries is how often a step is attempted in MariaDB without waiting at all. Later
	// attempts wait for the table's lock. While a step waits, a transaction that has read the
	// table and then changes it fails, because both would wait for each other.
	politeTries = 10

	// giveUpAfter is how long a step is attempted before the upgrade fails.
	giveUpAfter = 10 * time.Minute
)

// writersPause is the pause between two steps in SQLite. Writers sleep and try again, and
// do not queue, so they need a while in which the database is not locked.
const writersPause = 100 * time.Millisecond

// upgrade changes the tables from one version to the next while they are in use. Each step
// is a transaction. A step is left out if an interrupted upgrade has done it.
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

// errBuilding is returned while another connection builds the index. That may be a
// connection of an earlier call, which has lost it.
var errBuilding = errors.New("another connection is building the index")

// step runs a statement of an upgrade. It repeats a statement that does not get its lock
// in time.
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
// after it or by another process.
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

// The states of an index, as the statement dialect.index selects them. Only PostgreSQL has
// the last two. It builds an index concurrently, and leaves a broken index behind if the
// building is interrupted.
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

// buildIndex makes an index while other clients read and write. PostgreSQL does not allow
// that inside a transaction.
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
