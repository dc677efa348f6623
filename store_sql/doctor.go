package sqlstore

import "context"

// A Finding is something about the database that an operator should know.
type Finding struct {
	// Severe: a promise does not hold, or not for long.
	Severe bool
	Text   string
}

// Doctor looks at the database's settings and returns what could be better; none is
// nil. Settings without which the store does not work at all are [ErrSetup], here as
// with every other call. An error wraps [googlesession.ErrUnavailable].
func (s *Store) Doctor(ctx context.Context) ([]Finding, error) {
	findings, err := s.doctor(ctx)
	return findings, classify(ctx, "looking at the settings", err)
}

func (s *Store) doctor(ctx context.Context) ([]Finding, error) {
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.dialect.findings(ctx, s.db)
}
