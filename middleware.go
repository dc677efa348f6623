package googlesession

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// RequireUser returns a handler that calls h if the request has a live session. h finds
// the user with [UserFrom]. The handler answers 401 without a session, 403 if the user is
// disabled, 403 to an unsafe request from another origin, and 503 during an outage of the
// store. The handshake of a WebSocket counts as unsafe although it is a GET.
//
// [Manager.WriteDenial] describes the answer to a refused request, unless [Config.Deny] is set.
//
// The answer has Cache-Control no-store unless h sets another value. A refusal does not
// delete the session cookie, because a late answer about an old cookie must not delete a new one.
func (m *Manager) RequireUser(h http.Handler) http.Handler {
	return m.require(h, allowUser, m.denyGuarded)
}

// Require returns a middleware like [Manager.RequireUser] that also asks allow whether the
// user may do this. It is for roles, plans and tenants:
//
//	editors := m.Require(func(ctx context.Context, s googlesession.Session) error {
//		if !isEditor(s.User.ID) {
//			return googlesession.ErrForbidden
//		}
//		return nil
//	})
//	mux.Handle("/edit", editors(edit))
//
// allow is called for each request that has a live session, with the context of the request
// and the session. It may be called by several goroutines at once. Its error refuses the
// request:
//
//   - An error that wraps [ErrUnavailable] answers 503.
//   - An error that wraps [ErrForbidden] answers 403 forbidden.
//   - A [Denial] answers as it says.
//   - Every other error answers 503 and is logged, because it says nothing about the user.
//     That includes [ErrNoSession] and [ErrUserDisabled], which a store may have returned to
//     allow. So a failing database of the application signs no user out.
//
// The text of an error is not shown to the browser, except a Denial's Detail. Inside
// [Manager.Load] or another guard, Require does not ask the store again. It panics if allow
// is nil, because a guard without a condition would admit every user.
func (m *Manager) Require(allow func(context.Context, Session) error) func(http.Handler) http.Handler {
	if allow == nil {
		panic("googlesession: Manager.Require needs a condition, and allow is nil")
	}
	condition := func(ctx context.Context, s *Session) error {
		if err := allow(ctx, *s); err != nil {
			return hookDenialFor("the condition of a Require", err)
		}
		return nil
	}
	return func(h http.Handler) http.Handler { return m.require(h, condition, m.denyGuarded) }
}

// RequireAdmin is [Manager.RequireUser] for administrators. It answers 403 to other
// users. The user's Admin flag counts as it is at the time of the request.
func (m *Manager) RequireAdmin(h http.Handler) http.Handler {
	return m.require(h, m.allowAdmin, m.denyGuarded)
}

// RequireFresh is [Manager.RequireUser] for users who signed in at most d ago. It protects
// what a thief must not do with a borrowed or forgotten browser. It answers 401
// reauth_needed to other users. The page then lets the user sign in again with POST login
// and "reauth": true, or with GET login/google?reauth=true. A server that reads the token
// itself calls [Manager.Reauthenticate]. The guard may stand inside [Manager.RequireAdmin].
// With a d of zero or less, it refuses every sign-in that is in the past by this server's
// clock.
//
// The age is counted by this server's clock from [Session.TokenIssuedAt], or from
// [Session.CreatedAt] if that is earlier. A token that was kept for a while before it was
// posted therefore makes a session that is as old as the token.
//
// A session of [Manager.Issue] is never fresh, because no sign-in stands behind it.
//
// A fresh session shows that Google has vouched for this browser recently. It does not show
// that a person has typed a password, because Google does not support requests for that.
func (m *Manager) RequireFresh(d time.Duration) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler { return m.require(h, allowFresh(d), m.denyGuarded) }
}

