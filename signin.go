package googlesession

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
)

// googleOrigin is where Google's page posts the form of ux_mode="redirect" from.
const googleOrigin = "https://accounts.google.com"

const mediaForm = "application/x-www-form-urlencoded"

// BeginSignIn sets the nonce cookie and returns the nonce for Google's script, for
// pages that the server renders; GET login does the same for others. A well-formed
// nonce that the browser has already is kept, so that two tabs do not break each
// other. The answer must not be cached: it sets Cache-Control: no-store.
//
// The error is a [Denial].
func (m *Manager) BeginSignIn(w http.ResponseWriter, r *http.Request) (nonce string, err error) {
	if m.cfg.Verifier == nil {
		return "", denial(CodeNotFound, errNoVerifier)
	}
	if m.cfg.DangerouslyAllowHTTP && !isLoopback(r.Host) {
		return "", denial(CodeMisdirected, errForeignHost)
	}
	value, _ := m.login.read(r)
	nonce, ok := nonceOf(value)
	if !ok {
		value = newNonce()
		nonce, _ = nonceOf(value)
	}
	w.Header().Set("Cache-Control", "no-store")
	varyCookie(w.Header())
	m.login.set(w, value)
	return nonce, nil
}

var (
	errNoVerifier  = errors.New("googlesession: no verifier configured")
	errNoUsers     = errors.New("googlesession: no user store configured")
	errNoNonce     = errors.New("googlesession: no nonce cookie")
	errDomain      = errors.New("googlesession: not an account of a hosted domain")
	errBadIdentity = errors.New("googlesession: verifier returned no valid subject")
)

// SignIn verifies a Google ID token that this browser asked for, creates the user
// if new and a session, ends the session that the browser presented, and sets the
// cookie. It must be called before the answer's header is written. It refuses
// cross-origin requests first; with [Config.RedirectMode], a form that Google's
// page posts is let through, and a caller other than [Manager.Handler] has to
// compare its g_csrf_token.
//
// The error is a [Denial]. Whatever is refused before the session is created
// leaves no session behind; an Admit or a domain that refuses leaves no user.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, idToken string) (Session, error) {
	s, err := m.signIn(w, r, idToken)
	if err != nil {
		d := classify(err)
		m.recordRefusedSignIn(r, d)
		return Session{}, d
	}
	m.emit(r.Context(), Event{
		Kind: EventSignedIn, Actor: s.User.ID, UserID: s.User.ID, Ref: s.Ref, Device: s.Device,
	})
	return s, nil
}

func (m *Manager) signIn(w http.ResponseWriter, r *http.Request, idToken string) (Session, error) {
	if m.cfg.Verifier == nil {
		return Session{}, denial(CodeNotFound, errNoVerifier)
	}
	if err := m.checkSource(r, m.loginOrigins(r)); err != nil {
		return Session{}, err
	}
	id, err := m.verify(r, idToken)
	if err != nil {
		return Session{}, err
	}
	if err := m.admit(r.Context(), id); err != nil {
		return Session{}, err
	}
	user, err := m.signInUser(r.Context(), id)
	if err != nil {
		return Session{}, err
	}
	return m.openSession(w, r, user)
}

// loginOrigins also trusts Google's page, for a form and in RedirectMode only. A
// page cannot send JSON to another origin without asking first, so nothing else
// needs it.
func (m *Manager) loginOrigins(r *http.Request) *http.CrossOriginProtection {
	if !m.cfg.RedirectMode || mediaType(r) != mediaForm || r.Header.Get("Origin") != googleOrigin {
		return m.origins
	}
	p := http.NewCrossOriginProtection()
	_ = p.AddTrustedOrigin(googleOrigin) // a constant that is valid
	return p
}

// mediaType is the request's, without parameters; "" if it has none that parses.
func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// verify: the nonce cookie first, because without it no token can be this
// browser's; then everything that the verifier checks.
func (m *Manager) verify(r *http.Request, idToken string) (Identity, error) {
	var nonce string
	if !m.cfg.DangerouslySkipNonce {
		value, _ := m.login.read(r)
		var ok bool
		if nonce, ok = nonceOf(value); !ok {
			return Identity{}, denial(CodeNonceMismatch, errNoNonce)
		}
	}
	id, err := m.cfg.Verifier.Verify(r.Context(), idToken, nonce)
	if err != nil {
		return Identity{}, classifyToken(err)
	}
	if !validSubject(id.Subject) {
		return Identity{}, denial(CodeTokenRefused, errBadIdentity)
	}
	return boundProfile(id), nil
}

// classifyToken keeps "bad token" apart from "cannot tell". A nonce that does not
// match has its own code, so that the page can ask for a new one; that tells an
// attacker nothing, because all other checks use public keys.
func classifyToken(err error) Denial {
	t, ok := errors.AsType[*TokenError](err)
	switch {
	case !ok:
		return denial(CodeUnavailable, unavailable("verifying an ID token", err))
	case t.Reason == ReasonNonce:
		return denial(CodeNonceMismatch, err)
	default:
		return denial(CodeTokenRefused, err)
	}
}

