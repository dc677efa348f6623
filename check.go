package googlesession

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// An authentication is the result of the decision who sends a request. It is made once for
// each request and does not change afterwards, except for needsBinding.
type authentication struct {
	manager *Manager // the Manager that decided
	session Session  // the zero Session if err is not nil
	err     error    // why the request has no session; nil if it has one

	// provedUntil is when the request's proof ends that it comes from the browser to which the
	// session is bound. It is zero if the session needs no proof.
	provedUntil time.Time

	// needsBinding is set by a guard that admits a session that is not bound only because its
	// browser may be binding it. A stream then ends when that time is over.
	needsBinding atomic.Bool
}

type authenticationKey struct{}

// authenticate decides who sends a request. It returns the request with the decision in
// its context, and the decision. If the context already has a decision of this Manager,
// it returns that one, so a guard inside another guard does not ask the store again.
func (m *Manager) authenticate(r *http.Request) (*http.Request, *authentication) {
	ctx := r.Context()
	if auth := m.decision(ctx); auth != nil {
		return r, auth
	}
	auth := &authentication{manager: m}
	auth.session, auth.provedUntil, auth.err = m.authenticateOnce(r)
	return r.WithContext(context.WithValue(ctx, authenticationKey{}, auth)), auth
}

// decision returns the decision of this Manager that ctx has, or nil.
func (m *Manager) decision(ctx context.Context) *authentication {
	if auth, ok := ctx.Value(authenticationKey{}).(*authentication); ok && auth.manager == m {
		return auth
	}
	return nil
}

// authenticateOnce checks where the request comes from before it asks the store, so that
// a request of another site's page costs no call to the store and records no use.
func (m *Manager) authenticateOnce(r *http.Request) (Session, time.Time, error) {
	c := m.readCredential(r)
	if err := m.checkSourceOf(c, r); err != nil {
		return Session{}, time.Time{}, err
	}
	ctx := r.Context()
	if c.err == nil { // otherwise check does not ask the store, so no timeout is needed
		if err := ctx.Err(); err != nil {
			return Session{}, time.Time{}, err // the browser has gone
		}
		var cancel context.CancelFunc
		ctx, cancel = m.guardTimeout(ctx)
		defer cancel()
	}
	touchAfter := m.cfg.TouchEvery
	if m.isWithoutUse(r.Context()) {
		touchAfter = NeverTouch
	}
	s, provedUntil, err := m.check(ctx, c, touchAfter)
	s.Binding = m.shownBinding(s.Binding)
	if err == nil && s.Touched {
		m.emit(r.Context(), Event{Kind: EventTouched, Actor: s.User.ID, UserID: s.User.ID, Ref: c.ref, PublicID: s.PublicID})
	}
	return s, provedUntil, err
}

// checkSourceOf refuses a request that a page of another site has sent. A page cannot make a
// browser send a bearer token to another site without that site's consent, because the header
// needs a preflight (Fetch, section 4.9). So the origin does not matter for a token.
func (m *Manager) checkSourceOf(c credential, r *http.Request) error {
	if c.by == byToken {
		return m.checkHost(r)
	}
	return m.checkSource(r, m.origins)
}

// withoutUseKey is the key of a Manager whose guards record no use.
type withoutUseKey struct{ m *Manager }

// isWithoutUse reports whether the request is inside WithoutUse of this Manager.
func (m *Manager) isWithoutUse(ctx context.Context) bool {
	return ctx.Value(withoutUseKey{m}) != nil
}

// errOtherUser is for a store that breaks its promise.
var errOtherUser = fmt.Errorf("%w: %w", ErrNoSession, &operatorError{
	"store returned another user's session",
	"The session store is faulty. Test it with package storetest.",
})

// check decides who sends a request, and no other function does. It returns the session
// of the credential if the session is live, and otherwise an error with the reason. The
// guards turn the error into HTTP, and the watch over open streams calls check again.
//
// If the credential names a session, ctx must have a timeout. touchAfter is passed to
// [SessionStore.CheckSession].
func (m *Manager) check(ctx context.Context, c credential, touchAfter time.Duration) (s Session, provedUntil time.Time, err error) {
	if c.err == nil {
		s, err = m.cfg.Sessions.CheckSession(ctx, c.ref, touchAfter)
	}
	switch {
	case c.err != nil:
		return Session{}, provedUntil, denial(CodeNoSession, c.err)
	case err != nil:
		return Session{}, provedUntil, err

	// Stores promise that the cases below do not happen. A store that breaks the promise
	// must not let a request in.
	case s.User.Disabled:
		return Session{}, provedUntil, ErrUserDisabled
	case s.User.ID == "" || UserTag(s.User.ID) != c.ref.Tag:
		return Session{}, provedUntil, errOtherUser
	case !c.fits(s.Kind):
		return Session{}, provedUntil, errWrongCarrier
	case isStale(&s):
		return Session{}, provedUntil, ErrNoSession
	}
	if provedUntil, err = m.checkProof(c, &s); err != nil {
		return Session{}, provedUntil, err
	}
	return s, provedUntil, nil
}

// isStale reports whether Google issued the session's token at or before the user's
// TokensAfter. A server with an older version of the library may have created such a
// session.
func isStale(s *Session) bool {
	after := s.User.TokensAfter
	return !after.IsZero() && !s.TokenIssuedAt.After(after)
}

// checkWithoutUse checks a session without recording a use.
func (m *Manager) checkWithoutUse(ctx context.Context, ref Ref) (Session, error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	s, _, err := m.check(ctx, credential{ref: ref, by: byServer}, NeverTouch)
	return s, err
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
