package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"slices"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
	"github.com/googlesession/googlesession/storekit"
)

// dataStatements are the statements of Browsers. SetData has none of its own.
type dataStatements struct{ selectBrowsers, updateBrowsers string }

func newDataStatements(e *expander) dataStatements {
	return dataStatements{
		// selectBrowsers returns a row even if the user does not exist, because the row says
		// whether the server is a standby.
		selectBrowsers: e.expand(`
SELECT {standby}, u.created_ms, u.browsers
FROM (SELECT 1 AS x) AS always
LEFT JOIN {users} AS u ON u.id = ? AND u.deleted_ms IS NULL AND u.copy_ms IS NULL`),

		updateBrowsers: e.expand(`
UPDATE {users}
SET browsers = ?
WHERE id = ?`),
	}
}

// SetData implements [googlesession.UserStore].
func (s *Store) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if old != nil {
		old = new(*old) // The work may outlive the call, so it uses a copy.
	}
	return runWrite(ctx, s, "setting a user's data", func() (googlesession.User, error) { return s.updateData(ctx, id, data, old) })
}

func (s *Store) updateData(ctx context.Context, id, data string, old *string) (user googlesession.User, err error) {
	if err := storekit.CheckData(data); err != nil {
		return user, err
	}
	err = s.withLockedUser(ctx, id, func(tx *sql.Tx, rec record) (err error) {
		user = rec.user.user()
		switch {
		case old != nil && user.Data != *old:
			return errDataChanged
		case user.Data == data:
			return nil
		}
		user.Data = data
		if user.Version, err = rec.nextVersion(); err != nil {
			return err
		}
		return s.updateUser(ctx, tx, rec, user)
	})
	return user, err
}

// errDataChanged is ErrDataChanged from a transaction that is committed and not rolled back.
// The commit makes sure that the change that the call has found is durable.
var errDataChanged = committedError{googlesession.ErrDataChanged}

// Browsers implements [googlesession.UserStore]. If seen is the most recent browser already,
// it only reads.
func (s *Store) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) ([]googlesession.BrowserID, error) {
	if seen == nil {
		return runRead(ctx, s, "reading a user's browsers", func() ([]googlesession.BrowserID, error) { return s.findBrowsers(ctx, id) })
	}
	newest := *seen
	return runWrite(ctx, s, "recording a user's browser", func() ([]googlesession.BrowserID, error) {
		known, err := s.findBrowsers(ctx, id)
		if err != nil || len(known) > 0 && known[0] == newest {
			return known, err
		}
		return s.putBrowser(ctx, id, newest)
	})
}

func (s *Store) findBrowsers(ctx context.Context, id string) ([]googlesession.BrowserID, error) {
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	return runSingle(ctx, s, func(run runner) ([]googlesession.BrowserID, error) {
		known, _, err := s.readBrowsers(ctx, run, id)
		return known, err
	})
}

// putBrowser makes newest the most recent browser, and returns the browsers as they were
// before.
func (s *Store) putBrowser(ctx context.Context, id string, newest googlesession.BrowserID) (known []googlesession.BrowserID, err error) {
	err = s.withUser(ctx, id, lane.SignIn, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql.lockUser, id); err != nil {
			return err
		}
		var created int64
		if known, created, err = s.readBrowsers(ctx, tx, id); err != nil {
			return err
		}
		now := encodeBrowsers(created, storekit.SeenBrowsers(known, newest))
		_, err = tx.ExecContext(ctx, s.sql.updateBrowsers, now, id)
		return err
	})
	return known, err
}

// readBrowsers returns the user's browsers and the user's created_ms.
func (s *Store) readBrowsers(ctx context.Context, run runner, id string) (known []googlesession.BrowserID, created int64, err error) {
	var (
		standby bool
		since   sql.NullInt64
		column  []byte
	)
	err = run.QueryRowContext(ctx, s.sql.selectBrowsers, safeUserID(id)).Scan(&standby, &since, &column)
	switch {
	case err != nil:
		return nil, 0, err
	case standby:
		return nil, 0, errStandby
	case !since.Valid:
		return nil, 0, errNotFound
	}
	return decodeBrowsers(column, since.Int64), since.Int64, nil
}

// encodeBrowsers returns the value of the column browsers: created_ms in 8 bytes, and the
// browsers in 16 bytes each. The value has at most 168 bytes.
func encodeBrowsers(created int64, browsers []googlesession.BrowserID) []byte {
	column := binary.BigEndian.AppendUint64(nil, uint64(created)) //nolint:gosec // decodeBrowsers converts it back.
	for _, b := range browsers {
		column = append(column, b[:]...)
	}
	return column
}

// decodeBrowsers is the inverse of encodeBrowsers. It returns no browsers if they belong to
// a deleted user with the same ID, whose created_ms was another one. A process of version 2
// does not clear the column when it deletes the user.
func decodeBrowsers(column []byte, created int64) []googlesession.BrowserID {
	if len(column) < 8 || binary.BigEndian.Uint64(column) != uint64(created) { //nolint:gosec // encodeBrowsers has converted it.
		return nil
	}
	var browsers []googlesession.BrowserID
	for b := range slices.Chunk(column[8:], len(googlesession.BrowserID{})) {
		browsers = append(browsers, googlesession.BrowserID(b))
	}
	return browsers
}
