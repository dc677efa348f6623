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
	// errStandby: an answer may be too old, and a change may be lost.
	errStandby = errors.New("this database server is a read-only standby, or its sessions are read-only")

	// errMixed: what was answered is not the answer to what was asked.
	errMixed = errors.New("statements and arguments of several clients are mixed up, as by PgBouncer in transaction mode: " +
		"pgx needs default_query_exec_mode=exec, lib/pq needs binary_parameters=yes")

	errStatementFormat = fmt.Errorf("%w: binlog_format is STATEMENT, needed ROW or MIXED: the server refuses changes at READ COMMITTED", ErrSetup)
)

// A settled error is a verdict for which the transaction is committed.
type settled struct{ error }

func (s settled) Unwrap() error { return s.error }

// isVerdict holds for the errors of the contract: the store has answered.
func isVerdict(err error) bool {
	for _, verdict := range []error{
		googlesession.ErrNoSession, googlesession.ErrUserDisabled, googlesession.ErrExists, googlesession.ErrStaleToken,
		googlesession.ErrTooManySessions, googlesession.ErrNotFound, googlesession.ErrLastAdmin,
	} {
		if errors.Is(err, verdict) {
			return true
		}
	}
	return false
}

// classify lets the errors of the contract through, and calls the others unavailable.
// Drivers have words of their own for a context that ended under a query.
func (s *Store) classify(ctx context.Context, doing string, err error) error {
	if v, ok := err.(settled); ok { //nolint:errorlint // not wrapped
		err = v.error
	}
	switch {
	case err == nil || isVerdict(err):
		return err
	case s.isMixed(err):
		s.mixed.Store(true)
		err = because(errMixed, err)
	case isReadOnly(err):
		err = because(errStandby, err)
	case mysqlNumber(err) == errBinlogUnsafe:
		err = because(errStatementFormat, err)
	}
	if done := ctx.Err(); done != nil {
		err = because(done, err)
	}
	return fmt.Errorf("%w: sqlstore: %s: %w", googlesession.ErrUnavailable, doing, err)
}

// because adds a cause that err does not name.
func because(cause, err error) error {
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// PostgreSQL's error codes, from its documentation's appendix A.
const (
	pgSerialization  = "40001"
	pgDeadlock       = "40P01"
	pgReadOnly       = "25006"
	pgNotSupported   = "0A000" // a transaction that begins READ WRITE on a standby
	pgProtocol       = "08P01" // more or fewer arguments than the statement has
	pgNoStatement    = "26000"
	pgStatementTwice = "42P05"
)

// MySQL's and MariaDB's error numbers.
const (
	errTableReadOnly = 1036
	errDeadlock      = 1213
	errReadOnly      = 1290 // --read-only
	errBinlogUnsafe  = 1665 // binlog_format=STATEMENT and READ COMMITTED
	errReadOnlyTx    = 1792
	errReadOnlyMode  = 1836
)

// isConflict holds for a transaction that the server rolled back only because of another
// one: it may be sent again, even if it inserts.
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

// isReadOnly holds if the connection may lead to a server that takes no changes.
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

// isMixed holds if the answer was one to another client's statement.
func (s *Store) isMixed(err error) bool {
	if errors.Is(err, errMixed) {
		return true
	}
	if s.dialect.name != PostgreSQL {
		return false
	}
	switch sqlState(err) {
	case pgProtocol, pgNoStatement, pgStatementTwice:
		return true
	}
	// So database/sql says that a row has another number of columns.
	return strings.Contains(err.Error(), "destination arguments in Scan")
}

// sqlState returns PostgreSQL's code of an error, or "". The drivers' types have this
// method.
func sqlState(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}

// mysqlNumber returns the number of an error of MySQL's, or 0. The driver's type has it
// in a field, which a package that does not import the driver reads by reflection.
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
	switch wrapped := err.(type) { //nolint:errorlint // this is the walk along the chain
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
