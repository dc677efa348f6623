package googlesession

import (
	"context"
	"net/http"
)

// SignOut ends the session that the browser presented and makes it forget both
// cookies. Without a session it only does the latter: it is idempotent. It must be
// called before the answer's header is written, and refuses cross-origin requests
// first, whatever their method is.
//
// The error is a [Denial]. While the store does not answer, the cookies are kept,
// so that repeating it ends the session.
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request) error {
	if err := m.checkChange(r, m.origins); err != nil {
		return classify(err)
	}
	for _, ref := range m.presented(r) {
		userID := m.ownerOf(r.Context(), ref)
		ended, err := m.revoke(r.Context(), ref)
		if err != nil {
			return denial(CodeUnavailable, unavailable("signing out", err))
		}
		if ended {
			m.emit(r.Context(), Event{
				Kind: EventSignedOut, Actor: userID, UserID: userID, Ref: ref, Device: m.device(r),
			})
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	varyCookie(w.Header())
	m.session.expire(w)
	m.login.expire(w)
	return nil
}

// ownerOf names a session's user for the event; "" if nobody listens or the store
// does not say.
func (m *Manager) ownerOf(ctx context.Context, ref Ref) string {
	if m.cfg.Events == nil {
		return ""
	}
	var s Session
	if err := m.checkRef(ctx, ref, neverTouch, &s); err != nil {
		return ""
	}
	return s.User.ID
}

// neverTouch is longer than any session lives.
const neverTouch = 2 * maxLifetime
