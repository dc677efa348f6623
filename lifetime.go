package googlesession

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// A SignIn describes a sign-in for [Config.SignedIn] and [Config.Lifetime]. Its token is
// verified, its person is admitted, and its user is stored.
type SignIn struct {
	User     User     // as the user store had it right after this sign-in, so before SignedIn
	Identity Identity // what the token says

	// New reports whether this sign-in has created the user. A sign-in that fails after that
	// leaves the user without a session, and New is false in the next one.
	New bool

	// Request is the request that signs the user in, such as POST login. Its body has been
	// read.
	Request *http.Request

	// Kind is the kind of the new session. It is [KindBearer] if a program signs in, and else
	// [KindCookie].
	Kind SessionKind

	// Remember reports whether the user wants to stay signed in, as the member remember of
	// POST login, or the parameter remember of GET login/google, says. In a re-authentication
	// it is also true if it was true when the replaced session began. It is false if the
	// application calls [Manager.SignIn] itself. Lifetime can then decide by the Request.
	Remember bool

	// Replaces is the session that a re-authentication replaces, with its Device. It is nil
	// for every other sign-in, even if that one ends an earlier session of the browser.
	Replaces *Session
}

// A Lifetime says how long a session lives. The zero Lifetime means [Config.IdleTimeout] and
// [Config.MaxLifetime].
type Lifetime struct {
	// Idle ends the session if it has not been used for this long. Zero means
	// [Config.IdleTimeout], whatever Max is, so a session that should outlast a night needs
	// both fields. A greater value than Max means Max.
	Idle time.Duration

	// Max ends the session this long after the sign-in, even if it is in use. Zero means
	// [Config.MaxLifetime]. A greater value than ten years means ten years.
	Max time.Duration

	// BrowserOnly sets the cookie without Max-Age, so that the browser forgets it when it is
	// closed. It helps people at shared computers, but it does not end the session. A browser
	// that restores its tabs restores such a cookie too, so Idle and Max must be short enough
	// by themselves.
	BrowserOnly bool
}

// errLifetime is the cause of the refusal if the session would have ended already.
var errLifetime = errors.New("googlesession: Config.Lifetime returned a duration that is negative or under a millisecond")

// lifetime returns the Lifetime of a new session, with both durations set. It never gives a
// session more time than Config.Lifetime has returned. It rounds down to milliseconds,
// because stores keep only those. The error is a Denial, if no session can be created with
// the Lifetime.
func (m *Manager) lifetime(ctx context.Context, s SignIn) (Lifetime, error) {
	var l Lifetime
	if m.cfg.Lifetime != nil {
		l = m.cfg.Lifetime(ctx, s)
	}
	if l.Idle == 0 {
		l.Idle = m.cfg.IdleTimeout
	}
	if l.Max == 0 {
		l.Max = m.cfg.MaxLifetime
	}
	if min(l.Idle, l.Max) < time.Millisecond {
		return Lifetime{}, denial(CodeUnavailable, unavailable("asking Config.Lifetime", errLifetime))
	}
	l.Max = min(l.Max, maxLifetime).Truncate(time.Millisecond)
	l.Idle = min(l.Idle, l.Max).Truncate(time.Millisecond)
	return l, nil
}

// cookieAge returns the Max-Age of the session's cookie in seconds, or 0 for a cookie
// without Max-Age.
func (l Lifetime) cookieAge() int {
	if l.BrowserOnly {
		return 0
	}
	return max(1, int(min(l.Max, maxCookieAge)/time.Second))
}
