// Package googlesession gives a net/http server Sign in with Google and real,
// server-side sessions.
//
// The browser obtains a Google ID token and posts it once. The server verifies
// it, creates the user if new, creates a session in a [SessionStore] and sets an
// opaque, Secure, HttpOnly cookie. From then on only the cookie counts. The token
// is not the session, because a leaked token cannot be taken back: a session can
// be listed and ended at any moment, by its user or by an administrator, and it
// is over on every server at once.
//
// # What it promises
//
// Ended is ended: once a revocation has returned, no server that shares the store
// admits that session again. A leaked Google token is worthless: its nonce is the
// hash of a secret in an HttpOnly cookie of the browser that asked for it. A
// leaked database is worthless: stores, lists, logs and errors hold the hash of a
// cookie, never its value. One round trip: an authenticated request costs one
// call to one store, and a store outage is a 503, never a logout and never an
// admission.
//
// # How it is used
//
// [New] takes a [Config] with a store (packages memstore, sqlstore and redisstore)
// and a verifier (package googletoken) and returns a [Manager]. Mount
// [Manager.Handler], guard handlers with [Manager.RequireUser] and
// [Manager.RequireAdmin], and read the user with [UserFrom].
//
// A server should have [http.Server.ReadHeaderTimeout] set. The library bounds the size
// of the bodies that it reads. A body that it reads or refuses has ten seconds to arrive,
// or [http.Server.ReadTimeout] if that is less.
package googlesession

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// Config is what [New] makes a [Manager] of. Sessions is required; the zero
// value of everything else is safe.
type Config struct {
	_ struct{}

	// Sessions keeps the sessions. Required.
	Sessions SessionStore

	// Verifier checks Google's ID tokens, usually a *googletoken.Verifier. Nil: this
	// server only checks sessions; GET and POST login are 404.
	Verifier TokenVerifier

	// Users is the truth about users. Nil means Sessions, if that is a [UserStore]
	// too; without either, sign-in and the methods that change users do not work,
	// and a Verifier is refused.
	Users UserStore

	// SecurityEventVerifier verifies Google's security event tokens, usually the same
	// *googletoken.Verifier. Nil: there is no POST /security-events.
	SecurityEventVerifier SecurityEventVerifier

	// IdleTimeout ends a session that has not been used for this long. Zero means
	// 30 minutes, or MaxLifetime if that is less. Whole milliseconds, at most
	// MaxLifetime.
	IdleTimeout time.Duration

	// MaxLifetime ends a session this long after its sign-in, however much it is
	// used. Zero means 12 hours. Whole milliseconds, at most ten years; browsers
	// forget a cookie after 400 days.
	MaxLifetime time.Duration

	// TouchEvery is how often at most a session's use is recorded. A session may
	// end up to this early, never late (unless recording the use failed). Zero means
	// a tenth of IdleTimeout, at most a minute. Less than IdleTimeout.
	TouchEvery time.Duration

	// StoreTimeout bounds each call to a store. A guard's call may have up to one part
	// in 128 less, and goes on when the browser hangs up. Zero means 2 seconds.
	StoreTimeout time.Duration

	// MaxSessions is how many live sessions a user may have. Zero, or more than the
	// store's cap (100 by default), means the cap.
	MaxSessions int

	// RefuseOverMax refuses a sign-in over the limit (403 too_many_sessions) instead
	// of ending the user's least recently used session. The session that the browser
	// presents does not count: a sign-in replaces it.
	RefuseOverMax bool

	// MaxStreams is how many requests of one user may run at a time inside
	// [Manager.EndWithSession]; further ones are refused with 429 too_many_streams. Zero
	// means 10,000, which is for what one account may cost this server, and not for people.
	MaxStreams int

	// HostedDomains, if not empty, admits only Google Workspace accounts of these
	// domains: the signed hd claim must be one of them, ASCII case-insensitively.
	// The domain of an e-mail address proves nothing.
	HostedDomains []string

	// Admit may refuse a verified person before anything is stored. An error that
	// is [ErrUnavailable] answers 503, any other 403 not_admitted; its text is
	// logged, not shown. Nil admits everybody.
	Admit func(context.Context, Identity) error

	// Admins are e-mail addresses whose users are made administrators at every sign-in,
	// but only where Google is authoritative for the address
	// ([Identity.EmailAuthoritative]). The log names a listed user for whose address Google
	// is not. Addresses are compared ASCII case-insensitively, with googlemail.com the same
	// as gmail.com, and are otherwise as Google spells them, with the dots. Removing an
	// address takes nothing away: demote the user. A listed user cannot be demoted
	// ([ErrConfiguredAdmin]).
	Admins []string

	// TrustedOrigins are front ends on other origins of the same site, such as
	// "https://app.example.com" for an API at api.example.com: exact origins
	// without a trailing slash. CORS headers are the application's. A front end on
	// another site should proxy the API instead: SameSite=Lax keeps the cookie home.
	TrustedOrigins []string

	// RedirectMode also accepts the cross-site form post of Google's ux_mode="redirect".
	// It needs https, on localhost too: browsers hide the origin of a form that Google's
	// page posts to http, and such a form is refused. It needs a SameSite=None nonce cookie.
	// The session cookie does not come with that post, so a session that the browser had is
	// not ended by it, and is left to expire.
	RedirectMode bool

	// LoginPage is the path of the page with the sign-in button, as the browser knows it,
	// with the prefixes that [http.StripPrefix] or a proxy removes. A page that is refused
	// because nobody is signed in is sent there with ?next=<path>&code=<code>, and so is a
	// refused form with a Google token. A page is what a browser navigates to: a GET or HEAD
	// with Sec-Fetch-Mode: navigate or, without that header, with an Accept that begins with
	// text/html. The login page itself is not sent to itself: behind a guard, which is a
	// mistake, it is refused with problem+json. "" means that every refusal is problem+json.
	LoginPage string

	// ClientIP says where a request comes from, for the list of sessions. Nil means
	// the address in RemoteAddr, which behind a proxy is the proxy's, and which a Unix
	// socket does not have: use [ClientIPBehind] there.
	ClientIP func(*http.Request) netip.Addr

	// Logger receives what an operator should see. Nil means slog.Default().
	Logger *slog.Logger

	// Events, if not nil, is called for everything that is done to users and
	// sessions, in the request's goroutine: it should be quick. A panic in it is
	// logged and changes nothing. A session that expires, or that the limit of
	// sessions ends, is nobody's doing and makes no event.
	Events func(context.Context, Event)

	// Deny, if not nil, answers refusals in place of the library: problem+json, or
	// a redirect to LoginPage. It must not admit: the handler is not called.
	Deny func(http.ResponseWriter, *http.Request, Denial)

	// Generation is mixed into every session's reference. Changing it ends every
	// session of every store: the step after restoring a backup, which would bring
	// ended sessions back. No NUL.
	Generation string

	// DangerouslySkipNonce serves clients that cannot pass a nonce to Google. A
	// leaked ID token can then be used by anybody for as long as the verifier
	// accepts its age.
	DangerouslySkipNonce bool

	// DangerouslyAllowHTTP is for Safari on http://localhost, which refuses Secure
	// cookies there: the cookies are named session and login and lack Secure. A
	// request whose Host is not localhost, 127.0.0.1 or [::1] is refused (421). It
	// is not needed behind a TLS proxy: the library never looks at the connection.
	DangerouslyAllowHTTP bool
}

