package googlesession

import "net/http"

// userJSON is a user as the user's own browser sees it.
type userJSON struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Picture  string `json:"picture"`
	Admin    bool   `json:"admin"`
}

func userBody(u User) userJSON {
	return userJSON{ID: u.ID, Username: u.Email, Email: u.Email, Name: u.Name, Picture: u.Picture, Admin: u.Admin}
}

func (m *Manager) serveUser(w http.ResponseWriter, r *http.Request) {
	user, _ := UserFrom(r.Context())
	writeJSON(w, userBody(user))
}

// serveExport answers with everything that the stores have about the user who asks. Browsers
// save it as a file.
func (m *Manager) serveExport(w http.ResponseWriter, r *http.Request) {
	user, _ := UserFrom(r.Context())
	export, err := m.Export(r.Context(), user.ID)
	if err != nil {
		m.deny(w, r, ownDenialFor(err))
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="account.json"`)
	writeJSON(w, export)
}

// serveDeleteSelf deletes the user who asks, and makes the browser forget the session cookie and
// the nonce cookie. The device cookie stays, because another user of the browser may need it.
func (m *Manager) serveDeleteSelf(w http.ResponseWriter, r *http.Request) {
	user, _ := UserFrom(r.Context())
	if err := m.DeleteUser(WithActor(r.Context(), user.ID, "own account"), user.ID); err != nil {
		m.deny(w, r, ownDenialFor(err))
		return
	}
	setPrivate(w.Header())
	m.sessionCookie.expire(w)
	m.nonceCookie.expire(w)
	w.WriteHeader(http.StatusNoContent)
}

// ownDenialFor returns the Denial of an error about the user who asks. If the user store does
// not have the user, the user was deleted after the guard had admitted the request. The
// request is then without a session, and 404 would say that the route does not exist.
func ownDenialFor(err error) Denial {
	d := userDenialFor(err)
	if d.Code == CodeNotFound {
		return denial(CodeNoSession, err)
	}
	return d
}
