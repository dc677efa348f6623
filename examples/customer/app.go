package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletoken"
)

// googleScript is the address of the script that shows Google's button. Google requires
// browsers to load the script from this address.
const googleScript = "https://accounts.google.com/gsi/client"

// app holds the parts of the application.
type app struct {
	opts         options
	log          *slog.Logger
	stores       *stores
	sessions     *googlesession.Manager
	web          *web
	demo         *demo // nil if people sign in with Google itself
	verifier     *googletoken.Verifier
	baseURL      string                      // address of the site for browsers, with the port
	exchanger    googlesession.CodeExchanger // nil without a client secret
	metrics      *metrics
	auditLost    prometheus.Counter
	overview     *overview
	totals       totalsCache
	logEvent     func(context.Context, googlesession.Event)
	auditCount   atomic.Int64 // audit entries that this process has written
	feed         feed         // of the audit, for the streams of administrators
	changes      sessionChanges
	placeOf      func(netip.Addr) string // returns the place of an address, or ""; nil if no place is known
	closing      chan struct{}           // closed when the server shuts down
	clientIP     func(*http.Request) netip.Addr
	clientID     string
	buttonScript string // address of the script that shows the sign-in button
}

// newApp builds the application. It opens neither a file nor a connection.
func newApp(o options, log *slog.Logger) (*app, error) {
	a := &app{
		opts: o, log: log, metrics: newMetrics(), overview: newOverview(), logEvent: googlesession.LogEvents(log), closing: make(chan struct{}),
		clientID: o.clientID, buttonScript: googleScript, clientIP: googlesession.ClientIPBehind(o.proxies...),
	}
	a.auditLost = newAuditLost(a.metrics)
	google := googletoken.Config{ClientIDs: []string{o.clientID}}
	if o.demo {
		a.demo = newDemo(o.origins, o.demoKey)
		a.placeOf = demoPlace
		a.clientID, a.buttonScript = demoClientID, demoScript
		google = a.demo.verifierConfig()
	}
	verifier, err := googletoken.New(google)
	if err != nil {
		return nil, err
	}
	if a.web, err = newWeb(o.demo || o.secret != ""); err != nil {
		return nil, err
	}
	if a.stores, err = newStores(o, log); err != nil {
		return nil, err
	}
	if a.demo != nil {
		inner := *a.stores // the stores behind those of the demo take records of users
		a.stores.prepare = append(a.stores.prepare, func(ctx context.Context) error { return a.demo.fill(ctx, &inner, o, log) })
		a.demo.wrapStores(a.stores)
	}
	a.verifier = verifier
	if err := a.setAddress(nil); err != nil {
		return nil, errors.Join(err, a.stores.close())
	}
	return a, nil
}

// setAddress makes the Manager for a server that listens on addr. newApp calls it with nil,
// to check the configuration. serve calls it again when the port is known, because Google
// sends browsers back to an address with the port.
func (a *app) setAddress(addr net.Addr) (err error) {
	a.baseURL = cmp.Or(a.opts.baseURL, localURL(a.opts.addr, addr))
	if a.exchanger, err = a.newExchanger(); err != nil {
		return err
	}
	a.sessions, err = googlesession.New(a.config(a.verifier))
	return err
}

// newExchanger returns the CodeExchanger for the sign-in by redirect, or nil without a
// client secret. A demo has the secret of the stand-in.
func (a *app) newExchanger() (googlesession.CodeExchanger, error) {
	switch {
	case a.demo != nil:
		return googlecode.New(a.demo.exchangerConfig(a.baseURL))
	case a.opts.secret != "":
		return googlecode.New(googlecode.Config{ClientID: a.opts.clientID, ClientSecret: a.opts.secret})
	}
	return nil, nil
}

func (a *app) config(verifier *googletoken.Verifier) googlesession.Config {
	c := googlesession.Config{
		Sessions:              a.stores.sessions,
		Users:                 a.stores.users,
		Verifier:              verifier,
		SecurityEventVerifier: verifier,
		IdleTimeout:           a.opts.idleTimeout,
		MaxSessions:           a.opts.maxSessions,
		RefuseOverMax:         a.opts.refuseOverMax,
		SelfDeletion:          true,
		Bearer:                a.hasBearer(),
		Admit:                 a.admit,
		Admins:                a.opts.admins,
		TrustedOrigins:        a.opts.origins,
		CookieSuffix:          a.opts.suffix,
		RedirectMode:          a.opts.redirect,
		BaseURL:               a.baseURL + "/api",
		CodeExchanger:         a.exchanger,
		LoginPage:             "/login",
		ClientIP:              a.clientIP,
		Logger:                a.log,
		Events:                a.onEvent,
		DangerouslySkipNonce:  a.opts.skipNonce,
		DangerouslyAllowHTTP:  a.opts.allowHTTP,
		DeviceBinding:         a.opts.bind,
	}
	if a.demo != nil {
		c.Generation = demoGeneration
	}
	return c
}

