package googlesession

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// An authentication is the result of the decision who sends a request. It is made once for
// each request and does not change afterwards.
type authentication struct {
	manager *Manager // the Manager that decided
	session Session  // the zero Session if err is not nil
	err     error    // why the request has no session; nil if it has one
}

type authenticationKey struct{}

// authenticate decides who sends a request. It returns the request with the decision in
// its context, and the decision. If the context already has a decision of this Manager,
// it returns that one, so a guard inside another guard does not ask the store again.
func (m *Manager) authenticate(r *http.Request) (*http.Request, *authentication) {
	ctx := r.Context()
	if auth, ok := ctx.Value(authenticationKey{}).(*authentication); ok && auth.manager == m {
		return r, auth
	}
	auth := &authentication{manager: m}
	auth.session, auth.err = m.authenticateOnce(r)
	return r.WithContext(context.WithValue(ctx, authenticationKey{}, auth)), auth
}

// authenticateOnce checks where the request comes from before it reads the cookie, so that
// a request of another site's page costs no call to the store and records no use.
func (m *Manager) authenticateOnce(r *http.Request) (Session, error) {
	if err := m.checkSource(r, m.origins); err != nil {
		return Session{}, err
	}
	value, count := m.sessionCookie.read(r)
	ref, ok := m.refOf(value)
	ctx := r.Context()
	if ok { // otherwise check does not ask the store, so no timeout is needed
		if err := ctx.Err(); err != nil {
			return Session{}, err // the browser has gone
		}
		var cancel context.CancelFunc
		ctx, cancel = m.guardTimeout(ctx)
		defer cancel()
	}
	s, err := m.check(ctx, presentedCookie{ref, ok, count}, m.cfg.TouchEvery)
	if err == nil && s.Touched {
		m.emit(r.Context(), Event{Kind: EventTouched, Actor: s.User.ID, UserID: s.User.ID, Ref: ref})
	}
	return s, err
}

// A presentedCookie describes the session cookie of a request, which may have none, one,
// several or a malformed one.
type presentedCookie struct {
	ref   Ref
	valid bool // the cookie's value is well-formed, and ref is made from it
	count int  // number of session cookies in the request
}

var (
	errNoCookie  = errors.New("googlesession: no session cookie")
	errBadCookie = errors.New("googlesession: malformed session cookie")

	errManyCookies error = &operatorError{
		"googlesession: more than one session cookie",
		"A sibling host, or another application on this host, has set a cookie of the same name, or a proxy repeats the Cookie header. " +
			"The browser is refused until its cookies for this site are deleted.",
	}

	// errForeignCookie is errBadCookie with DangerouslyAllowHTTP, where the cookie is named
	// session. Another application on localhost may use that name too, because browsers send a
	// cookie to every port of its host.
	errForeignCookie error = &operatorError{
		"googlesession: session cookie is not one of this application",
		"If another application on localhost uses the cookie name too, set Config.CookieSuffix.",
	}

	// errOtherUser is for a store that breaks its promise.
	errOtherUser = fmt.Errorf("%w: %w", ErrNoSession, &operatorError{
		"store returned another user's session",
		"The session store is faulty. Test it with package storetest.",
	})
)

// check decides who sends a request, and no other function does. It returns the session
// of the cookie if the session is live, and otherwise an error with the reason. The
// guards turn the error into HTTP, and the watch over open streams calls check again.
//
// If the cookie is valid, ctx must have a timeout. touchAfter is passed to
// [SessionStore.CheckSession].
func (m *Manager) check(ctx context.Context, c presentedCookie, touchAfter time.Duration) (Session, error) {
	var s Session
	var err error
	if c.count == 1 && c.valid {
		s, err = m.cfg.Sessions.CheckSession(ctx, c.ref, touchAfter)
	}
	// The causes in the Denials differ, so that the log shows what is wrong with the
	// cookie. The browser gets one code for all three, because only an attacker could use
	// the difference.
	switch {
	case c.count == 0:
		return Session{}, denial(CodeNoSession, errNoCookie)
	case c.count > 1:
		return Session{}, denial(CodeNoSession, errManyCookies)
	case !c.valid && m.cfg.DangerouslyAllowHTTP:
		return Session{}, denial(CodeNoSession, errForeignCookie)
	case !c.valid:
		return Session{}, denial(CodeNoSession, errBadCookie)
	case err != nil:
		return Session{}, err

	// Stores promise that the cases below do not happen. A store that breaks the promise
	// must not let a request in.
	case s.User.Disabled:
		return Session{}, ErrUserDisabled
	case s.User.ID == "" || UserTag(s.User.ID) != c.ref.Tag:
		return Session{}, errOtherUser
	case s.isStale():
		return Session{}, ErrNoSession
	default:
		return s, nil
	}
}

// isStale reports whether Google issued the session's token at or before the user's
// TokensAfter. A server with an older version of the library may have created such a
// session.
func (s *Session) isStale() bool {
	after := s.User.TokensAfter
	return !after.IsZero() && !s.TokenIssuedAt.After(after)
}

// checkWithoutUse checks a session without recording a use.
func (m *Manager) checkWithoutUse(ctx context.Context, ref Ref) (Session, error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	return m.check(ctx, presentedCookie{ref, true, 1}, NeverTouch)
}

// UserFrom returns the user of the request that has this context. It reports false if the
// visitor is not signed in, or if neither a guard nor [Manager.Load] is in front of the
// handler.
func UserFrom(ctx context.Context) (User, bool) {
	s, ok := SessionFrom(ctx)
	return s.User, ok
}

// SessionFrom returns the session of the request that has this context. It reports false
// where [UserFrom] does. The session's Device is empty.
func SessionFrom(ctx context.Context) (Session, bool) {
	auth, ok := ctx.Value(authenticationKey{}).(*authentication)
	if !ok || auth.err != nil {
		return Session{}, false
	}
	return auth.session, true
}
