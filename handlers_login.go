package googlesession

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/googlesession/googlesession/internal/strictjson"
)

// serveBeginSignIn answers with the client ID and the nonce that Google's script needs.
// Every page on this origin may ask, because the nonce is useless without the cookie that
// it is made from.
func (m *Manager) serveBeginSignIn(w http.ResponseWriter, r *http.Request) {
	if deliver := r.URL.Query()["deliver"]; deliver != nil {
		if !m.cfg.Bearer || len(deliver) != 1 || deliver[0] != deliverToken {
			m.answerDenial(w, r, denial(CodeBadRequest, errDelivery))
			return
		}
		m.serveBeginProgram(w, r)
		return
	}
	nonce, err := m.BeginSignIn(w, r)
	if err != nil {
		m.answerDenial(w, r, denialFor(err))
		return
	}
	writeJSON(w, map[string]any{
		"client_id": m.cfg.Verifier.ClientID(),
		"nonce":     nonce,
		"redirect":  m.cfg.CodeExchanger != nil, // GET login/google exists
	})
}

// serveSignIn reads a posted token and signs its user in. It answers JSON to a script, and a
// redirect to a form, because the browser shows the answer of a form in its window.
func (m *Manager) serveSignIn(w http.ResponseWriter, r *http.Request) {
	next := "/"
	refuse := m.answerDenial
	if mediaType(r) == mediaForm {
		refuse = func(w http.ResponseWriter, r *http.Request, d Denial) {
			m.answerSignInDenial(w, r, d, next, m.beginAgain(next))
		}
	}
	// The source is checked before the body is read. SignIn checks it again, because an
	// application may call SignIn directly.
	if err := m.checkSource(r, m.signInOrigins(r)); err != nil {
		refuse(w, r, m.reportRefusedSignIn(r, "", err))
		return
	}
	body, err := readSignIn(w, r)
	if err != nil {
		refuse(w, r, m.reportRefusedSignIn(r, "", err))
		return
	}
	if body.program != nil {
		if !m.cfg.Bearer {
			m.answerDenial(w, r, m.reportRefusedSignIn(r, "", denial(CodeBadRequest, errDelivery)))
			return
		}
		m.serveSignInProgram(w, r, *body.program)
		return
	}
	next = body.next
	s, err := m.signInPosted(w, r, body.credential, body.options)
	switch {
	case err != nil:
		refuse(w, r, denialFor(err))
	case body.form:
		http.Redirect(w, r, body.next, http.StatusSeeOther)
	default:
		writeJSON(w, userBody(s.User))
	}
}

// beginAgain returns the page on which a person can begin the sign-in again. It then leads
// to next.
func (m *Manager) beginAgain(next string) string {
	if m.cfg.LoginPage == "" {
		return "/"
	}
	return m.cfg.LoginPage + "?" + url.Values{"next": {next}}.Encode()
}

