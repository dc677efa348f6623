// Package googlesession gives a net/http server Sign in with Google and real, server-side
// sessions.
//
// The browser obtains a Google ID token and posts it once. The server verifies the token,
// creates the user at the first sign-in, creates a session in a [SessionStore] and sets an
// opaque, Secure, HttpOnly cookie. From then on only the cookie counts. The token is not the
// session, because a leaked token cannot be taken back. A session can be listed and ended
// at any moment, by its user or by an administrator, and it ends on every server at once.
//
// # What it promises
//
//   - Ended is ended. Once a revocation has returned, no server that shares the store
//     admits that session again.
//   - A leaked Google token is worthless. Its nonce is the hash of a secret in an HttpOnly
//     cookie of the browser that asked for it.
//   - A leaked database is worthless. Stores, lists, logs and errors hold the hash of a
//     cookie, never its value.
//   - One round trip. An authenticated request costs one call to one store. An outage of
//     the store answers 503; it neither signs a user out nor admits a request.
//   - A copied cookie stops working within minutes, in browsers that support it, if
//     [Config.DeviceBinding] is set. This promise is experimental.
//
// # How it is used
//
// [New] takes a [Config] with a store and a verifier (package googletoken) and returns a
// [Manager]. The stores are the packages memstore, sqlstore and redisstore, in the folders
// store_memory, store_sql and store_redis. Mount [Manager.Handler], guard handlers with
// [Manager.RequireUser], [Manager.RequireAdmin] and [Manager.Require], and read the user with
// [UserFrom].
//
// A refused request of a script gets JSON. A refused page is redirected to
// [Config.LoginPage], or gets a small HTML page. [Config.Deny] replaces these answers.
//
// Set [http.Server.ReadHeaderTimeout] on the server. The library bounds the size of the
// bodies that it reads. A body that it reads or refuses has ten seconds to arrive, or
// [http.Server.ReadTimeout] if that is less.
package googlesession

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// How to read this package: a file refers only to files below it (scripts/layers checks
// that), so a request and a sign-in can be followed downwards.
//
//	routes.go                     the routes and their guards
//	handlers_*.go                 from a request to a method of Manager, and the answer
//	handlers_binding.go           how a browser binds its session to its key
//	signin.go                     SignIn, Reauthenticate, SignOut
//	signin_callback.go            from a code of Google's to an Identity
//	signin_token.go               from a posted token to an Identity that is admitted
//	signin_session.go             from an Identity to a user, a session and a cookie
//	browsers.go                   whether a sign-in came from a new browser
//	middleware.go, streams.go     the guards, and what ends an open stream
//	users.go, sessions.go         what administrators and users do to users and sessions
//	userdata.go, export.go        what the application keeps about a user, and a copy of everything
//	redirect*.go                  what a browser is sent to Google with
//	respond.go, pages.go          how a refusal is answered
//	report.go                     how a refusal is reported to the operator
//	operatorlog.go                how a burst of log lines becomes two
//	check.go                      the one decision who sends a request
//	binding*.go                   whether the request comes from the browser that the session is bound to
//	storecall.go                  the timeouts of calls to a store
//	cookie.go, ref.go, source.go  what a request presents, and where it comes from
//	denial.go, errors.go          why a request is refused
//	operatorerror.go              which refusals need the operator, and what to do
//	store.go, verifier.go         the contracts of stores and verifiers
//	record.go                     what stores keep and return

// A Manager signs users in and out, guards handlers and ends sessions. It is made by [New]
// and is safe for concurrent use. It starts no goroutine except one for each session with a
// request inside [Manager.EndWithSession].
//
// A Manager logs to [Config.Logger] what an operator should see. An outage has the level
// Error. A refusal that the configuration, a proxy, the front end or a clock has caused has
// the level Warn, and its attribute hint says what to do. Every other refused sign-in has
// the level Info, or Debug if a re-authentication has no session. Of each kind the Manager
// logs the first with its details, counts the others for a minute, and then logs their
// number in the attribute suppressed. It has a timer only while it counts.
type Manager struct {
	cfg   Config // with all defaults filled in
	users UserStore

	bindings BindingStore // Config.Sessions; nil without Config.DeviceBinding
	shared   bool         // users and sessions are in one store
	admins   map[string]bool
	domains  map[string]bool
	origins  *http.CrossOriginProtection

	sessionCookie cookieKind
	nonceCookie   cookieKind
	deviceCookie  cookieKind
	boundCookie   cookieKind
	basePath      string // the path of Config.BaseURL
	idSalt        []byte // prefix of the text whose hash is the ID of a cookie's Ref
	tokenSalt     []byte // the same for a bearer token

	streams streams
	notices notices

	proxyReported atomic.Bool // reportProxy has logged

	timeout     atomic.Pointer[sharedTimeout] // the latest timeout that guards share
	bodyTimeout time.Duration
}

// New returns a Manager, or all errors of the configuration, joined. It calls neither the
// network nor a store.
func New(cfg Config) (*Manager, error) {
	m := &Manager{cfg: cfg, origins: http.NewCrossOriginProtection(), bodyTimeout: defaultBodyTimeout}
	if err := m.configure(); err != nil {
		return nil, err
	}
	return m, nil
}

// Ready returns nil if both stores answer, and an error that says which one does not. A
// readiness probe should call it. It asks for a session and a user that cannot exist. The
// error wraps [ErrUnavailable] unless a store returns a record that was never created.
func (m *Manager) Ready(ctx context.Context) error {
	var ref Ref
	_, _ = rand.Read(ref.Tag[:])
	_, _ = rand.Read(ref.ID[:])
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	if _, err := m.cfg.Sessions.CheckSession(ctx, ref, time.Hour); !errors.Is(err, ErrNoSession) {
		return notReady("session store", err)
	}
	if m.users == nil {
		return nil
	}
	if _, err := m.users.User(ctx, ""); !errors.Is(err, ErrNotFound) {
		return notReady("user store", err)
	}
	return nil
}

// notReady returns the error of Ready. If err is nil, the store has returned a record
// that was never created. Such a store must not serve requests.
func notReady(store string, err error) error {
	if err == nil {
		return errors.New("googlesession: " + store + " is not ready: it returned a record that was never created")
	}
	return unavailable(store, err)
}
