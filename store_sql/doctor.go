package sqlstore

import "context"

// A Finding is a fact about the database that an operator should know.
type Finding struct {
	// Severe says that a promise of the store is broken, or can be broken by a crash or a
	// failover. If Severe is false, the finding is advice.
	Severe bool

	// Text is an English sentence for a log. It contains settings and their values, and
	// nothing about users or sessions.
	Text string
}

// Doctor reads the database's settings and returns a finding for each setting that should
// be changed. It returns nil if it finds nothing. A setting with which the store does not
// work at all makes Doctor return an error that wraps [ErrSetup], as it does with the
// other calls. All errors wrap [googlesession.ErrUnavailable].
func (s *Store) Doctor(ctx context.Context) ([]Finding, error) {
	return runRead(ctx, s, "looking at the settings", func() ([]Finding, error) { return s.collectFindings(ctx) })
}

func (s *Store) collectFindings(ctx context.Context) ([]Finding, error) {
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	// The settings are checked again, because they may have changed since the first use.
	if err := s.dialect.check(ctx, s.db, s.db); err != nil {
		return nil, err
	}
	findings, err := s.dialect.findings(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if s.sawMixedAnswers.Load() {
		findings = append(findings, Finding{true, errMixedAnswers.Error()})
	}
	if s.dialect.standby != noStandby {
		// For Doctor a standby is a finding and not an error, but idle connections to it are
		// closed as after an error.
		s.discardAfter(ctx, s.refuseStandby(ctx, s.db))
	}
	return findings, nil
}
