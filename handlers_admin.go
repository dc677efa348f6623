package googlesession

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/googlesession/googlesession/internal/strictjson"
)

const maxReason = 200 // bytes of an administrator's ?reason=

// adminUserJSON is a user as administrators see the user.
type adminUserJSON struct {
	userJSON
	Disabled  bool   `json:"disabled"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"seen_at"`
}

func adminUserBody(u User) adminUserJSON {
	return adminUserJSON{userBody(u), u.Disabled, timestamp(u.CreatedAt), timestamp(u.SeenAt)}
}

func (m *Manager) serveGetUser(w http.ResponseWriter, r *http.Request) {
	user, err := m.readUser(r.Context(), r.PathValue("id"))
	m.answerUser(w, r, user, err)
}

// serveSetAccess changes a user's flags. Administrators cannot demote or disable
// themselves, because a slip could leave the application without an administrator who is
// signed in. The store protects the last administrator in addition.
func (m *Manager) serveSetAccess(w http.ResponseWriter, r *http.Request) {
	access, err := readAccess(w, r)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	if access == (AccessChange{}) {
		m.serveGetUser(w, r)
		return
	}
	current, _ := SessionFrom(r.Context())
	removesAccess := access.Admin != nil && !*access.Admin || access.Disabled != nil && *access.Disabled
	if removesAccess && r.PathValue("id") == current.User.ID {
		m.deny(w, r, denial(CodeOwnAccount, nil))
		return
	}
	user, err := m.SetAccess(asAdmin(r.Context(), r), r.PathValue("id"), access)
	m.answerUser(w, r, user, err)
}

// serveDeleteUser deletes a user, but not the administrator who asks.
func (m *Manager) serveDeleteUser(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	if r.PathValue("id") == current.User.ID {
		m.deny(w, r, denial(CodeOwnAccount, nil))
		return
	}
	if err := m.DeleteUser(asAdmin(r.Context(), r), r.PathValue("id")); err != nil {
		m.deny(w, r, userDenialFor(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *Manager) serveUserSessions(w http.ResponseWriter, r *http.Request) {
	if user, ok := m.userOfPath(w, r); ok {
		m.answerSessions(w, r, user.ID)
	}
}

// serveRevokeUserSessions ends all sessions of a user. It reads the user first, because a
// session store treats an unknown user like a user without sessions, and the answer must
// be 404.
func (m *Manager) serveRevokeUserSessions(w http.ResponseWriter, r *http.Request) {
	user, ok := m.userOfPath(w, r)
	if !ok {
		return
	}
	n, err := m.RevokeUser(asAdmin(r.Context(), r), user.ID)
	m.answerCount(w, r, n, err)
}

func (m *Manager) serveRevokeUserSession(w http.ResponseWriter, r *http.Request) {
	m.revokeListed(asAdmin(r.Context(), r), w, r, r.PathValue("id"), nil)
}

// serveRevokeAll ends the sessions of all users. The sessions of the administrator who
// asks end last.
func (m *Manager) serveRevokeAll(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	n, err := m.revokeAllUsers(asAdmin(r.Context(), r), current.User.ID)
	m.answerCount(w, r, n, err)
}

// userOfPath returns the user that the path names. If it reports false, it has already
// answered the request.
func (m *Manager) userOfPath(w http.ResponseWriter, r *http.Request) (User, bool) {
	user, err := m.readUser(r.Context(), r.PathValue("id"))
	if err != nil {
		m.deny(w, r, userDenialFor(err))
	}
	return user, err == nil
}

// answerUser answers with the user record, or with the refusal for err if err is not nil.
func (m *Manager) answerUser(w http.ResponseWriter, r *http.Request, user User, err error) {
	if err != nil {
		m.deny(w, r, userDenialFor(err))
		return
	}
	writeJSON(w, adminUserBody(user))
}

// asAdmin returns a context that names the administrator and the reason for the audit.
func asAdmin(ctx context.Context, r *http.Request) context.Context {
	current, _ := SessionFrom(ctx)
	reason := strings.Clone(cleanText(r.URL.Query().Get("reason"), maxReason)) // an audit keeps it for longer than the request
	if reason == "" {
		reason = "administrator"
	}
	return WithActor(ctx, current.User.ID, reason)
}

// readAccess reads the body of a PATCH of a user, which is a JSON object with the
// optional booleans admin and disabled. It refuses every other member, so that a misspelt
// member is not ignored. The error is a Denial.
func readAccess(w http.ResponseWriter, r *http.Request) (a AccessChange, err error) {
	if mediaType(r) != mediaJSON {
		return AccessChange{}, denial(CodeUnsupportedMediaType, errMediaType)
	}
	data, err := readBody(w, r, maxBody)
	if err != nil {
		return AccessChange{}, err
	}
	members, err := strictjson.Object(data, maxBodyDepth)
	if err != nil {
		return AccessChange{}, denial(CodeBadRequest, errors.Join(errBody, err))
	}
	flags := map[string]**bool{"admin": &a.Admin, "disabled": &a.Disabled}
	for _, name := range members.Names() {
		flag, known := flags[name]
		if !known {
			return AccessChange{}, denial(CodeBadRequest, errBody)
		}
		value, _, err := members.Bool(name)
		if err != nil {
			return AccessChange{}, denial(CodeBadRequest, errors.Join(errBody, err))
		}
		*flag = &value
	}
	return a, nil
}
