package googlesession

import (
	"errors"
	"net/http"
	"net/url"
)

const (
	maxRedirectQuery = 16 << 10 // bytes of the query of the two routes
	maxCode          = 1 << 10  // bytes of a code; Google promises at most 256
)

var (
	errBeginQuery    = errors.New("googlesession: query of GET login/google is not next, remember and reauth, each at most once, with true or false for the last two")
	errCallbackQuery = errors.New("googlesession: query of GET login/google/callback is not a code or an error with one state")
)

// serveBeginRedirect sends the browser to Google. Every site can link to this route, so it
// changes only the nonce cookie.
func (m *Manager) serveBeginRedirect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	m.reportBeginPath(r)
	state, err := readBeginRedirect(r.URL.RawQuery)
	var target string
	if err == nil {
		target, err = m.beginRedirect(w, r, state)
	}
	if err != nil {
		d := denialFor(err)
		m.reportDenial(r, d)
		m.answerSignInDenial(w, r, d, state.next, m.beginPath(state))
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther) //nolint:gosec // target is the configured page of Google's
}

// readBeginRedirect reads the query of GET login/google. A query that can be understood in
// two ways is refused. An unknown parameter is refused too, because the application makes
// the link, and a misspelt remember would otherwise have no effect that a developer sees.
// The path to return to is "/" if it is not safe, as in the state of Google's form.
func readBeginRedirect(query string) (redirectState, error) {
	bad := denial(CodeBadRequest, errBeginQuery)
	none := newRedirectState("/", false, false)
	if len(query) > maxRedirectQuery {
		return none, bad
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return none, bad
	}
	next, remember, reauth := "/", false, false
	for name, list := range values {
		if len(list) != 1 {
			return none, bad
		}
		value := list[0]
		switch name {
		case "next":
			next = safePath(value)
		case "remember":
			remember, err = readBool(value, err)
		case "reauth":
			reauth, err = readBool(value, err)
		default:
			return none, bad
		}
	}
	if err != nil {
		return none, bad
	}
	return newRedirectState(next, remember, reauth), nil
}

// readBool reads "true" or "false", unless err is an earlier error.
func readBool(s string, err error) (bool, error) {
	if err == nil && s != "true" && s != "false" {
		err = errBeginQuery
	}
	return s == "true", err
}

// beginRedirect returns the URL of Google's page, and sets the nonce cookie. Without a live
// session, a re-authentication becomes a sign-in, because the person wants to reach the
// page that has asked for the re-authentication. So it does with a session that is not bound and
// has to be, because the new session can be bound.
func (m *Manager) beginRedirect(w http.ResponseWriter, r *http.Request, s redirectState) (string, error) {
	hint := ""
	if s.reauth {
		_, auth := m.authenticate(r)
		switch {
		case auth.err == nil && auth.session.User.Email != "":
			hint = auth.session.User.Email
		case auth.err == nil:
			hint = auth.session.User.ID
		case denialFor(auth.err).Status == http.StatusUnauthorized, denialFor(auth.err).Code == CodeBindingNeeded:
			s.reauth = false
		default:
			return "", auth.err
		}
	}
	secret, err := m.beginSignIn(w, r)
	if err != nil {
		return "", err
	}
	return m.authorizationURL(secret, s, hint)
}

// serveRedirectCallback finishes the sign-in of a browser that comes back from Google. The
// browser comes from another site, so the state and not the origin proves that this browser
// has begun the sign-in. Config.Deny, Config.Lifetime and the answers to refusals get the
// request without its query, because they could show or log the address with the code.
func (m *Manager) serveRedirectCallback(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	query := r.URL.RawQuery
	r = withoutQuery(r)
	back, err := readCallback(query)
	if err == nil {
		err = m.checkSource(r, m.origins) // refuses another host and a WebSocket's handshake
	}
	state := redirectState{next: "/"}
	if err == nil {
		state, err = m.finishRedirect(w, r, back)
	} else {
		err = m.reportRefusedSignIn(r, "", err)
	}
	if err != nil {
		m.answerSignInDenial(w, r, denialFor(err), state.next, m.beginPath(state))
		return
	}
	if path, ok := m.afterRedirect(w.Header(), state.next); ok {
		writeStep(w, path)
		return
	}
	http.Redirect(w, r, state.next, http.StatusSeeOther)
}

// finishRedirect signs the user in and returns the state. If this browser did not begin the
// sign-in, it returns a state that leads to "/". It has reported the error that it returns.
func (m *Manager) finishRedirect(w http.ResponseWriter, r *http.Request, back callback) (redirectState, error) {
	secret, state, err := m.readState(r, back.state)
	if err != nil {
		return redirectState{next: "/"}, m.reportRefusedSignIn(r, "", err)
	}
	id, err := m.verifyCallback(r.Context(), secret, state, back)
	if err != nil {
		return state, m.reportRefusedSignIn(r, "", err)
	}
	_, err = m.signInAs(w, r, id, signInOptions{remember: state.remember, reauth: state.reauth})
	return state, err
}

// readCallback reads the query that Google has made (RFC 6749, sections 4.1.2 and 4.1.2.1).
// Unknown parameters are ignored, as section 4.1.2 requires, because Google adds some: scope,
// authuser, prompt and hd at the time of writing. A repeated parameter is refused (section
// 3.1), because two readers of the query could see different values.
func readCallback(query string) (callback, error) {
	bad := denial(CodeBadRequest, errCallbackQuery)
	if len(query) > maxRedirectQuery {
		return callback{}, bad
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return callback{}, bad
	}
	for _, list := range values {
		if len(list) != 1 {
			return callback{}, bad
		}
	}
	c := callback{code: values.Get("code"), err: values.Get("error"), state: values.Get("state"), issuer: values.Get("iss")}
	if c.state == "" || (c.code == "") == (c.err == "") || len(c.code) > maxCode || !isPrintable(c.code) {
		return callback{}, bad
	}
	return c, nil
}
