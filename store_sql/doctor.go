package sqlstore

import "context"

// A Finding is something about the database that an operator should know.
type Finding struct {
	// Severe: a promise does not hold, or not for long.
	Severe bool
	Text   string
}

// Doctor looks at the database's settings and returns what could be better, or nil.
// Settings without which the store does not work at all are [ErrSetup], here as with
// every other call. An error wraps [googlesession.ErrUnavailable].
func (s *Store) Doctor(ctx context.Context) ([]Finding, error) {
	return ask(ctx, s, "looking at the settings", func() ([]Finding, error) { return s.doctor(ctx) })
}

func (s *Store) doctor(ctx context.Context) ([]Finding, error) {
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	// Again: a setting may have changed since the first look.
	if err := s.dialect.check(ctx, s.db, s.db); err != nil {
		return nil, err
	}
	findings, err := s.dialect.findings(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if s.mixed.Load() {
		findings = append(findings, Finding{true, errMixed.Error()})
	}
	if s.dialect.standby != never {
		// A finding is not an error, but a connection to a standby is of no use all the same.
		s.discardAfter(ctx, s.believe(ctx, s.db))
	}
	return findings, nil
}
