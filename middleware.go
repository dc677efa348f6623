package googlesession

import (
	"errors"
	"net/http"
	"time"
)

// RequireUser returns a handler that calls h if the request has a live session. h finds
// the user with [UserFrom]. The handler answers 401 without a session, 403 if the user is
// disabled, 403 to an unsafe request from another origin, and 503 during an outage of the
// store. The handshake of a WebSocket counts as unsafe although it is a GET.
//
// The answer has Cache-Control no-store unless h sets another value. A refusal does not
// delete the cookie, because a late answer about an old cookie must not delete a new one.
func (m *Manager) RequireUser(h http.Handler) http.Handler {
	return m.require(h, func(*Session) error { return nil })
}

// RequireAdmin is [Manager.RequireUser] for administrators. It answers 403 to other
// users. The user's Admin flag counts as it is at the time of the request.
func (m *Manager) RequireAdmin(h http.Handler) http.Handler {
	return m.require(h, func(s *Session) error {
		if !s.User.Admin {
			return denial(CodeNotAdmin, nil)
		}
		return nil
	})
}

// RequireFresh is [Manager.RequireUser] for users who signed in at most d ago. It protects
// what a thief must not do with a borrowed or forgotten browser. It answers 401
// reauth_needed to other users. The page then asks Google again and posts the token with
// "reauth": true, or the server calls [Manager.Reauthenticate]. It may stand inside
// [Manager.RequireAdmin]. With a d of zero or less, it refuses every sign-in that is in the
// past by this server's clock.
//
// The age is counted by this server's clock from [Session.TokenIssuedAt], or from
// [Session.CreatedAt] if that is earlier. A token that was kept for a while before it was
// posted therefore makes a session that is as old as the token.
//
// A fresh session shows that Google has vouched for this browser recently. It does not show
// that a person has typed a password, because Google does not support requests for that.
func (m *Manager) RequireFresh(d time.Duration) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return m.require(h, func(s *Session) error {
			if time.Since(s.vouchedAt()) > d {
				return denial(CodeReauthNeeded, nil)
			}
			return nil
		})
	}
}

// Load returns a handler that calls h for every request, for pages that greet a user who is
// signed in. [UserFrom] reports false if the request has no live session, if the store does
// not answer, and for a cross-origin request that [Manager.RequireUser] would refuse. A
// guard inside h gets the same decision without asking the store again.
func (m *Manager) Load(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, auth := m.authenticate(r)
		if errors.Is(auth.err, errNoCookie) {
			varyCookie(w.Header()) // without a cookie, the answer is the same for every browser
		} else {
			setPrivate(w.Header())
		}
		if auth.err != nil {
			if d := denialFor(auth.err); d.Code == CodeUnavailable {
				m.reportDenial(r, d)
			}
		}
		h.ServeHTTP(w, r)
	})
}

// require returns a handler that calls h if the request has a live session and allow
// returns nil for it. Otherwise the handler refuses the request. All guards use require,
// each with a condition of its own.
func (m *Manager) require(h http.Handler, allow func(*Session) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, auth := m.authenticate(r)
		err := auth.err
		if err == nil {
			err = allow(&auth.session)
		}
		if err != nil {
			m.deny(w, r, denialFor(err))
			return
		}
		setPrivate(w.Header())
		h.ServeHTTP(w, r)
	})
}

// vouchedAt returns when Google vouched for the browser. It is the earlier of
// TokenIssuedAt, by Google's clock, and CreatedAt, by the store's clock.
func (s *Session) vouchedAt() time.Time {
	if !s.TokenIssuedAt.IsZero() && s.TokenIssuedAt.Before(s.CreatedAt) {
		return s.TokenIssuedAt
	}
	return s.CreatedAt
}
