package googlesession

import (
	"context"
	"time"
)

// demandBinding is checkUnbound for a guard. If the guard admits a session that is not bound
// yet, it notes that for the streams of the request.
func (m *Manager) demandBinding(ctx context.Context, s *Session, policy BindPolicy) error {
	if err := m.checkUnbound(s, policy); err != nil {
		return err
	}
	if auth := m.decision(ctx); auth != nil && m.cfg.DeviceBinding >= policy {
		auth.needsBinding.Store(true)
	}
	return nil
}

// endUnbound ends the stream of a session that is not bound, when its browser has had the time to
// bind it and a guard of the request demands that. Without that, a thief's stream would go on
// for as long as the session. The caller calls stop when the stream has ended.
func (m *Manager) endUnbound(auth *authentication, cancel context.CancelCauseFunc) (stop func()) {
	s := &auth.session
	left := time.Until(s.CreatedAt.Add(bindTime))
	if m.cfg.DeviceBinding == BindNobody || s.Kind != KindCookie || s.Bound() || left < 0 {
		return func() {}
	}
	timer := time.AfterFunc(left, func() {
		if m.cfg.DeviceBinding == BindEverybody || auth.needsBinding.Load() {
			cancel(denial(CodeBindingNeeded, newProofError(textUnbound, s)))
		}
	})
	return func() { timer.Stop() }
}