// hasBearer reports whether programs sign in for a bearer token, and users make tokens.
func (a *app) hasBearer() bool { return a.opts.bearer || a.demo != nil }

// handler returns the handler of all requests.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	library := http.StripPrefix("/api", a.sessions.Handler())
	mux.Handle("/api/", library)
	mux.HandleFunc("GET /api/login", func(w http.ResponseWriter, r *http.Request) { // replaces the library's handler of this route
		if r.URL.Query().Has("deliver") { // a program asks, which shows no button
			library.ServeHTTP(w, r)
			return
		}
		a.serveBeginLogin(w, r)
	})
	if a.opts.skipNonce {
		mux.HandleFunc("POST /api/login", serveLegacyLogin(library))
		mux.HandleFunc("/api/logout", serveLegacyLogout(a.opts.origins, library))
	}
	mux.HandleFunc("GET /healthz", serveHealth)
	mux.HandleFunc("GET /readyz", a.serveReady)
	mux.Handle("GET /metrics", a.metricsHandler())
	mux.Handle("GET /api/live", a.liveHandler())
	mux.HandleFunc("/api/live", methodNotAllowed("GET, HEAD"))
	a.sessionRoutes(mux)
	mux.Handle("GET /api/places", a.sessions.RequireUser(http.HandlerFunc(a.servePlaces)))
	mux.HandleFunc("/api/places", methodNotAllowed("GET, HEAD"))
	a.customerRoutes(mux)
	a.invitationRoutes(mux)
	a.auditRoutes(mux)
	a.historyRoutes(mux)
	a.peopleRoutes(mux)
	a.overviewRoutes(mux)
	a.docsRoutes(mux)
	mux.Handle("/", a.web)
	// Without this route, ServeMux would redirect /api to /api/ without end, because
	// ignoreTrailingSlash turns /api/ into /api.
	mux.Handle("/api", a.web)
	if a.demo != nil {
		a.demo.routes(mux)
		mux.Handle("POST "+demoEvent, a.demo.trustedPagesOnly(http.HandlerFunc(a.serveDemoEvent)))
		mux.HandleFunc(demoEvent, methodNotAllowed("POST"))
		a.tourRoutes(mux)
	}
	h := ignoreTrailingSlash(mux)
	if a.demo != nil {
		h = a.demo.requireKey(h)
	}
	if len(a.opts.origins) > 0 {
		h = allowOrigins(a.opts.origins, h)
	}
	if a.demo != nil {
		h = a.demo.localOnly(h)
	}
	return a.secureHeaders(a.withClient(h))
}

// serveBeginLogin answers GET /api/login as the library does and adds facts for the front
// end. They are the address of the script that shows the button, whether the server is a
// demo, whether Google's script signs in by redirect (-redirect), whether users can make
// tokens (-bearer), and whether the browser sent a session cookie.
func (a *app) serveBeginLogin(w http.ResponseWriter, r *http.Request) {
	nonce, err := a.sessions.BeginSignIn(w, r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		ClientID string `json:"client_id"`
		Nonce    string `json:"nonce"`
		Script   string `json:"script"`
		Demo     bool   `json:"demo,omitempty"`
		Redirect bool   `json:"redirect"`
		Form     bool   `json:"redirect_mode,omitempty"`
		Tokens   bool   `json:"tokens,omitempty"`
		Session  bool   `json:"session"`
	}{a.clientID, nonce, a.buttonScript, a.demo != nil, a.exchanger != nil, a.opts.redirect, a.hasBearer(), a.hasSession(r)})
}

// hasSession reports whether the browser sent a session cookie, which may be invalid.
// Without the cookie, the front end does not send GET /api/user, because browsers report
// its refusal as an error in the console.
func (a *app) hasSession(r *http.Request) bool { return len(r.CookiesNamed(a.sessionCookie())) > 0 }

// sessionCookie returns the name of the cookie that the library sets.
func (a *app) sessionCookie() string {
	name := "__Host-Http-session"
	if a.opts.allowHTTP {
		name = "session"
	}
	if a.opts.suffix != "" {
		name += "-" + a.opts.suffix
	}
	return name
}

// serveHealth reports that the process answers. It does not ask the stores; serveReady
// does.
func serveHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// serveReady reports whether the stores answer.
func (a *app) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	_, err := a.stores.customers.Get(ctx, 0) // no customer has this ID
	if errors.Is(err, errNoCustomer) {
		err = a.sessions.Ready(ctx)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// storeTimeout bounds the application's own calls to its stores.
const storeTimeout = 2 * time.Second