// The bounds of a profile: with the subject less than the 2 KiB that a User may
// have.
const (
	maxEmail   = 320
	maxName    = 256
	maxPicture = 1024
)

// boundProfile makes what Google's users chose for themselves fit to store and
// show. An address or a URL that is cut would be another one, so those go whole.
func boundProfile(id Identity) Identity {
	if email := cleanText(id.Email, len(id.Email)); email != id.Email || len(email) > maxEmail {
		id.Email, id.EmailVerified = "", false
	}
	id.Name = cleanText(id.Name, maxName)
	if len(id.Picture) > maxPicture || !isPrintable(id.Picture) || !strings.HasPrefix(id.Picture, "https://") {
		id.Picture = ""
	}
	return id
}

func (m *Manager) admit(ctx context.Context, id Identity) error {
	if len(m.domains) > 0 && !m.domains[lowerASCII(id.HostedDomain)] {
		return denial(CodeNotAdmitted, errDomain)
	}
	if m.cfg.Admit == nil {
		return nil
	}
	err := m.cfg.Admit(ctx, id)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable):
		return denial(CodeUnavailable, err)
	default:
		return denial(CodeNotAdmitted, err)
	}
}

// signInUser writes the user and makes a listed one administrator. The User that
// comes back goes into CreateSession as it is: a disable that comes in between has
// a greater Version and wins there.
func (m *Manager) signInUser(ctx context.Context, id Identity) (User, error) {
	storeCtx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	user, err := m.users.SignIn(storeCtx, id)
	if err != nil {
		return User{}, denial(CodeUnavailable, unavailable("signing a user in", err))
	}
	if user.Disabled {
		return User{}, denial(CodeUserDisabled, ErrUserDisabled)
	}
	if user.Admin || !m.admins[lowerASCII(id.Email)] || !id.EmailAuthoritative() {
		return user, nil
	}
	isAdmin := true
	user, err = m.setAccess(ctx, user.ID, Access{Admin: &isAdmin})
	switch {
	case err != nil:
		// ErrNotFound: deleted since. Whatever it is, it is not about a session.
		return User{}, denial(CodeUnavailable, unavailable("making a configured administrator", err))
	case user.Disabled:
		return User{}, denial(CodeUserDisabled, ErrUserDisabled)
	}
	m.emit(ctx, Event{Kind: EventAccessChanged, UserID: user.ID, Reason: "configured admin"})
	return user, nil
}

// openSession creates the session, ends the one it replaces, and only then hands
// the cookie out.
func (m *Manager) openSession(w http.ResponseWriter, r *http.Request, user User) (Session, error) {
	ctx := r.Context()
	token, ref := m.newToken(user.ID)
	device := m.device(r)
	s, err := m.createSession(ctx, NewSession{
		Ref:         ref,
		User:        user,
		MaxLifetime: m.cfg.MaxLifetime,
		IdleTimeout: m.cfg.IdleTimeout,
		Device:      device,
	})
	if err != nil {
		return Session{}, err
	}
	for _, old := range m.presented(r) {
		if _, err := m.revoke(ctx, old); err != nil {
			// Two live sessions where the browser knows of one: take the new one back as
			// well as can be. Its token was never handed out.
			_, _ = m.revoke(ctx, ref)
			return Session{}, denial(CodeUnavailable, unavailable("ending the replaced session", err))
		}
	}
	m.session.set(w, token)
	w.Header().Set("Cache-Control", "no-store")
	varyCookie(w.Header())
	s.Device = device
	return s, nil
}

// createSession is sent once: a second try takes a new token.
func (m *Manager) createSession(ctx context.Context, n NewSession) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	s, err := m.cfg.Sessions.CreateSession(ctx, n)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrUserDisabled):
		return Session{}, denial(CodeUserDisabled, err)
	default: // ErrNoSession would be a store's mistake, and no 401
		return Session{}, denial(CodeUnavailable, unavailable("creating a session", err))
	}
}

func (m *Manager) recordRefusedSignIn(r *http.Request, d Denial) {
	ctx := r.Context()
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	reason := d.Code
	if t, ok := errors.AsType[*TokenError](d.Err); ok {
		reason += ":" + string(t.Reason)
	}
	level, kind := slog.LevelInfo, EventSignInRefused
	if d.Code == CodeUnavailable {
		level, kind = slog.LevelError, EventUnavailable
	}
	m.cfg.Logger.LogAttrs(ctx, level, "googlesession: sign-in refused",
		slog.String("reason", reason), slog.Any("error", d.Err))
	m.emit(ctx, Event{Kind: kind, Reason: reason, Device: m.device(r), Err: d.Err})
}

// SignOut ends the session that the browser presented and makes it forget both
// cookies. Without a session it only does the latter: it is idempotent. It must be
// called before the answer's header is written, and refuses cross-origin requests
// first.
//
// The error is a [Denial]. While the store does not answer, the cookies are kept,
// so that repeating it ends the session.
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request) error {
	if err := m.checkSource(r, m.origins); err != nil {
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
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	s, err := m.cfg.Sessions.CheckSession(ctx, ref, neverTouch)
	if err != nil {
		return ""
	}
	return s.User.ID
}

// neverTouch is longer than any session lives.
const neverTouch = 2 * maxLifetime
