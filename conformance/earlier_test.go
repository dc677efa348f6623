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

//go:embed testdata/version*/*.sql
var earlierFiles embed.FS

// storeTimeout is how long a call may take by the default of a Manager. A call of a test may
// take until callTimeout, because a machine may be slow without an upgrade.
const (
	storeTimeout = 2 * time.Second
	callTimeout  = 20 * time.Second
)

// An earlierProcess is a server with an earlier version of this library. It sends the
// statements of that version in the same transactions. Version 1 did not know TokensAfter,
// version 2 did not know Data, and version 3 did not know bindings.
type earlierProcess struct {
	version    int
	db         *sql.DB
	statements map[string]*earlierStatement
	isolation  sql.IsolationLevel
	writer     sync.Locker // lets one goroutine write at a time in SQLite, as a store does

	// conflicts counts the transactions that the server has rolled back because of another
	// transaction. Version 2 repeated them, and version 1 answered 503.
	conflicts atomic.Int64
}

// earlierTables makes the tables as they were in a version.
func earlierTables(tb testing.TB, s sqlServer, prefix string, version int) {
	tb.Helper()
	s.apply(tb, s.open(tb), s.migrations(tb, prefix)[:version]...)
}

func newEarlierProcess(tb testing.TB, s sqlServer, prefix string, version int) *earlierProcess {
	tb.Helper()
	text, err := earlierFiles.ReadFile(fmt.Sprintf("testdata/version%d/%s.sql", version, s.dialect))
	require.NoError(tb, err)
	v := &earlierProcess{
		version: version, db: s.open(tb), statements: map[string]*earlierStatement{},
		writer: new(sync.RWMutex).RLocker(), isolation: sql.LevelReadCommitted,
	}
	if s.dialect == sqlstore.SQLite {
		v.writer, v.isolation = new(sync.Mutex), sql.LevelDefault
	}
	v.db.SetMaxIdleConns(20)
	_, blocks, _ := strings.Cut(string(text), "\n\n")
	for block := range strings.SplitSeq(blocks, "\n\n") {
		head, query, _ := strings.Cut(strings.TrimPrefix(block, "-- "), "\n")
		name, parameters, _ := strings.Cut(strings.TrimSuffix(head, ")"), " (")
		query = strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(query), ";"), "gs_", prefix)
		stmt, err := v.db.PrepareContext(tb.Context(), query)
		require.NoError(tb, err, name)
		tb.Cleanup(func() { _ = stmt.Close() })
		v.statements[name] = &earlierStatement{stmt, strings.Fields(parameters), strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "WITH")}
	}
	return v
}

// signIn does what SignIn and CreateSession did.
func (v *earlierProcess) signIn(ctx context.Context, userID string) (googlesession.Ref, error) {
	ref := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	_, _ = rand.Read(ref.ID[:])
	now := time.Now().UnixMilli()
	values := earlierValues{
		"id": ref.ID[:], "tag": ref.Tag[:], "user": userID, "now": now, "abs": now + 3_600_000, "idle": 3_600_000,
		"token": now, "device": []byte("\x00"), "kind": 0, "limit": 230,
		"email": "a@example.com", "name": "A", "picture": "", "disabled": false, "deleted": nil, "copied": nil,
	}
	if err := v.change(ctx, values, "signIn", "read", "write"); err != nil {
		return ref, err
	}
	if err := v.change(ctx, values, "current", "admit", "insert"); err != nil {
		return ref, err
	}
	values["limit"] = 200
	return ref, errors.Join(v.change(ctx, values, "expire"), v.change(ctx, values, "trim"))
}

// isLive does what CheckSession did.
func (v *earlierProcess) isLive(ctx context.Context, ref googlesession.Ref) (bool, error) {
	values := earlierValues{"id": ref.ID[:], "tag": ref.Tag[:]}
	rows, err := v.query(ctx, "check", values)
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		_, err := v.query(ctx, "absent", values)
		return false, err
	}
	row, now := rows[0], time.Now().UnixMilli()
	live := row["revoked_by"] == 0 && now < row["abs_ms"] && now < row["seen_ms"]+row["idle_ms"] && row["disabled"] == 0 &&
		(row["tokens_after_ms"] == 0 || row["token_ms"] > row["tokens_after_ms"])
	if live {
		values["now"], values["due"] = now, now
		return true, v.change(ctx, values, "touch")
	}
	if row["revoked_by"] == 0 && row["disabled"] == 0 {
		err = v.change(ctx, values, "expireOne")
	}
	return false, err
}

