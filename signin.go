package googlesession

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

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
		return "", denial(CodeMisdirectedRequest, errForeignHost)
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
	errNoVerifier   = errors.New("googlesession: no verifier configured")
	errNoUsers      = errors.New("googlesession: no user store configured")
	errNoNonce      = errors.New("googlesession: no nonce cookie")
	errDomain       = errors.New("googlesession: not an account of a hosted domain")
	errBadIdentity  = errors.New("googlesession: verifier returned no valid subject")
	errWrongAccount = errors.New("googlesession: token of another account than the session's")
	errOldToken     = errors.New("googlesession: token was issued before the session began")
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
	id, err := m.identify(r, idToken)
	if err == nil {
		err = m.admit(r.Context(), id)
	}
	if err != nil {
		return Session{}, m.refuseSignIn(r, id.Subject, err)
	}
	device := m.device(r)
	isNew := m.isNewDevice(r.Context(), id.Subject, device)
	s, err := m.enter(w, r, id, device)
	if err != nil {
		return Session{}, m.refuseSignIn(r, id.Subject, err)
	}
	e := Event{Kind: EventSignedIn, Actor: s.User.ID, UserID: s.User.ID, Ref: s.Ref, Device: device}
	m.emit(r.Context(), e)
	if isNew {
		e.Kind = EventNewDevice
		m.emit(r.Context(), e)
	}
	return s, nil
}

// Reauthenticate is [Manager.SignIn] for a user who is signed in already and is asked
// to sign in again ([Manager.RequireFresh]). It makes a new session with the Device of
// the old one, and ends the old one. A token of another account is refused with
// [CodeWrongAccount]. A token that Google issued before the old session began, such as
// the token of that sign-in, is refused with [CodeTokenRefused]: asking Google again
// gives a newer one. Without a session it is refused as by [Manager.RequireUser].
func (m *Manager) Reauthenticate(w http.ResponseWriter, r *http.Request, idToken string) (Session, error) {
	id, err := m.identify(r, idToken)
	if err != nil {
		return Session{}, m.refuseSignIn(r, "", err)
	}
	s, err := m.reauthenticate(w, r, id)
	if err != nil {
		return Session{}, m.refuseSignIn(r, id.Subject, err)
	}
	m.emit(r.Context(), Event{
		Kind: EventSignedIn, Actor: s.User.ID, UserID: s.User.ID, Reason: "again", Ref: s.Ref, Device: s.Device,
	})
	return s, nil
}

func (m *Manager) reauthenticate(w http.ResponseWriter, r *http.Request, id Identity) (Session, error) {
	_, a := m.load(r)
	switch {
	case a.err != nil:
		return Session{}, a.err
	case id.Subject != a.session.User.ID:
		return Session{}, denial(CodeWrongAccount, errWrongAccount)
	case !issuedSince(id.IssuedAt, a.session, time.Now()):
		return Session{}, denial(CodeTokenRefused, &TokenError{Reason: ReasonTime, Err: errOldToken})
	}
	if err := m.admit(r.Context(), id); err != nil {
		return Session{}, err
	}
	list, err := m.Sessions(r.Context(), id.Subject)
	if err != nil {
		return Session{}, err
	}
	device := m.device(r)
	for _, s := range list {
		if s.Ref == a.session.Ref {
			device = s.Device
		}
	}
	return m.enter(w, r, id, device)
}

// justIssued is how old a token may look that Google has just issued: its second may be
// nearly over, and posting it takes a moment.
const justIssued = 2 * time.Second

// issuedSince reports whether Google has issued the token since the session began.
// Tokens have whole seconds, so two of one second cannot be told apart. A token that was
// issued less than justIssued ago is let through, because no token is fresher.
func issuedSince(issued time.Time, s Session, now time.Time) bool {
	if age := now.Sub(issued); 0 <= age && age < justIssued {
		return true
	}
	return issued.After(s.TokenIssuedAt) && !issued.Before(s.CreatedAt.Truncate(time.Second))
}

// identify verifies the token and changes nothing.
func (m *Manager) identify(r *http.Request, idToken string) (Identity, error) {
	if m.cfg.Verifier == nil {
		return Identity{}, denial(CodeNotFound, errNoVerifier)
	}
	if err := m.checkChange(r, m.loginOrigins(r)); err != nil {
		return Identity{}, err
	}
	return m.verify(r, idToken)
}

// enter makes a user and a session of an identity that may come in.
func (m *Manager) enter(w http.ResponseWriter, r *http.Request, id Identity, device Device) (Session, error) {
	user, err := m.signInUser(r.Context(), id)
	if err != nil {
		return Session{}, err
	}
	return m.openSession(w, r, user, id.IssuedAt, device)
}

