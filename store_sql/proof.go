package sqlstore

import (
	"bytes"
	"database/sql"
	"errors"

	"github.com/googlesession/googlesession"
)

// A proof is what a statement says of itself in its row: its name, and an argument. Behind
// a pooler in transaction mode, a driver that sends a statement and its arguments apart
// has another client's statement run; and a count of that one's rows is no answer.
type proof struct {
	name text
	id   []byte
}

// fields are in the order of the statements' columns.
func (p *proof) fields() []any { return []any{&p.name, &p.id} }

// check reports errMixed unless the row that was scanned is the named statement's.
func (p *proof) check(err error, name string, r googlesession.Ref) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errMixed
	case err != nil:
		return err
	case p.name.String != name || !bytes.Equal(p.id, r.ID[:]):
		return errMixed
	}
	return nil
}
