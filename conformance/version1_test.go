package conformance_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

//go:embed testdata/version1
var version1Files embed.FS

// storeTimeout is how long a call may take by the default of a Manager.
const storeTimeout = 2 * time.Second

// A version1 is a process of version 1, in which users had no TokensAfter. It sends the
// statements of that version in the same transactions.
type version1 struct {
	db         *sql.DB
	statements map[string]*sql.Stmt

	conflicts atomic.Int64
	isolation sql.IsolationLevel
	writer    sync.Locker // lets one goroutine write at a time in SQLite, as a store does
}

// version1Tables creates the tables of version 1.
func version1Tables(tb testing.TB, s sqlServer, prefix string) {
	tb.Helper()
	text, err := sqlstore.Schema(s.dialect, &sqlstore.Options{Prefix: prefix})
	require.NoError(tb, err)
	first, _, found := strings.Cut(text, "-- Version 2.")
	require.True(tb, found)
	db := s.open(tb)
	for statement := range strings.SplitAfterSeq(first, ";\n") {
		if strings.TrimSpace(statement) != "" {
			execute(tb, db, statement)
		}
	}
}

func newVersion1(tb testing.TB, s sqlServer, prefix string) *version1 {
	tb.Helper()
	text, err := version1Files.ReadFile("testdata/version1/" + string(s.dialect) + ".sql")
	require.NoError(tb, err)
	v := &version1{db: s.open(tb), statements: map[string]*sql.Stmt{}, writer: new(sync.RWMutex).RLocker(), isolation: sql.LevelReadCommitted}
	if s.dialect == sqlstore.SQLite {
		v.writer, v.isolation = new(sync.Mutex), sql.LevelDefault
	}
	v.db.SetMaxIdleConns(20)
	for block := range strings.SplitSeq(string(text), "\n\n") {
		name, statement, _ := strings.Cut(strings.TrimPrefix(block, "-- "), "\n")
		if statement == "" {
			continue
		}
		statement = strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(statement), ";"), "gs_", prefix)
		v.statements[name], err = v.db.PrepareContext(tb.Context(), statement)
		require.NoError(tb, err, name)
	}
	return v
}

func (v *version1) exec(ctx context.Context, tx *sql.Tx, name string, args ...any) error {
	stmt := v.statements[name]
	if tx != nil {
		stmt = tx.StmtContext(ctx, stmt) //nolint:sqlclosecheck // it ends with the transaction
	} else {
		v.writer.Lock()
		defer v.writer.Unlock()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, storeTimeout)
		defer cancel()
	}
	_, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// query reads all rows and returns how many there are.
func (v *version1) query(ctx context.Context, tx *sql.Tx, name string, args ...any) (n int, err error) {
	stmt := v.statements[name]
	if tx != nil {
		stmt = tx.StmtContext(ctx, stmt) //nolint:sqlclosecheck // it ends with the transaction
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, storeTimeout)
		defer cancel()
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil {
		return n, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

func (v *version1) change(ctx context.Context, f func(*sql.Tx) error) error {
	v.writer.Lock()
	defer v.writer.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return v.once(ctx, f)
}

func (v *version1) once(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := v.db.BeginTx(ctx, &sql.TxOptions{Isolation: v.isolation})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		// MySQL and MariaDB roll back a transaction that has read a table and now changes
		// it, if a step of an upgrade waits for the table. Version 1 then answered 503 to
		// one request.
		var conflict *mysql.MySQLError
		if errors.As(err, &conflict) && conflict.Number == 1213 {
			v.conflicts.Add(1)
			_ = tx.Rollback()
			return v.once(ctx, f)
		}
		return err
	}
	return tx.Commit()
}

// signIn does what SignIn and CreateSession did.
func (v *version1) signIn(ctx context.Context, userID string) (googlesession.Ref, error) {
	now := time.Now().UnixMilli()
	ref := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	_, _ = rand.Read(ref.ID[:])
	err := v.change(ctx, func(tx *sql.Tx) error {
		_, err := v.query(ctx, tx, "read", userID)
		return errors.Join(v.exec(ctx, tx, "signIn", userID, "a@example.com", "A", ""), err,
			v.exec(ctx, tx, "write", "a@example.com", "A", "", false, false, now, now, now, nil, userID))
	})
	if err != nil {
		return ref, err
	}
	return ref, v.change(ctx, func(tx *sql.Tx) error {
		err := v.exec(ctx, tx, "current", userID, now)
		if err != nil {
			return err
		}
		_, err = v.query(ctx, tx, "admit", ref.ID[:], userID)
		return errors.Join(err, v.exec(ctx, tx, "insert", ref.ID[:], ref.Tag[:], userID,
			now, now+3_600_000, 3_600_000, now, []byte("\x00")))
	})
}

// check returns 1 if the session exists, else 0.
func (v *version1) check(ctx context.Context, ref googlesession.Ref) (int, error) {
	return v.query(ctx, nil, "check", ref.ID[:])
}

// request makes about twenty calls, as a process does for a user who signs in and out.
func (v *version1) request(ctx context.Context, i int, userID string) error {
	now := time.Now().UnixMilli()
	ref, err := v.signIn(ctx, userID)
	if err != nil {
		return err
	}
	for range 10 {
		found, err := v.check(ctx, ref)
		if err != nil {
			return err
		}
		if found != 1 {
			return errors.New("check: a session that was just created does not exist")
		}
	}
	_, listed := v.query(ctx, nil, "list", userID, ref.Tag[:])
	_, paged := v.query(ctx, nil, "users", userID, 10)
	err = errors.Join(listed, paged, v.exec(ctx, nil, "touch", now, ref.ID[:], ref.Tag[:], now+1000),
		v.exec(ctx, nil, "revoke", ref.ID[:], ref.Tag[:]))
	if err != nil || i%10 != 0 {
		return err
	}
	return errors.Join(v.exec(ctx, nil, "purgeSessions", 86_400_000, 10), v.change(ctx, func(tx *sql.Tx) error {
		return errors.Join(v.exec(ctx, tx, "lock", userID), v.exec(ctx, tx, "endLive", userID, make([]byte, 32)),
			v.exec(ctx, tx, "endRest", userID, make([]byte, 32)))
	}))
}
