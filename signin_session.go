package googlesession

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// errForeignUserID is the cause of an outage if the user store has IDs of its own. A
// re-authentication compares the user's ID with the token's subject, and Google's security
// events name the account by it, so neither would find the user.
var errForeignUserID error = &operatorError{
	"user store returned another ID than the subject of the token",
	"Config.Users must use Google's subject as the user's ID. Keep the ID of your own account in User.Data (docs/own-users.md).",
}

// maxHookTime is the longest time from reading the user to creating the session. It leaves the
// other half of SignInWindow to the two calls of the session store that follow.
const maxHookTime = SignInWindow / 2

var errSlowHook = errors.New("googlesession: Config.SignedIn, Config.Lifetime and Config.Events took more than five minutes")

// startSession creates or updates the user, and creates the session of a browser for an
// Identity that is verified and admitted.
func (m *Manager) startSession(ctx context.Context, w http.ResponseWriter, s SignIn, device Device) (Session, error) {
	life, err := m.prepareSession(ctx, &s, device)
	if err != nil {
		return Session{}, err
	}
	return m.openSession(ctx, w, s, life, device)
}

// prepareSession creates or updates the user, and returns the lifetime of the session that
// follows. It sets s.User and s.New.
//
// It refuses the sign-in if the application's functions have taken long. After SignInWindow, a
// session store may have forgotten that the user was disabled meanwhile.
func (m *Manager) prepareSession(ctx context.Context, s *SignIn, device Device) (life Lifetime, err error) {
	began := time.Now()
	if s.User, err = m.signInUser(ctx, s.Identity); err != nil {
		return life, err
	}
	if s.New = isNewUser(s.User); s.New {
		m.emit(ctx, Event{Kind: EventUserCreated, Actor: s.User.ID, UserID: s.User.ID, Device: device})
	}
	if m.cfg.SignedIn != nil {
		if err := m.cfg.SignedIn(ctx, *s); err != nil {
			return life, hookDenialFor("asking Config.SignedIn", err)
		}
	}
	if life, err = m.lifetime(ctx, *s); err == nil && time.Since(began) > maxHookTime {
		err = denial(CodeUnavailable, unavailable("creating a session", errSlowHook))
	}
	return life, err
}

// signInUser creates or updates the user. If Config.Admins lists the user, it makes the
// user an administrator. The caller passes the User that it returns to CreateSession
// unchanged. If an administrator disables the user in between, the session store has a
// disabled record with a greater Version, and CreateSession refuses the session.
func (m *Manager) signInUser(ctx context.Context, id Identity) (User, error) {
	storeCtx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	user, err := m.users.SignIn(storeCtx, id)
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return User{}, denial(CodeUnavailable, unavailable("signing a user in", err))
	case errors.Is(err, ErrStaleToken):
		return User{}, staleToken(err)
	case err != nil:
		return User{}, denial(CodeUnavailable, unavailable("signing a user in", err))
	case user.ID != id.Subject:
		return User{}, denial(CodeUnavailable, unavailable("signing a user in", errForeignUserID))
	case user.Disabled:
		return User{}, denial(CodeUserDisabled, ErrUserDisabled)
	case user.Admin || !m.isConfiguredAdmin(ctx, id):
		return user, nil
	}
	return m.promote(ctx, user.ID)
}

// promote makes a user whose address Config.Admins lists an administrator.
func (m *Manager) promote(ctx context.Context, userID string) (User, error) {
	isAdmin := true
	user, err := m.setAccessInStore(ctx, userID, AccessChange{Admin: &isAdmin})
	switch {
	case err != nil:
		// ErrNotFound says that the user was deleted meanwhile. It must not become a 404.
		return User{}, denial(CodeUnavailable, unavailable("making a configured administrator", err))
	case user.Disabled:
		return User{}, denial(CodeUserDisabled, ErrUserDisabled)
	}
	m.emit(ctx, Event{Kind: EventAccessChanged, UserID: user.ID, Reason: "configured admin"})
	return user, nil
}

