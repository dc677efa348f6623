package googlesession

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	defaultPage = 50
	maxPage     = 200

	maxReason = 200 // bytes of an administrator's ?reason=

	// revokeAllFresh is how recent the sign-in of an administrator must be who ends
	// everybody's sessions.
	revokeAllFresh = 10 * time.Minute
)

func (m *Manager) adminRoutes() map[string]methods {
	fresh := func(h http.Handler) http.Handler { return m.RequireAdmin(m.RequireFresh(revokeAllFresh)(h)) }
	return map[string]methods{
		"/admin/users": m.guarded(m.RequireAdmin, methods{http.MethodGet: m.serveUsers}),
		"/admin/users/{id}": m.guarded(m.RequireAdmin, methods{
			http.MethodGet:    m.serveOneUser,
			http.MethodPatch:  m.serveSetAccess,
			http.MethodDelete: m.serveDeleteUser,
		}),
		"/admin/users/{id}/sessions": m.guarded(m.RequireAdmin, methods{
			http.MethodGet:    m.serveUserSessions,
			http.MethodDelete: m.serveEndUser,
		}),
		"/admin/users/{id}/sessions/{ref}": m.guarded(m.RequireAdmin, methods{http.MethodDelete: m.serveEndOneOfUser}),
		"/admin/sessions/revoke-all":       m.guarded(fresh, methods{http.MethodPost: m.serveRevokeAll}),
	}
}

// adminUserJSON is a user as administrators see it.
type adminUserJSON struct {
	userJSON
	Disabled  bool   `json:"disabled"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"seen_at"`
}

func adminUserBody(u User) adminUserJSON {
	return adminUserJSON{userBody(u), u.Disabled, timestamp(u.CreatedAt), timestamp(u.SeenAt)}
}

// serveUsers answers a page of users in byte order of ID. Next is the ID to go on
// after; it is absent on the last page.
func (m *Manager) serveUsers(w http.ResponseWriter, r *http.Request) {
	query, limit := r.URL.Query(), defaultPage
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			m.answer(w, r, denial(CodeBadRequest, errBody))
			return
		}
		limit = n
	}
	after := query.Get("after")
	if len(after) > 255 || !utf8.ValidString(after) || strings.ContainsRune(after, 0) { // no user's ID
		m.answer(w, r, denial(CodeBadRequest, errBody))
		return
	}
	users, more, err := m.usersPage(r.Context(), after, limit)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	page := struct {
		Users []adminUserJSON `json:"users"`
		Next  string          `json:"next,omitempty"`
	}{Users: make([]adminUserJSON, 0, len(users))}
	for _, u := range users {
		page.Users = append(page.Users, adminUserBody(u))
	}
	if more {
		page.Next = users[len(users)-1].ID
	}
	writeJSON(w, page)
}

func (m *Manager) serveOneUser(w http.ResponseWriter, r *http.Request) {
	user, err := m.readUser(r.Context(), r.PathValue("id"))
	m.answerUser(w, r, user, err)
}

func (m *Manager) serveSetAccess(w http.ResponseWriter, r *http.Request) {
	access, err := readAccess(w, r)
	if err != nil {
		m.refuse(w, r, classify(err))
		return
	}
	if access == (AccessChange{}) {
		m.serveOneUser(w, r)
		return
	}
	own, _ := SessionFrom(r.Context())
	takes := access.Admin != nil && !*access.Admin || access.Disabled != nil && *access.Disabled
	if takes && r.PathValue("id") == own.User.ID {
		m.refuse(w, r, denial(CodeOwnAccount, nil))
		return
	}
	user, err := m.SetAccess(acting(r.Context(), r), r.PathValue("id"), access)
	m.answerUser(w, r, user, err)
}

func (m *Manager) serveDeleteUser(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	if r.PathValue("id") == own.User.ID {
		m.refuse(w, r, denial(CodeOwnAccount, nil))
		return
	}
	if err := m.DeleteUser(acting(r.Context(), r), r.PathValue("id")); err != nil {
		m.refuse(w, r, userDenial(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *Manager) serveUserSessions(w http.ResponseWriter, r *http.Request) {
	if user, ok := m.knownUser(w, r); ok {
		m.listSessions(w, r, user.ID)
	}
}

func (m *Manager) serveEndUser(w http.ResponseWriter, r *http.Request) {
	user, ok := m.knownUser(w, r)
	if !ok {
		return
	}
	n, err := m.RevokeUser(acting(r.Context(), r), user.ID)
	m.answerEnded(w, r, n, err)
}

func (m *Manager) serveEndOneOfUser(w http.ResponseWriter, r *http.Request) {
	m.endSession(acting(r.Context(), r), w, r, r.PathValue("id"))
}

// serveRevokeAll ends everybody's sessions, one's own last.
func (m *Manager) serveRevokeAll(w http.ResponseWriter, r *http.Request) {
	own, _ := SessionFrom(r.Context())
	n, err := m.revokeAll(acting(r.Context(), r), own.User.ID)
	m.answerEnded(w, r, n, err)
}

// knownUser reads the user that the path names, or answers.
func (m *Manager) knownUser(w http.ResponseWriter, r *http.Request) (User, bool) {
	user, err := m.readUser(r.Context(), r.PathValue("id"))
	if err != nil {
		m.refuse(w, r, userDenial(err))
	}
	return user, err == nil
}

func (m *Manager) readUser(ctx context.Context, id string) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	user, err := m.users.User(ctx, id)
	if err != nil {
		return User{}, userError("reading a user", err)
	}
	return user, nil
}

func (m *Manager) answerUser(w http.ResponseWriter, r *http.Request, user User, err error) {
	if err != nil {
		m.refuse(w, r, userDenial(err))
		return
	}
	writeJSON(w, adminUserBody(user))
}

// userDenial is classify for what only the users' methods say.
func userDenial(err error) Denial {
	switch {
	case errors.Is(err, ErrUnavailable):
		return classify(err)
	case errors.Is(err, ErrNotFound):
		return denial(CodeNotFound, err)
	case errors.Is(err, ErrLastAdmin):
		return denial(CodeLastAdmin, err)
	case errors.Is(err, ErrConfiguredAdmin):
		return denial(CodeConfiguredAdmin, err)
	default:
		return classify(err)
	}
}

// acting says for the audit who does this, and why.
func acting(ctx context.Context, r *http.Request) context.Context {
	own, _ := SessionFrom(ctx)
	reason := cleanText(r.URL.Query().Get("reason"), maxReason)
	if reason == "" {
		reason = "administrator"
	}
	return WithActor(ctx, own.User.ID, reason)
}
