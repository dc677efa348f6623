package googlesession

import (
	"context"
	"net/http"
	"slices"
)

// sessionJSON is a session as its user and administrators see it. The id ends it and
// cannot be made into a cookie.
type sessionJSON struct {
	ID        string `json:"id"`
	Current   bool   `json:"current"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"seen_at"`
	ExpiresAt string `json:"expires_at"`
	IP        string `json:"ip"`
	UserAgent string `json:"user_agent"`
}

func (m *Manager) serveSessions(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	m.listSessions(w, r, own.User.ID)
}

// serveEndOne ends a session of one's own.
func (m *Manager) serveEndOne(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	m.endSession(WithActor(r.Context(), own.User.ID, "own session"), w, r, own.User.ID)
}

func (m *Manager) serveEndOthers(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	n, err := m.RevokeOthers(WithActor(r.Context(), own.User.ID, "own other sessions"), own)
	m.answerEnded(w, r, n, err)
}

func (m *Manager) listSessions(w http.ResponseWriter, r *http.Request, userID string) {
	list, err := m.Sessions(r.Context(), userID)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	own, _ := SessionFrom(r.Context())
	out := make([]sessionJSON, 0, len(list))
	for _, s := range list {
		out = append(out, sessionJSON{
			ID:        s.Ref.String(),
			Current:   s.Ref == own.Ref,
			CreatedAt: timestamp(s.CreatedAt),
			SeenAt:    timestamp(s.SeenAt),
			ExpiresAt: timestamp(s.ExpiresAt),
			IP:        s.Device.IP,
			UserAgent: s.Device.UserAgent,
		})
	}
	writeJSON(w, map[string]any{"sessions": out})
}

// endSession ends the session of this user that the path names. Whatever is not in the
// user's list is not found, whoever's it is: the answer does not tell that it exists.
func (m *Manager) endSession(ctx context.Context, w http.ResponseWriter, r *http.Request, userID string) {
	ref, err := ParseRef(r.PathValue("ref"))
	if err != nil {
		m.answer(w, r, denial(CodeNotFound, err))
		return
	}
	list, err := m.Sessions(ctx, userID)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	if !slices.ContainsFunc(list, func(s Session) bool { return s.Ref == ref }) {
		m.answer(w, r, denial(CodeNotFound, nil))
		return
	}
	ended, err := m.revoke(ctx, ref)
	switch {
	case err != nil:
		m.refuse(w, r, denial(CodeUnavailable, unavailable("ending a session", err)))
	case !ended: // somebody else did, since the list was read
		m.answer(w, r, denial(CodeNotFound, nil))
	default:
		m.emit(ctx, Event{Kind: EventRevoked, UserID: userID, Ref: ref})
		w.WriteHeader(http.StatusNoContent)
	}
}

func (m *Manager) answerEnded(w http.ResponseWriter, r *http.Request, n int, err error) {
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	writeJSON(w, map[string]int{"ended": n})
}
