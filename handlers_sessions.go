package googlesession

import (
	"context"
	"net/http"
	"slices"
)

// sessionJSON is a session as its user and administrators see it. The id is the text of
// its Ref. A client can end the session with it, but cannot make a cookie from it.
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
	current, _ := SessionFrom(r.Context())
	m.answerSessions(w, r, current.User.ID)
}

// serveRevokeSession ends one of the user's own sessions.
func (m *Manager) serveRevokeSession(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	m.revokeListed(WithActor(r.Context(), current.User.ID, "own session"), w, r, current.User.ID)
}

// serveRevokeOthers ends all of the user's sessions except the current one.
func (m *Manager) serveRevokeOthers(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	n, err := m.RevokeOthers(WithActor(r.Context(), current.User.ID, "own other sessions"), current)
	m.answerCount(w, r, n, err)
}

func (m *Manager) answerSessions(w http.ResponseWriter, r *http.Request, userID string) {
	list, err := m.Sessions(r.Context(), userID)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	current, _ := SessionFrom(r.Context())
	out := make([]sessionJSON, 0, len(list))
	for _, s := range list {
		out = append(out, sessionJSON{
			ID:        s.Ref.String(),
			Current:   s.Ref == current.Ref,
			CreatedAt: timestamp(s.CreatedAt),
			SeenAt:    timestamp(s.SeenAt),
			ExpiresAt: timestamp(s.ExpiresAt),
			IP:        s.Device.IP,
			UserAgent: s.Device.UserAgent,
		})
	}
	writeJSON(w, map[string]any{"sessions": out})
}

// revokeListed ends the session that the path names, if it is a session of the given
// user. For the session of another user it answers 404, so that the answer does not show
// that the session exists.
func (m *Manager) revokeListed(ctx context.Context, w http.ResponseWriter, r *http.Request, userID string) {
	ref, err := ParseRef(r.PathValue("ref"))
	if err != nil {
		m.answerDenial(w, r, denial(CodeNotFound, err))
		return
	}
	list, err := m.Sessions(ctx, userID)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	if !slices.ContainsFunc(list, func(s Session) bool { return s.Ref == ref }) {
		m.answerDenial(w, r, denial(CodeNotFound, nil))
		return
	}
	ended, err := m.revokeInStore(ctx, ref)
	switch {
	case err != nil:
		m.deny(w, r, denial(CodeUnavailable, unavailable("ending a session", err)))
	case !ended: // another request has ended the session since the list was read
		m.answerDenial(w, r, denial(CodeNotFound, nil))
	default:
		m.emit(ctx, Event{Kind: EventRevoked, UserID: userID, Ref: ref})
		w.WriteHeader(http.StatusNoContent)
	}
}

// answerCount answers with n, the number of ended sessions, or with the refusal for err
// if err is not nil.
func (m *Manager) answerCount(w http.ResponseWriter, r *http.Request, n int, err error) {
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	writeJSON(w, map[string]int{"ended": n})
}
