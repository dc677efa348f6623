package googlesession

import (
	"context"
	"errors"
	"net/http"
)

// sessionJSON is a session as its user and administrators see it. The id is the text of
// its Ref. A client can end the session with it or with the public_id, but cannot make a
// cookie from either.
type sessionJSON struct {
	ID        string `json:"id"`
	PublicID  string `json:"public_id"`
	Kind      string `json:"kind"`
	Label     string `json:"label"`
	Current   bool   `json:"current"`
	Bound     bool   `json:"bound"` // Session.Bound
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
	m.revokeListed(WithActor(r.Context(), current.User.ID, "own session"), w, r, current.User.ID, nil)
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
		out = append(out, sessionBody(s, current.Ref))
	}
	writeJSON(w, map[string]any{"sessions": out})
}

// sessionBody returns what is shown of s. The session of the request has the Ref current.
func sessionBody(s Session, current Ref) sessionJSON {
	return sessionJSON{
		ID:        s.Ref.String(),
		PublicID:  s.PublicID.String(),
		Kind:      s.Kind.String(),
		Label:     s.Label,
		Current:   s.Ref == current,
		Bound:     s.Bound(),
		CreatedAt: timestamp(s.CreatedAt),
		SeenAt:    timestamp(s.SeenAt),
		ExpiresAt: timestamp(s.ExpiresAt),
		IP:        s.Device.IP,
		UserAgent: s.Device.UserAgent,
	}
}

// revokeListed ends the session that the path names by its reference or its public ID, if it
// is a session of the given user, and if only is nil or returns true for it. For the session of
// another user it answers 404, so that the answer does not show that the session exists.
func (m *Manager) revokeListed(ctx context.Context, w http.ResponseWriter, r *http.Request, userID string, only func(Session) bool) {
	isNamed, ok := sessionNamed(r.PathValue("ref"))
	if !ok {
		m.answerDenial(w, r, denial(CodeNotFound, errSessionName))
		return
	}
	list, err := m.Sessions(ctx, userID)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	found := false
	for _, s := range list { // two sessions have one public ID while a re-authentication replaces one by the other
		if !isNamed(s) || only != nil && !only(s) {
			continue
		}
		ended, err := m.revokeInStore(ctx, s.Ref)
		if err != nil {
			m.deny(w, r, denial(CodeUnavailable, unavailable("ending a session", err)))
			return
		}
		if ended {
			found = true
			m.emit(ctx, Event{Kind: EventRevoked, UserID: userID, Ref: s.Ref, PublicID: s.PublicID})
		}
	}
	if !found { // or another request has ended the session since the list was read
		m.answerDenial(w, r, denial(CodeNotFound, nil))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

var errSessionName = errors.New("googlesession: malformed session reference or public ID")

// sessionNamed returns a function that reports whether a session has this text as its Ref or
// its PublicID. It reports false if the text is neither, or is the zero PublicID, which does
// not name a session.
func sessionNamed(text string) (isNamed func(Session) bool, ok bool) {
	if ref, err := ParseRef(text); err == nil {
		return func(s Session) bool { return s.Ref == ref }, true
	}
	if id, err := ParsePublicID(text); err == nil && id != (PublicID{}) {
		return func(s Session) bool { return s.PublicID == id }, true
	}
	return nil, false
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