// isNewDevice reports whether no live session of the user has this user agent. Only
// Events wants to know; if the store cannot say, the sign-in has other worries.
func (m *Manager) isNewDevice(ctx context.Context, userID string, d Device) bool {
	if m.cfg.Events == nil {
		return false
	}
	list, err := m.Sessions(ctx, userID)
	return err == nil && !slices.ContainsFunc(list, func(s Session) bool { return s.Device.UserAgent == d.UserAgent })
}

// signInUser writes the user and makes a listed one administrator. The User that
// comes back goes into CreateSession as it is: a disable that comes in between has
// a greater Version and wins there.
func (m *Manager) signInUser(ctx context.Context, id Identity) (User, error) {
	storeCtx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	user, err := m.users.SignIn(storeCtx, id)
	switch {
	case errors.Is(err, ErrUnavailable): // first, as in classify
		return User{}, denial(CodeUnavailable, unavailable("signing a user in", err))
	case errors.Is(err, ErrStaleToken):
		return User{}, staleToken(err)
	case err != nil:
		return User{}, denial(CodeUnavailable, unavailable("signing a user in", err))
	}
	if user.Disabled {
		return User{}, denial(CodeUserDisabled, ErrUserDisabled)
	}
	if user.Admin || !m.isConfiguredAdmin(ctx, id) {
		return user, nil
	}
	isAdmin := true
	user, err = m.setAccess(ctx, user.ID, AccessChange{Admin: &isAdmin})
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

// staleToken is the refusal of a token from before a deletion or a security event. The
// page's next click brings a newer one.
func staleToken(err error) Denial {
	return denial(CodeTokenRefused, &TokenError{Reason: ReasonTime, Err: err})
}

// openSession creates the session, ends the one it replaces, and only then hands
// the cookie out.
func (m *Manager) openSession(w http.ResponseWriter, r *http.Request, user User, issued time.Time, device Device) (Session, error) {
	ctx := r.Context()
	token, ref := m.newToken(user.ID)
	presented := m.presented(r)
	n := NewSession{
		Ref:           ref,
		User:          user,
		TokenIssuedAt: issued,
		MaxLifetime:   m.cfg.MaxLifetime,
		IdleTimeout:   m.cfg.IdleTimeout,
		Device:        device,
		Max:           m.cfg.MaxSessions,
		RefuseOverMax: m.cfg.RefuseOverMax,
	}
	if i := slices.IndexFunc(presented, func(old Ref) bool { return old.Tag == ref.Tag }); i >= 0 {
		n.Replaces = &presented[i]
	}
	s, err := m.createSession(ctx, n)
	if err != nil {
		return Session{}, err
	}
	for _, old := range presented {
		ended, err := m.revoke(ctx, old)
		if err != nil {
			// Two live sessions where the browser knows of one: take the new one back as
			// well as can be. Its token was never handed out.
			_, _ = m.revoke(ctx, ref)
			return Session{}, denial(CodeUnavailable, unavailable("ending the replaced session", err))
		}
		if ended {
			e := Event{Kind: EventRevoked, Actor: user.ID, Reason: "replaced", Ref: old, Device: device}
			if old.Tag == ref.Tag {
				e.UserID = user.ID
			}
			m.emit(ctx, e)
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
	defer m.wakeEnded(ctx, n.User.ID) // the limit may have ended one
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	s, err := m.cfg.Sessions.CreateSession(ctx, n)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrUnavailable): // first, as in classify
		return Session{}, denial(CodeUnavailable, unavailable("creating a session", err))
	case errors.Is(err, ErrUserDisabled):
		return Session{}, denial(CodeUserDisabled, err)
	case errors.Is(err, ErrStaleToken):
		return Session{}, staleToken(err)
	case errors.Is(err, ErrTooManySessions):
		return Session{}, denial(CodeTooManySessions, err)
	default: // ErrNoSession would be a store's mistake, and no 401
		return Session{}, denial(CodeUnavailable, unavailable("creating a session", err))
	}
}

// refuseSignIn records who, as far as the token was believed, and why, and returns the
// Denial.
func (m *Manager) refuseSignIn(r *http.Request, subject string, err error) Denial {
	ctx, d := r.Context(), classify(err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return d
	}
	reason := string(d.Code)
	if t, ok := errors.AsType[*TokenError](d.Err); ok {
		reason += ":" + string(t.Reason)
	}
	level, kind := slog.LevelInfo, EventSignInRefused
	if d.Code == CodeUnavailable {
		kind = EventUnavailable
		level, reason = outage(d.Err)
	}
	m.cfg.Logger.LogAttrs(ctx, level, "googlesession: sign-in refused",
		slog.String("reason", reason), slog.Any("error", d.Err))
	m.emit(ctx, Event{Kind: kind, UserID: subject, Reason: reason, Device: m.device(r), Err: d.Err})
	return d
}
