package googlesession

import (
	"context"
	"errors"
	"slices"
	"time"
)

// createSession creates the session, or returns a Denial. A second attempt needs a new token.
// It emits an event for each session that the store has ended to make room.
func (m *Manager) createSession(ctx context.Context, n NewSession) (Session, error) {
	defer m.wakeEnded(ctx, n.User.ID) // the store may have ended a session to make room
	before := m.sessionsAtLimit(ctx, n)
	s, err := m.createInStore(ctx, n)
	if err != nil {
		return Session{}, err
	}
	s.Device, s.Label = n.Device, n.Label // a store need not return them
	m.emitOverLimit(ctx, n, before)
	return s, nil
}

// sessionsAtLimit returns the user's sessions if the store has to end one of them to make room
// for n. It does so for the events about that end, so it asks the store only if Config.Events
// is set. If Config.MaxSessions is zero, it does not know the limit, which is the store's cap.
func (m *Manager) sessionsAtLimit(ctx context.Context, n NewSession) []Session {
	if m.cfg.Events == nil || n.Max == 0 || n.RefuseOverMax {
		return nil
	}
	list, err := m.Sessions(ctx, n.User.ID)
	if n.Replaces != nil {
		list = slices.DeleteFunc(list, func(s Session) bool { return s.Ref == *n.Replaces })
	}
	if err != nil || len(list) < n.Max {
		return nil
	}
	return list
}

// emitOverLimit emits an event for each session in before that is not live any more. The
// sessions that have expired do not count.
func (m *Manager) emitOverLimit(ctx context.Context, n NewSession, before []Session) {
	if len(before) == 0 {
		return
	}
	live, err := m.Sessions(context.WithoutCancel(ctx), n.User.ID)
	if err != nil {
		return
	}
	for _, s := range before {
		if !s.ExpiresAt.After(time.Now()) || slices.ContainsFunc(live, func(l Session) bool { return l.Ref == s.Ref }) {
			continue
		}
		e := sessionEvent(EventRevoked, s)
		e.Reason, e.Device = "limit", n.Device
		m.emit(ctx, e)
	}
}

// createInStore calls the store once and returns a Denial if that fails.
func (m *Manager) createInStore(ctx context.Context, n NewSession) (Session, error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	s, err := m.cfg.Sessions.CreateSession(ctx, n)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return Session{}, denial(CodeUnavailable, unavailable("creating a session", err))
	case errors.Is(err, ErrUserDisabled):
		return Session{}, denial(CodeUserDisabled, err)
	case errors.Is(err, ErrStaleToken):
		return Session{}, staleToken(err)
	case errors.Is(err, ErrTooManySessions):
		return Session{}, denial(CodeTooManySessions, err)
	default: // includes ErrNoSession, which CreateSession must not return and which must not become a 401
		return Session{}, denial(CodeUnavailable, unavailable("creating a session", err))
	}
}

// staleToken returns the refusal of a token from before a deletion or a security event. The
// next click on the sign-in button brings a newer token.
func staleToken(err error) Denial {
	return denial(CodeTokenRefused, &TokenError{Reason: ReasonTime, Err: err})
}
