package sqlstore

import (
	"bytes"
	"database/sql"
	"errors"

	"github.com/googlesession/googlesession"
)

// An echo holds two columns in which a statement returns its own name and one of its
// arguments. The store compares them with the name and the argument that it has sent,
// because the row may come from another client's statement. That can happen behind a
// pooler in transaction mode, if the driver sends a statement and its arguments in two
// messages.
type echo struct {
	name sql.NullString
	id   []byte
}

// fields returns pointers to the two columns, in the order in which statements select
// them.
func (e *echo) fields() []any { return []any{&e.name, &e.id} }

// check returns errMixedAnswers if the scanned row does not come from the statement of
// this name with the ID of r, or if there was no row. err is the error of Scan.
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
