package googlesession

import (
	"errors"
	"net/http"
	"time"
)

var (
	errWrongAccount  = errors.New("googlesession: token is for another account than the session")
	errReauthByToken = errors.New("googlesession: a session with a bearer token cannot be re-authenticated; sign in again")
	errOldToken      = errors.New("googlesession: token was issued before the session began")
)

// BeginSignIn sets the nonce cookie and returns the nonce for Google's script. It is for
// pages that the server renders; other pages get the cookie and the nonce from GET login.
// If the browser already has a well-formed nonce cookie, BeginSignIn keeps its value, so
// that two tabs do not break each other. It must be called before the answer's header is
// written. BeginSignIn sets Cache-Control to no-store, because the answer must not be
// cached.
//
// The error is a [Denial], which BeginSignIn has reported to [Config.Logger] and
// [Config.Events]. Its code is [CodeNotFound] without [Config.Verifier], and
// [CodeMisdirectedRequest] if [Config.DangerouslyAllowHTTP] does not allow the Host.
func (m *Manager) BeginSignIn(w http.ResponseWriter, r *http.Request) (nonce string, err error) {
	secret, err := m.beginSignIn(w, r)
	if err != nil {
		m.reportDenial(r, denialFor(err))
		return "", err
	}
	nonce, _ = nonceOf(secret)
	return nonce, nil
}

// beginSignIn sets the nonce cookie and returns its value, which is well-formed.
func (m *Manager) beginSignIn(w http.ResponseWriter, r *http.Request) (secret string, err error) {
	if m.cfg.Verifier == nil {
		return "", denial(CodeNotFound, errNoVerifier)
	}
	if m.cfg.DangerouslyAllowHTTP && !isLoopback(r.Host) {
		return "", denial(CodeMisdirectedRequest, errForeignHost)
	}
	secret, _ = m.nonceCookie.read(r)
	if _, ok := nonceOf(secret); !ok {
		secret = newSecret()
	}
	setPrivate(w.Header())
	m.nonceCookie.set(w, secret)
	return secret, nil
}

// signInOptions says what a browser asks for in addition to a sign-in.
type signInOptions struct {
	remember bool // SignIn.Remember
	reauth   bool // the user signs in again (Reauthenticate)
}

// SignIn signs a user in with a Google ID token that this browser asked for. It verifies
// the token, creates the user at the first sign-in, creates a session, ends the session that
// the browser had, and sets the cookie. It must be called before the answer's header is
// written.
//
// It refuses cross-origin requests first. With [Config.RedirectMode] it accepts a form
// that Google's page posts; a caller other than [Manager.Handler] then has to compare the
// form's g_csrf_token with the cookie of that name.
//
// The error is a [Denial]. If the sign-in is refused, it leaves no session behind. If
// Config.Admit or Config.HostedDomains refuses it, it leaves no user behind either.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, idToken string) (Session, error) {
	return m.signInPosted(w, r, idToken, signInOptions{})
}

// signInPosted verifies a posted token and signs in the person whom it names.
func (m *Manager) signInPosted(w http.ResponseWriter, r *http.Request, idToken string, o signInOptions) (Session, error) {
	id, err := m.verifyPosted(r, idToken)
	if err != nil {
		return Session{}, m.reportRefusedSignIn(r, "", err)
	}
	return m.signInAs(w, r, id, o)
}

// signInAs signs in the person whom a verified token names. It does not matter whether the
// token was posted or whether Google gave it for a code.
func (m *Manager) signInAs(w http.ResponseWriter, r *http.Request, id Identity, o signInOptions) (Session, error) {
	if o.reauth {
		return m.reauthenticateAs(w, r, id, o)
	}
	if err := m.admit(r.Context(), id); err != nil {
		return Session{}, m.reportRefusedSignIn(r, id.Subject, err)
	}
	s, err := m.startSession(r.Context(), w, SignIn{Identity: id, Request: r, Remember: o.remember}, m.device(r))
	if err != nil {
		return Session{}, m.reportRefusedSignIn(r, id.Subject, err)
	}
	m.reportProxy(r)
	m.emit(r.Context(), sessionEvent(EventSignedIn, s))
	m.noteBrowser(w, r, s)
	return s, nil
}

// Reauthenticate signs a user in again who is signed in already, as [Manager.RequireFresh]
// demands. It creates a new session with the Device and the PublicID of the old one, and ends
// the old one. It must be called before the answer's header is written. The new session has a
// new lifetime, which [Config.Lifetime] decides. A session with a bearer token is refused
// ([CodeForbidden]), because its program signs in again instead.
//
// The error is a [Denial]. Its code is [CodeWrongAccount] for a token of another account.
// It is [CodeTokenRefused] for a token that Google issued before the old session began,
// such as the token of that sign-in; asking Google again gives a newer one. Without a
// session the Denial is that of [Manager.RequireUser]. Every other Denial is one that
// [Manager.SignIn] returns.
func (m *Manager) Reauthenticate(w http.ResponseWriter, r *http.Request, idToken string) (Session, error) {
	return m.signInPosted(w, r, idToken, signInOptions{reauth: true})
}