// isConfiguredAdmin reports whether the sign-in makes its user an administrator. If Google
// does not vouch for a listed address, the log names the user by ID, because the operator
// expects an administrator. It does so at every sign-in until the user is an administrator,
// because the operator may not have read the first warning.
func (m *Manager) isConfiguredAdmin(ctx context.Context, id Identity) bool {
	if !m.admins[addressKey(id.Email)] {
		return false
	}
	if id.EmailAuthoritative() {
		return true
	}
	reason := "the account's hosted domain is not the domain of the address"
	switch {
	case !id.EmailVerified:
		reason = "Google has not verified the address"
	case id.HostedDomain == "":
		reason = "the account has no hosted domain, and the address is not at gmail.com"
	}
	kind := noticeKind{message: "googlesession: user is listed in Config.Admins, but Google does not vouch for the address", reason: reason, user: id.Subject}
	m.notify(ctx, slog.LevelWarn, kind, func() []slog.Attr {
		return []slog.Attr{
			slog.String("reason", reason), slog.String("user", id.Subject),
			slog.String("hint", "If you know that the person is the one you mean, make the user an administrator with Manager.SetAccess."),
		}
	})
	return false
}

// openSession creates the session, ends the one that it replaces, and only then sets the
// cookie.
func (m *Manager) openSession(ctx context.Context, w http.ResponseWriter, in SignIn, life Lifetime, device Device) (Session, error) {
	offer, hash := m.newOffer()
	token, ref := m.newToken(in.User.ID, in.Remember, hash)
	presented := m.presentedRefs(in.Request)
	n := m.newSession(ref, in, life, device)
	// The store has to know which session this one replaces, so that the limit does not
	// count both. If the browser has a session of another user, that session is ended
	// too, but does not make room.
	if i := slices.IndexFunc(presented, func(old Ref) bool { return old.Tag == ref.Tag }); i >= 0 {
		n.Replaces = &presented[i]
	}
	if in.Replaces != nil {
		n.PublicID = in.Replaces.PublicID
	}
	s, err := m.createSession(ctx, n)
	if err != nil {
		return Session{}, err
	}
	if err := m.endReplaced(ctx, n, presented); err != nil {
		return Session{}, err
	}
	// The cookie is set last, when nothing can fail any more. A cookie that was set
	// before an error would stay in the browser without a session.
	setPrivate(w.Header())
	m.sessionCookie.write(w, token, life.cookieAge())
	m.sendOffer(w.Header(), offer)
	return s, nil
}

// newSession returns what the store is told about the session of a sign-in.
func (m *Manager) newSession(ref Ref, in SignIn, life Lifetime, device Device) NewSession {
	return NewSession{
		Ref:           ref,
		User:          in.User,
		Kind:          in.Kind,
		TokenIssuedAt: in.Identity.IssuedAt,
		MaxLifetime:   life.Max,
		IdleTimeout:   life.Idle,
		Device:        device,
		Max:           m.cfg.MaxSessions,
		RefuseOverMax: m.cfg.RefuseOverMax,
	}
}

// endReplaced ends the sessions that the browser had before n was created. It does not use
// the Session that the store has returned, because that may lack a field.
func (m *Manager) endReplaced(ctx context.Context, n NewSession, presented []Ref) error {
	for _, old := range presented {
		s := Session{Ref: old, User: n.User} // without a PublicID, because that names n after a re-authentication
		if n.PublicID == (PublicID{}) {
			s = m.lookUp(ctx, old)
		}
		ended, err := m.revokeInStore(ctx, old)
		if err != nil {
			// Both sessions may be live, and the browser has the cookie of the old one only.
			// So try to end the new session. Its cookie was never handed out.
			_, _ = m.revokeInStore(ctx, n.Ref)
			return denial(CodeUnavailable, unavailable("ending the replaced session", err))
		}
		if ended {
			e := sessionEvent(EventRevoked, s)
			e.Actor, e.Reason, e.Device = n.User.ID, "replaced", n.Device
			if old.Tag == n.Ref.Tag {
				e.UserID = n.User.ID
			}
			m.emit(ctx, e)
		}
	}
	return nil
}