// serveSignOut signs out. It answers a form with a redirect, because the browser shows the
// answer in its window, and a script with 204. htmx leads the browser to the address in
// HX-Redirect.
func (m *Manager) serveSignOut(w http.ResponseWriter, r *http.Request) {
	if err := m.SignOut(w, r); err != nil {
		m.answerDenial(w, r, denialFor(err))
		return
	}
	switch {
	case IsNavigation(r):
		http.Redirect(w, r, m.afterSignOut(w, r), http.StatusSeeOther) //nolint:gosec // afterSignOut returns a path of this site
	case isHTMX(r):
		w.Header().Set("HX-Redirect", m.afterSignOut(w, r)) //nolint:canonicalheader // as htmx spells it
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// afterSignOut returns the page that a browser shows after it has signed out. That is the
// parameter next of the address or of the form, otherwise the login page, otherwise "/". The
// session has ended already, so a body that cannot be read is not an error.
func (m *Manager) afterSignOut(w http.ResponseWriter, r *http.Request) string {
	values := r.URL.Query()
	if !values.Has("next") && mediaType(r) == mediaForm {
		data, _ := readBody(w, r, maxBody)
		values, _ = url.ParseQuery(string(data))
	}
	switch {
	case values.Has("next"):
		return safePath(values.Get("next"))
	case m.cfg.LoginPage != "":
		return m.cfg.LoginPage
	default:
		return "/"
	}
}

// A signInBody holds the values in the body of POST /login.
type signInBody struct {
	credential string         // the ID token
	options    signInOptions  // in JSON only
	program    *programSignIn // what a program posts, if "deliver" is "token"; in JSON only
	form       bool           // the body is a form and not JSON
	next       string         // the path to go to afterwards; in a form only
}

// deliverToken is the value of "deliver" with which a program asks for a bearer token.
const deliverToken = "token"

var errDelivery = errors.New("googlesession: deliver is not token, or Config.Bearer is not set")

var errCSRF error = &operatorError{
	"googlesession: g_csrf_token of the form is not that of the cookie",
	"The login page needs the same host as this server, because Google's script sets the cookie g_csrf_token for the host of the page. If the hosts are the same, the browser blocks cookies, or the form was forged.",
}

// readSignIn reads the body strictly, so that it can be understood in one way only. The
// error is a Denial.
func readSignIn(w http.ResponseWriter, r *http.Request) (signInBody, error) {
	media := mediaType(r)
	if media != mediaJSON && media != mediaForm {
		return signInBody{}, denial(CodeUnsupportedMediaType, errMediaType)
	}
	data, err := readBody(w, r, maxBody)
	if err != nil {
		return signInBody{}, err
	}
	if media == mediaForm {
		return readSignInForm(r, string(data))
	}
	members, err := strictjson.Object(data, maxBodyDepth)
	if err != nil {
		return signInBody{}, denial(CodeBadRequest, errors.Join(errBody, err))
	}
	credential, ok, err := members.String("credential")
	if err != nil || !ok {
		return signInBody{}, denial(CodeBadRequest, errBody)
	}
	body := signInBody{credential: credential}
	for name, option := range map[string]*bool{"reauth": &body.options.reauth, "remember": &body.options.remember} {
		if *option, _, err = members.Bool(name); err != nil {
			return signInBody{}, denial(CodeBadRequest, errBody)
		}
	}
	deliver, ok, err := members.String("deliver")
	if err != nil || ok && deliver != deliverToken {
		return signInBody{}, denial(CodeBadRequest, errBody)
	}
	if ok {
		body.program, err = readProgram(members, body)
	}
	return body, err
}

// readProgram reads what a program posts. It signs in again in place of a re-authentication,
// because it has no session that another one could replace.
func readProgram(members strictjson.Members, body signInBody) (*programSignIn, error) {
	p := &programSignIn{credential: body.credential, remember: body.options.remember}
	for name, text := range map[string]*string{"secret": &p.secret, "label": &p.label} {
		var err error
		if *text, _, err = members.String(name); err != nil {
			return nil, denial(CodeBadRequest, errBody)
		}
	}
	if body.options.reauth || !isLabel(p.label) {
		return nil, denial(CodeBadRequest, errBody)
	}
	return p, nil
}

// readSignInForm reads the form that Google's script posts. The script sets g_csrf_token,
// which is an additional check only, because a sibling host could plant it (OWASP CSRF
// Prevention Cheat Sheet, naive double submit). The nonce protects the sign-in.
func readSignInForm(r *http.Request, data string) (signInBody, error) {
	form, err := url.ParseQuery(data) // r.Form would also have the parameters of the URL
	if err != nil {
		return signInBody{}, denial(CodeBadRequest, errBody)
	}
	credential, state := form["credential"], form["state"]
	token := form["g_csrf_token"]
	if len(credential) != 1 || len(state) > 1 || len(token) > 1 {
		return signInBody{}, denial(CodeBadRequest, errBody)
	}
	cookies := r.CookiesNamed("g_csrf_token")
	if len(token) != 1 || token[0] == "" || len(cookies) != 1 || !equalSecrets(token[0], cookies[0].Value) {
		return signInBody{}, denial(CodeCrossOrigin, errCSRF)
	}
	body := signInBody{credential: credential[0], form: true, next: "/"}
	if len(state) == 1 {
		body.next = safePath(state[0])
	}
	return body, nil
}