// A Manager signs users in and out, guards handlers and ends sessions. It is
// made by [New] and is safe for concurrent use. It starts no goroutine, but for one that
// watches over each session with a request inside [Manager.EndWithSession].
type Manager struct {
	cfg     Config // with every default filled in
	users   UserStore
	shared  bool // users and sessions are one store
	admins  map[string]bool
	domains map[string]bool
	origins *http.CrossOriginProtection
	session cookieKind
	login   cookieKind
	idSalt  []byte // hashed before the cookie's value
	streams streams

	timeout atomic.Pointer[timeout] // the latest, of guards' calls to the store

	bodyTimeout time.Duration
}

// New checks the configuration and returns everything that is wrong with it at
// once, joined. It uses no network and no store.
func New(cfg Config) (*Manager, error) {
	m := &Manager{cfg: cfg, origins: http.NewCrossOriginProtection(), bodyTimeout: defaultBodyTimeout}
	if err := m.configure(); err != nil {
		return nil, err
	}
	return m, nil
}

// Ready reports whether the stores answer as they should: a random reference is
// no session, and there is no user without an ID. It is what a readiness probe
// should ask.
func (m *Manager) Ready(ctx context.Context) error {
	var ref Ref
	_, _ = rand.Read(ref.Tag[:])
	_, _ = rand.Read(ref.ID[:])
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	if _, err := m.cfg.Sessions.CheckSession(ctx, ref, time.Hour); !errors.Is(err, ErrNoSession) {
		return unready("session store", err)
	}
	if m.users == nil {
		return nil
	}
	if _, err := m.users.User(ctx, ""); !errors.Is(err, ErrNotFound) {
		return unready("user store", err)
	}
	return nil
}

func unready(what string, err error) error {
	if err == nil {
		return errors.New("googlesession: the " + what + " knows what was never stored")
	}
	return unavailable(what, err)
}
