package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/googlesession/googlesession"
)

var (
	// errStandby is returned if the server is a standby, or if its sessions are read-only.
	// An answer of such a server may be too old, and a change may be lost.
	errStandby = errors.New("this database server is a read-only standby, or its sessions are read-only")

	// errMixedAnswers is returned if the server's answer belongs to another client's
	// statement.
	errMixedAnswers = errors.New("statements and arguments of several clients are mixed up, as by PgBouncer in transaction mode: " +
		"pgx needs default_query_exec_mode=exec, lib/pq needs binary_parameters=yes")

	errStatementFormat = fmt.Errorf("%w: binlog_format is STATEMENT, must be ROW or MIXED: the server refuses changes at READ COMMITTED", ErrSetup)
)

// A committedError holds an error of the contract. A transaction whose function returns
// it is committed and not rolled back.
type committedError struct{ error }

func (e committedError) Unwrap() error { return e.error }

// isContractError reports whether err is an answer of the store, such as ErrNotFound, and
// not an outage. The interfaces document these answers.
func isContractError(err error) bool {
	for _, answer := range []error{
		googlesession.ErrNoSession, googlesession.ErrUserDisabled, googlesession.ErrExists, googlesession.ErrStaleToken,
		googlesession.ErrTooManySessions, googlesession.ErrNotFound, googlesession.ErrLastAdmin, googlesession.ErrDataChanged,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// contractError returns the error that a method of the store returns if its work fails
// with err. An error that is an answer of the store stays as it is, and all other errors
// are wrapped with ErrUnavailable. The context's error is added, because drivers have
// texts of their own for a query whose context has ended.
func (s *Store) contractError(ctx context.Context, doing string, err error) error {
	if commits, ok := err.(committedError); ok { //nolint:errorlint // No function wraps a committedError.
		err = commits.error
	}
	switch {
	case err == nil || isContractError(err):
		return err
	case s.isMixedAnswers(err):
		s.sawMixedAnswers.Store(true)
		err = withCause(errMixedAnswers, err)
	case isReadOnly(err):
		err = withCause(errStandby, err)
	case mysqlNumber(err) == errBinlogUnsafe:
		err = withCause(errStatementFormat, err)
	}
	if ended := ctx.Err(); ended != nil {
		err = withCause(ended, err)
	}
	return fmt.Errorf("%w: sqlstore: %s: %w", googlesession.ErrUnavailable, doing, err)
}

// withCause returns an error that wraps both cause and err, or err itself if it wraps
// cause already.
func withCause(cause, err error) error {
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// The SQLSTATE codes of PostgreSQL, from appendix A of its documentation.
const (
	pgSerialization  = "40001"
	pgDeadlock       = "40P01"
	pgReadOnly       = "25006"
	pgNotSupported   = "0A000" // from BEGIN with READ WRITE, if the server is a standby
	pgProtocol       = "08P01" // from a statement that gets more or fewer arguments than it has parameters
	pgNoStatement    = "26000"
	pgStatementTwice = "42P05"
	pgLockTimeout    = "55P03"
	pgRelationTwice  = "42P07" // from CREATE INDEX, if another connection is already building that index
)

// The error numbers of MySQL and MariaDB.
const (
	errTableReadOnly = 1036
	errLockTimeout   = 1205
	errDeadlock      = 1213
	errReadOnly      = 1290 // from a change, for example if the server runs with --read-only
	errBinlogUnsafe  = 1665 // from a change at READ COMMITTED, if binlog_format is STATEMENT
	errReadOnlyTx    = 1792
	errReadOnlyMode  = 1836
)

// isConflict reports whether the server rolled a transaction back only because of another
// transaction. Such a transaction may be sent again, even if it inserts rows, because it
// has not changed anything.
func isConflict(err error) bool {
	if err == nil {
		return false
	}
	switch sqlState(err) {
	case pgSerialization, pgDeadlock:
		return true
	}
	return mysqlNumber(err) == errDeadlock
}

// isReadOnly reports whether err shows that the connection may lead to a server that
// accepts no changes.
func isReadOnly(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, errStandby) {
		return true
	}
	switch sqlState(err) {
	case pgReadOnly:
		return true
	}
	switch mysqlNumber(err) {
	case errTableReadOnly, errReadOnly, errReadOnlyTx, errReadOnlyMode:
		return true
	}
	return false
}

// isBusy reports whether err shows that a step of an upgrade should be tried again later. The
// step did not get a lock in time, or another connection is building the index that the step
// would build.
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
	return strings.Contains(err.Error(), "database is locked") // This is the text of SQLite for a lock that another connection holds.
}

// isMixedAnswers reports whether err shows that the server's answer belongs to another
// client's statement.
func (s *Store) isMixedAnswers(err error) bool {
	if errors.Is(err, errMixedAnswers) {
		return true
	}
	if s.dialect.name != PostgreSQL {
		return false
	}
	switch sqlState(err) {
	case pgProtocol, pgNoStatement, pgStatementTwice:
		return true
	}
	// This is the text of database/sql for a row that has more or fewer columns than Scan
	// has arguments.
	return strings.Contains(err.Error(), "destination arguments in Scan")
}

// sqlState returns PostgreSQL's code of an error, or "" if the error has none. The error
// types of all PostgreSQL drivers have the method SQLState.
func sqlState(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}

// mysqlNumber returns the number of a MySQL error, or 0 if err is not one. The driver's
// error type has the number in a field Number, which is read by reflection, because this
// package does not import the driver.
func mysqlNumber(err error) uint64 {
	if err == nil {
		return 0
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() == reflect.Struct {
		if f := v.FieldByName("Number"); f.IsValid() && f.CanUint() {
			return f.Uint()
		}
	}
	switch wrapped := err.(type) { //nolint:errorlint // mysqlNumber unwraps err itself, and looks at each error in turn.
	case interface{ Unwrap() error }:
		return mysqlNumber(wrapped.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			if n := mysqlNumber(err); n != 0 {
				return n
			}
		}
	}
	return 0
}
