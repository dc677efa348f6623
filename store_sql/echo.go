package sqlstore

import (
	"bytes"
	"database/sql"
	"errors"

	"github.com/googlesession/googlesession"
)

// An echo is what a statement returns of itself in its row: its name and an argument. The
// store compares both with what it has sent. Behind a pooler in transaction mode, a driver
// that sends a statement and its arguments in two messages may have another client's
// statement run, whose row must not count as the answer.
type echo struct {
	name sql.NullString
	id   []byte
}

// fields returns pointers to the columns, in the order of the statements.
func (e *echo) fields() []any { return []any{&e.name, &e.id} }

// check returns errMixedAnswers if the scanned row is not of the named statement with the
// ID of r. err is the error of the scan.
func (e *echo) check(err error, name string, r googlesession.Ref) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errMixedAnswers
	case err != nil:
		return err
	case e.name.String != name || !bytes.Equal(e.id, r.ID[:]):
		return errMixedAnswers
	}
	return nil
}