// reauthenticateAs signs in again the person whom a verified token names.
func (m *Manager) reauthenticateAs(w http.ResponseWriter, r *http.Request, id Identity, o signInOptions) (Session, error) {
	s, err := m.renewSession(w, r, id, o)
	if err != nil {
		return Session{}, m.reportRefusedSignIn(r, id.Subject, err)
	}
	e := sessionEvent(EventSignedIn, s)
	e.Reason = "again"
	m.emit(r.Context(), e)
	return s, nil
}

// renewSession replaces the session of the request. It asks Config.Admit again, so that a
// user who may not sign in any more does not get a new session from an old one.
func (m *Manager) renewSession(w http.ResponseWriter, r *http.Request, id Identity, o signInOptions) (Session, error) {
	_, auth := m.authenticate(r)
	switch {
	case auth.err != nil:
		return Session{}, auth.err
	case auth.session.Kind != KindCookie:
		return Session{}, denial(CodeForbidden, errReauthByToken)
	case id.Subject != auth.session.User.ID:
		return Session{}, denial(CodeWrongAccount, errWrongAccount)
	case !issuedSince(id.IssuedAt, auth.session, time.Now()):
		return Session{}, denial(CodeTokenRefused, &TokenError{Reason: ReasonTime, Err: errOldToken})
	}
	if err := m.admit(r.Context(), id); err != nil {
		return Session{}, err
	}
	list, err := m.Sessions(r.Context(), id.Subject)
	if err != nil {
		return Session{}, err
	}
	replaced := auth.session
	replaced.Device = m.device(r)
	for _, s := range list {
		if s.Ref == replaced.Ref {
			replaced.Device = s.Device
		}
	}
	token, _ := m.sessionCookie.read(r)
	return m.startSession(r.Context(), w, SignIn{
		Identity: id, Request: r, Remember: o.remember || isRemembered(token), Replaces: &replaced,
	}, replaced.Device)
}

// justIssued is the age up to which a token counts as the newest that Google can give. It
// is not zero, because Google rounds a token's time down to a second and posting the
// token takes a moment.
const justIssued = 2 * time.Second

// issuedSince reports whether Google has issued the token since the session began. Tokens
// have whole seconds, so the order of two tokens from one second is unknown. A token that
// is younger than justIssued passes, because the browser cannot get a newer one.
func issuedSince(issued time.Time, s Session, now time.Time) bool {
	if age := now.Sub(issued); 0 <= age && age < justIssued {
		return true
	}
	return issued.After(s.TokenIssuedAt) && !issued.Before(s.CreatedAt.Truncate(time.Second))
}

// SignOut ends the session that the browser has and makes the browser forget the session
// cookie and the nonce cookie. Without a session it only makes the browser forget them. The
// browser keeps the device cookie, so that its next sign-in makes no alarm. SignOut must be
// called before the answer's header is written. It refuses cross-origin requests first,
// whatever their method is.
//
// The error is a [Denial], which SignOut has reported to [Config.Logger] and
// [Config.Events]. During an outage of the store the browser keeps its cookies, so that a
// second attempt ends the session.
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request) error {
	err := m.signOut(w, r)
	if err != nil {
		m.reportDenial(r, denialFor(err))
	}
	return err
}

// signOut is SignOut without the report.
func (m *Manager) signOut(w http.ResponseWriter, r *http.Request) error {
	c := m.readCredential(r)
	if err := m.checkSourceOf(c, asUnsafe(r)); err != nil { // of every method, because an application may call SignOut for a GET
		return denialFor(err)
	}
	presented := m.presentedRefs(r)
	if c.by == byToken {
		if c.err != nil { // a bearer token has to be the only credential, as in every other request
			return denial(CodeNoSession, c.err)
		}
		presented = []Ref{c.ref}
	}
	for _, ref := range presented {
		s := m.lookUp(r.Context(), ref)
		ended, err := m.revokeInStore(r.Context(), ref)
		if err != nil {
			return denial(CodeUnavailable, unavailable("signing out", err))
		}
		if ended {
			e := sessionEvent(EventSignedOut, s)
			e.Device = m.device(r)
			m.emit(r.Context(), e)
		}
	}
	setPrivate(w.Header())
	if c.by == byCookie {
		m.sessionCookie.expire(w)
		m.nonceCookie.expire(w)
		if m.cfg.DeviceBinding != BindNobody {
			m.boundCookie.expire(w)
		}
	}
	return nil
}