// RequireBound is [Manager.RequireUser] for sessions that are bound to their browser
// ([Session.Bound]). It answers 403 binding_needed to other sessions, unless they began less than
// two minutes ago, because the browser may be binding them. A session with a bearer token cannot
// be bound and is refused. It needs [Config.DeviceBinding]; without it, it panics, because every
// request would be refused after two minutes.
//
// Experimental: it may change in a minor version.
func (m *Manager) RequireBound(h http.Handler) http.Handler {
	if m.cfg.DeviceBinding == BindNobody {
		panic("googlesession: Manager.RequireBound needs Config.DeviceBinding")
	}
	return m.require(h, m.allowBound, m.denyGuarded)
}

// Load returns a handler that calls h for every request, for pages that greet a user who is
// signed in. [UserFrom] reports false if the request has no live session, if the store does
// not answer, and for a cross-origin request that [Manager.RequireUser] would refuse. A
// guard inside h gets the same decision without asking the store again.
func (m *Manager) Load(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, auth := m.authenticate(r)
		if errors.Is(auth.err, errNoCookie) { // the answer is the same for every browser without a cookie
			varyCookie(w.Header())
			if m.cfg.Bearer {
				w.Header().Add("Vary", "Authorization")
			}
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

// WithoutUse returns a handler that calls h. The guards inside h decide as always, but record
// no use of the session. It is for requests that a page sends by itself, such as polling, so
// that an open page does not keep the session of an absent person live:
//
//	mux.Handle("/poll", m.WithoutUse(m.RequireUser(h)))
//
// [Manager.Load], [Manager.EndWithSession] and the routes of [Manager.Handler] count as guards.
// WithoutUse has to stand outside of all of them, because the first guard decides for the
// request and has recorded the use by then. If it stands inside one, it changes nothing and
// logs a warning.
//
// A client chooses which requests it sends, so WithoutUse is not a protection against the
// client. It only lets the idle timeout mean what it says.
func (m *Manager) WithoutUse(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if m.isWithoutUse(ctx) {
			h.ServeHTTP(w, r)
			return
		}
		if m.decision(ctx) != nil {
			m.reportLateWithoutUse(r)
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(ctx, withoutUseKey{m}, true)))
	})
}

// A condition returns nil if the user of a live session may do what the request asks for.
// Its error is a Denial.
type condition func(context.Context, *Session) error

func allowUser(context.Context, *Session) error { return nil }

func (m *Manager) allowAdmin(ctx context.Context, s *Session) error {
	if !s.User.Admin {
		return denial(CodeNotAdmin, nil)
	}
	return m.demandBinding(ctx, s, BindAdmins)
}

func (m *Manager) allowBound(ctx context.Context, s *Session) error {
	if s.Kind != KindCookie {
		return denial(CodeBindingNeeded, newProofError(textUnbound, s))
	}
	return m.demandBinding(ctx, s, BindOffer)
}

func allowFresh(d time.Duration) condition {
	return func(_ context.Context, s *Session) error {
		if s.Kind == KindIssued || time.Since(vouchedAt(s)) > d {
			return denial(CodeReauthNeeded, nil)
		}
		return nil
	}
}

// require returns a handler that calls h if the request has a live session and allow
// returns nil for it. Otherwise the handler calls refuse. All guards use require, each with
// a condition of its own. The guards of the library's routes refuse with m.deny, and the
// exported guards with m.denyGuarded.
func (m *Manager) require(h http.Handler, allow condition, refuse func(http.ResponseWriter, *http.Request, Denial)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, auth := m.authenticate(r)
		err := auth.err
		if err == nil {
			err = allow(r.Context(), &auth.session) //nolint:contextcheck // the context of r has the decision too
		}
		if err != nil {
			d := denialFor(err)
			m.expireWrongStamp(w, r, d)
			refuse(w, r, d)
			return
		}
		setPrivate(w.Header())
		h.ServeHTTP(w, r)
	})
}

// vouchedAt returns when Google vouched for the browser. It is the earlier of
// TokenIssuedAt, by Google's clock, and CreatedAt, by the store's clock.
func vouchedAt(s *Session) time.Time {
	if !s.TokenIssuedAt.IsZero() && s.TokenIssuedAt.Before(s.CreatedAt) {
		return s.TokenIssuedAt
	}
	return s.CreatedAt
}
