package googlesession

import (
	"context"
	"time"
)

// Sessions returns the user's live sessions with their Device, newest first. The list of an
// unknown user is empty, and the error is nil. All errors wrap [ErrUnavailable].
func (m *Manager) Sessions(ctx context.Context, userID string) ([]Session, error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	list, err := m.cfg.Sessions.Sessions(ctx, userID)
	if err != nil {
		return nil, unavailable("listing sessions", err)
	}
	m.showBindings(list)
	return list, nil
}

// showBindings removes from the sessions what must not leave the Manager.
func (m *Manager) showBindings(list []Session) {
	for i := range list {
		list[i].Binding = m.shownBinding(list[i].Binding)
	}
}

// Revoke ends one session. Once it has returned nil, no server that shares the store admits
// the session again. Revoking an unknown or ended session is not an error. The error wraps
// [ErrUnavailable]; the outcome is then unknown, so repeat the call.
func (m *Manager) Revoke(ctx context.Context, ref Ref) error {
	ctx, err := detach(ctx)
	if err != nil {
		return err
	}
	s := m.lookUp(ctx, ref)
	ended, err := m.revokeInStore(ctx, ref)
	if err != nil {
		return unavailable("ending a session", err)
	}
	if ended {
		m.emit(ctx, Event{Kind: EventRevoked, UserID: s.User.ID, Ref: ref, PublicID: s.PublicID})
	}
	return nil
}

// RevokeUser ends all sessions that the user has now and returns how many were live. A
// sign-in that has begun may still create a session afterwards. To keep a user out, disable
// the user with [Manager.SetAccess]. The error wraps [ErrUnavailable]; the outcome is then
// unknown, so repeat the call.
func (m *Manager) RevokeUser(ctx context.Context, userID string) (int, error) {
	return m.revokeExcept(ctx, userID, nil)
}

// RevokeOthers ends all sessions of the session's user except s and returns how many were
// live. The error is that of [Manager.RevokeUser].
func (m *Manager) RevokeOthers(ctx context.Context, s Session) (int, error) {
	return m.revokeExcept(ctx, s.User.ID, &s.Ref)
}

// revokeExcept ends the user's sessions except *keep, and emits one event for all of them.
func (m *Manager) revokeExcept(ctx context.Context, userID string, keep *Ref) (int, error) {
	ctx, err := detach(ctx)
	if err != nil {
		return 0, err
	}
	ids := m.endingIDs(ctx, userID, keep)
	n, err := m.revokeUserInStore(ctx, userID, keep)
	if err != nil {
		return 0, err
	}
	m.emit(ctx, Event{Kind: EventUserRevoked, UserID: userID, Count: n, PublicIDs: ids})
	return n, nil
}

// lookUp returns a session that is about to end, for the event about its end. If Config.Events
// is nil or the store does not return the session, the result has only the Ref. The call does
// not end with ctx, because a browser must not be able to stop an event by hanging up.
func (m *Manager) lookUp(ctx context.Context, ref Ref) Session {
	var s Session
	if m.cfg.Events != nil {
		s, _ = m.checkWithoutUse(context.WithoutCancel(ctx), ref) // the zero Session after an error
	}
	s.Ref = ref
	return s
}

// endingIDs returns the PublicIDs of the user's sessions except *keep, for the event about
// their end. It returns nil if Config.Events is nil or the store does not answer.
func (m *Manager) endingIDs(ctx context.Context, userID string, keep *Ref) []PublicID {
	if m.cfg.Events == nil {
		return nil
	}
	list, err := m.Sessions(ctx, userID)
	if err != nil {
		return nil
	}
	return idsOfEnded(list, func(s Session) bool { return keep != nil && s.Ref == *keep })
}

// revokeInStore ends a session and emits no event. It wakes the watcher of the session's
// open streams.
func (m *Manager) revokeInStore(ctx context.Context, ref Ref) (ended bool, err error) {
	err = m.callDetached(ctx, func(ctx context.Context) error {
		ended, err = m.cfg.Sessions.RevokeSession(ctx, ref)
		return err
	})
	if ended || err != nil { // after an error the session may have ended
		m.streams.wake(ref)
	}
	return ended, err
}

// revokeUserInStore ends the user's sessions except *keep and emits no event. It wakes
// the watchers of their open streams.
func (m *Manager) revokeUserInStore(ctx context.Context, userID string, keep *Ref) (n int, err error) {
	err = m.callDetached(ctx, func(ctx context.Context) error {
		n, err = m.cfg.Sessions.RevokeUser(ctx, userID, keep)
		return err
	})
	if n > 0 || err != nil {
		m.streams.wakeUser(UserTag(userID), keep)
	}
	if err != nil {
		return 0, unavailable("ending a user's sessions", err)
	}
	return n, nil
}

// revokeTokensUpTo ends the user's sessions whose token was issued at cutoff or before. It
// returns how many it has ended, and their PublicIDs.
func (m *Manager) revokeTokensUpTo(ctx context.Context, userID string, cutoff time.Time) (n int, ids []PublicID, err error) {
	list, err := m.Sessions(ctx, userID)
	if err != nil {
		return 0, nil, err
	}
	goesOn := func(s Session) bool { return s.TokenIssuedAt.After(cutoff) }
	for _, s := range list {
		if goesOn(s) {
			continue
		}
		ended, err := m.revokeInStore(ctx, s.Ref)
		if err != nil {
			return n, nil, err
		}
		if ended {
			n++
		}
	}
	return n, idsOfEnded(list, goesOn), nil
}

// idsOfEnded returns the PublicIDs of the listed sessions, each once, without those of a
// session that goes on. Two sessions have one PublicID while a re-authentication replaces one
// by the other.
func idsOfEnded(list []Session, goesOn func(Session) bool) []PublicID {
	seen := map[PublicID]bool{{}: true}
	for _, s := range list {
		if goesOn(s) {
			seen[s.PublicID] = true
		}
	}
	var ids []PublicID
	for _, s := range list {
		if !seen[s.PublicID] {
			seen[s.PublicID] = true
			ids = append(ids, s.PublicID)
		}
	}
	return ids
}
