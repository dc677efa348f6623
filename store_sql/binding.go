package sqlstore

import (
	"context"
	"errors"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// bindingStatements are the statements of SwapBinding.
type bindingStatements struct{ swapBinding string }

func newBindingStatements(e *expander) bindingStatements {
	// Disabling a user and refusing tokens mark the sessions as ended, so the statement does
	// not read the user. The second parameter is the value of NULL, an empty text of bytes,
	// because the databases write such a text differently.
	s := bindingStatements{swapBinding: e.expand(`
UPDATE {sessions}
SET binding = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL AND COALESCE(binding, ?) = ?
AND {now} < abs_ms AND {now} < seen_ms + idle_ms {not_standby}`)}
	if e.dialect.echoes {
		s.swapBinding = e.expand(`
WITH swapped AS (
UPDATE {sessions}
SET binding = ?
WHERE id = ? AND tag = ? AND revoked_ms IS NULL AND COALESCE(binding, ?) = ?
AND {now} < abs_ms AND {now} < seen_ms + idle_ms {durable}
RETURNING 1)
SELECT '{prefix}swap', ?::bytea, (SELECT COUNT(*) FROM swapped)`)
	}
	return s
}

// SwapBinding implements [googlesession.BindingStore]. It sends one statement, and reads the
// session if the statement has changed nothing.
func (s *Store) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	return runWrite(ctx, s, "binding a session", func() (bool, error) {
		if err := storekit.CheckBinding(old, next); err != nil {
			return false, err
		}
		return s.swapOrRead(ctx, r, old, next)
	})
}

var errContended = errors.New("other calls change the binding again and again")

func (s *Store) swapOrRead(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	if _, err := s.ready(ctx); err != nil {
		return false, err
	}
	for range maxAttempts {
		if n, err := s.swap(ctx, r, old, next); err != nil || n > 0 {
			return n > 0, err
		}
		// Either the session has ended, or its binding was not old, or it was old and next at
		// the same time. MySQL does not count a row to which the value is assigned that it has.
		session, err := s.checkAndTouch(ctx, r, googlesession.NeverTouch)
		if err != nil || session.Binding == next || session.Binding != old {
			return err == nil && session.Binding == next, err
		}
	}
	return false, errContended
}

// swap returns how many sessions it has changed, which is 0 or 1.
func (s *Store) swap(ctx context.Context, r googlesession.Ref, old, next string) (int64, error) {
	swap, empty := s.unprepared(s.sql.swapBinding), []byte{}
	var value []byte // It is nil, and so NULL, if the session is not to be bound.
	if next != "" {
		value = []byte(next)
	}
	args := []any{value, r.ID[:], r.Tag[:], empty, append(empty, old...)}
	if !s.dialect.echoes {
		return s.exec(ctx, swap, args...)
	}
	return runSingle(ctx, s, func(run runner) (int64, error) {
		var (
			e echo
			n int64
		)
		err := swap.on(run).queryRow(ctx, append(args, r.ID[:])...).Scan(append(e.fields(), &n)...)
		return n, e.check(err, s.opts.Prefix+"swap", r)
	})
}