// list does what Sessions and Users did, and returns how many sessions the user has.
func (v *earlierProcess) list(ctx context.Context, userID string) (int, error) {
	tag := googlesession.UserTag(userID)
	rows, err := v.query(ctx, "list", earlierValues{"user": userID, "tag": tag[:]})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, row := range rows {
		if row["created_ms"] > 0 {
			n++
		}
	}
	_, one := v.query(ctx, "user", earlierValues{"user": userID})
	_, page := v.query(ctx, "users", earlierValues{"user": userID, "limit": 10})
	return n, errors.Join(one, page)
}

func (v *earlierProcess) revoke(ctx context.Context, ref googlesession.Ref) error {
	return v.change(ctx, earlierValues{"id": ref.ID[:], "tag": ref.Tag[:]}, "revoke")
}

func (v *earlierProcess) revokeUser(ctx context.Context, userID string) error {
	return v.change(ctx, earlierValues{"user": userID, "keep": make([]byte, 32), "limit": 1000}, "lock", "endLive", "endRest")
}

// disable does what SetAccess did for an administrator, and then enables the user again.
func (v *earlierProcess) disable(ctx context.Context, userID string) error {
	values := earlierValues{
		"user": userID, "keep": make([]byte, 32), "limit": 1000, "now": time.Now().UnixMilli(),
		"email": "a@example.com", "name": "A", "picture": "", "disabled": true, "deleted": nil, "copied": nil,
	}
	if err := v.change(ctx, values, "lock", "read", "lockAdmins", "otherAdmin", "endLive", "endRest", "write"); err != nil {
		return err
	}
	values["disabled"] = false
	return v.change(ctx, values, "lock", "read", "write")
}

// put does what PutUser did with the record of another system.
func (v *earlierProcess) put(ctx context.Context, userID string) error {
	return v.change(ctx, earlierValues{
		"user": userID, "email": "a@example.com", "name": "A", "picture": "", "admin": false, "disabled": false,
		"version": 1, "now": time.Now().UnixMilli(), "after": 0,
	}, "put", "read")
}

func (v *earlierProcess) purge(ctx context.Context) error {
	values := earlierValues{"retention": 86_400_000, "window": 600_000, "limit": 10}
	for _, name := range []string{"purgeSessions", "purgeDeletedUsersSessions", "purgeDeletedUsers"} {
		if err := v.change(ctx, values, name); err != nil {
			return err
		}
	}
	_, deleted := v.query(ctx, "dueUsers", values)
	_, copies := v.query(ctx, "dueCopies", values)
	return errors.Join(deleted, copies)
}

// query runs a statement outside of a transaction. It returns the numbers in each row by the
// names of the columns. If two columns have the same name, the first one counts.
func (v *earlierProcess) query(ctx context.Context, name string, values earlierValues) ([]map[string]int64, error) {
	stmt := v.statements[name]
	if stmt == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return stmt.rows(ctx, stmt.Stmt, name, values)
}

// change runs the statements in a transaction. A single statement runs without one. It
// leaves out the statements that this version does not have.
func (v *earlierProcess) change(ctx context.Context, values earlierValues, names ...string) error {
	v.writer.Lock()
	defer v.writer.Unlock()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var err error
	for range 10 {
		if err = v.changeOnce(ctx, values, names); !isDeadlock(err) {
			return err
		}
		v.conflicts.Add(1)
	}
	return err
}

// isDeadlock reports whether MySQL or MariaDB has rolled the transaction back. They do so if
// it has read a table and now changes it while a step of an upgrade waits for the table.
func isDeadlock(err error) bool {
	var conflict *mysql.MySQLError
	return errors.As(err, &conflict) && conflict.Number == 1213
}

func (v *earlierProcess) changeOnce(ctx context.Context, values earlierValues, names []string) error {
	if len(names) == 1 {
		if stmt := v.statements[names[0]]; stmt != nil {
			return stmt.run(ctx, stmt.Stmt, names[0], values)
		}
		return nil
	}
	tx, err := v.db.BeginTx(ctx, &sql.TxOptions{Isolation: v.isolation})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, name := range names {
		if stmt := v.statements[name]; stmt != nil {
			if err := stmt.run(ctx, tx.StmtContext(ctx, stmt.Stmt), name, values); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}
