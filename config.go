package googlesession

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Config configures a [Manager]. Sessions is required. The zero value of every other field
// is safe.
type Config struct {
	_ struct{}

	// Sessions holds the sessions. Required.
	Sessions SessionStore

	// Verifier checks Google's ID tokens. It is usually a *googletoken.Verifier. Nil means
	// that this server only checks sessions, and that GET and POST login answer 404. The
	// fields about the sign-in, such as HostedDomains and Admit, then have no effect.
	Verifier TokenVerifier

	// Users holds the user records. Nil means Sessions, if that implements [UserStore]
	// too. Without a user store, [New] refuses a Verifier, and the methods that read
	// or change users return an error that wraps [ErrUnavailable].
	Users UserStore

	// SecurityEventVerifier checks Google's security event tokens. It is usually the same
	// *googletoken.Verifier. Nil means that POST /security-events does not exist.
	SecurityEventVerifier SecurityEventVerifier

	// IdleTimeout ends a session that has not been used for this long, unless Lifetime
	// returns another time for the session. Zero means 30 minutes, or MaxLifetime if that is
	// less. Whole milliseconds, at most MaxLifetime.
	IdleTimeout time.Duration

	// MaxLifetime ends a session this long after its sign-in, even if it is in use, unless
	// Lifetime returns another time for the session. Zero means 12 hours. Whole milliseconds,
	// at most ten years. Browsers forget a cookie after 400 days.
	MaxLifetime time.Duration

	// Lifetime returns how long the session of a sign-in lives. It is called after SignedIn and
	// before the session is created, so a panic in it leaves no session. Nil means IdleTimeout
	// and MaxLifetime for every session, and then "remember me" has no effect.
	//
	// Fractions of a millisecond are cut off. An Idle over Max means Max, and a Max over ten
	// years means ten years. If a duration is negative, or is under a millisecond and not
	// zero, the sign-in is refused (503) and logged, because the session would have ended
	// already.
	//
	// A re-authentication ([Manager.Reauthenticate]) calls Lifetime again. The time of the new
	// session counts from the re-authentication, because the user has just proved who they
	// are. Remember is true if it was true for the replaced session, or if the page asks for
	// it again. To let the new session end when the replaced one would have ended, return a
	// Max that ends then.
	//
	// The lifetime of a session does not change afterwards. If a user becomes an
	// administrator, or if the configuration changes, the user's live sessions keep theirs. To
	// apply a new lifetime at once, call [Manager.RevokeUser], so that the user has to sign in
	// again. Lifetime may be called by several goroutines at once.
	Lifetime func(context.Context, SignIn) Lifetime

	// TouchEvery is the shortest time between two recorded uses of a session. If half of the
	// session's idle timeout is less, that counts instead. The idle timeout runs from the last
	// recorded use, so a session may expire up to TouchEvery too early, or earlier if a use
	// could not be recorded. It does not expire too late, and a session that is used again and
	// again does not expire by its idle timeout. Zero means a tenth of IdleTimeout, at most a
	// minute. Whole milliseconds, less than IdleTimeout.
	TouchEvery time.Duration

	// StoreTimeout bounds each call to a store. A guard's call may have up to 1 % less
	// time, and is not cancelled when the browser disconnects. Zero means 2 seconds.
	// Whole milliseconds. Its maximum is not checked. Keep it far below [SignInWindow],
	// because a store need not remember for longer than SignInWindow that a user was
	// disabled during a sign-in.
	StoreTimeout time.Duration

	// MaxSessions is how many live sessions a user may have. Zero means the store's cap (100
	// by default), and so does a greater value than the cap.
	MaxSessions int

	// RefuseOverMax refuses a sign-in over the limit (403 too_many_sessions), instead of
	// ending the user's least recently used session. Without MaxSessions the limit is the
	// store's cap. The session that the browser already has does not count, because the
	// sign-in replaces it.
	RefuseOverMax bool

	// MaxStreams is how many requests of one user may be inside [Manager.EndWithSession]
	// at the same time. Further requests are refused (429 too_many_streams). Zero means
	// 10,000, which protects the server from one account and does not limit people.
	MaxStreams int

	// HostedDomains admits only Google Workspace accounts of these domains. The signed hd
	// claim must equal one of them, ASCII case-insensitively. The domain of an e-mail address
	// does not prove membership. Empty means accounts of every kind.
	HostedDomains []string

	// Admit may refuse a verified person before anything is stored. An error that wraps
	// [ErrUnavailable] answers 503, every other error 403 not_admitted. The error's text is
	// logged and not shown. Nil admits every person.
	Admit func(context.Context, Identity) error

	// SignedIn is called in each sign-in and re-authentication, after the user is stored and
	// before the session is created. It is the place to create or link the application's own
	// account, and to set [User.Data] with [Manager.SetUserData]. The new session then has the
	// new Data.
	//
	// An error refuses the sign-in, and no session is created. An error that wraps
	// [ErrForbidden] answers 403 forbidden, and a [Denial] answers as it says. Every other error
	// answers 503 and is logged. The text of an error is not shown, except a Denial's Detail.
	//
	// The session may fail to be created afterwards, and the browser may send the sign-in
	// again. So SignedIn may be called twice for one person, and must then lead to the same
	// result. It may be called by several goroutines at once. A panic in it leaves no session.
	// If it takes more than five minutes, the sign-in answers 503. Nil means that nothing is
	// called.
	SignedIn func(context.Context, SignIn) error

	// SelfDeletion adds the route DELETE /user, by which users delete themselves after a
	// sign-in of the last ten minutes. It is off by default, because the application may have
	// data of its own about the user. [EventUserDeleted] tells the application.
	SelfDeletion bool

	// Admins are e-mail addresses whose users become administrators at each sign-in, if
	// Google vouches for the address ([Identity.EmailAuthoritative]). If Google does not
	// vouch for a listed address, each sign-in logs a warning with the reason and the user's
	// ID. [Manager.SetAccess] makes that user an administrator if you know the person.
	//
	// Addresses are compared ASCII case-insensitively, and googlemail.com equals gmail.com.
	// Addresses that differ in a dot are different. Removing an address does not demote its
	// user. A listed user cannot be demoted ([ErrConfiguredAdmin]). With HostedDomains, an
	// address of another domain is an error of [New].
	Admins []string

	// TrustedOrigins are front ends on other origins of the same site, such as
	// "https://app.example.com" for an API at api.example.com. Each is an exact origin
	// without a slash at the end. CORS headers are the application's task. A front end on
	// another site has to proxy the API, because browsers do not send a SameSite=Lax
	// cookie with requests from another site.
	TrustedOrigins []string

	// RedirectMode also accepts the cross-site form post of Google's ux_mode="redirect".
	// It makes the nonce cookie and the device cookie SameSite=None. It needs https, also on
	// localhost, because browsers hide the origin of a form that an https page posts to http,
	// and such a form is refused. Browsers do not send the session cookie with that post, so
	// the browser's earlier session is not ended and expires by itself. It still needs
	// Google's script on the page, unlike CodeExchanger.
	RedirectMode bool

	// BaseURL is the absolute URL at which browsers reach [Manager.Handler], such as
	// "https://app.example.com/api". The URI to which Google sends browsers back after a
	// sign-in by redirect is BaseURL + "/login/google/callback". Register that URI for the
	// client ID at Google. BaseURL is not taken from requests, because a client chooses the
	// Host header.
	//
	// It is an https URL without a query, a fragment, a user name and a slash at the end. On
	// localhost, 127.0.0.1 and [::1] it may be http. Browsers have to begin the sign-in at the
	// host of BaseURL, because the nonce cookie belongs to one host. BaseURL may be "" if
	// CodeExchanger is nil.
	BaseURL string

	// CodeExchanger switches on the sign-in by redirect, in which GET login/google leads the
	// browser to Google and back. The page does not need Google's script, so the sign-in works
	// where a browser or a blocker stops that script. CodeExchanger is usually a
	// *googlecode.Exchanger, and needs BaseURL, Verifier and the client secret. Unlike with
	// RedirectMode, the browser sends the session cookie when it comes back, so the earlier
	// session is ended. The nonce is checked even with DangerouslySkipNonce. Nil means that
	// GET login/google and GET login/google/callback do not exist.
	CodeExchanger CodeExchanger

	// Bearer lets programs present a session by the header "Authorization: Bearer gs_…" (RFC
	// 6750), for native apps, command lines and scripts without a cookie jar. It adds the
	// routes by which a program signs in (POST login with "deliver": "token") and by which users
	// make and end personal tokens (tokens), and it allows [Manager.Issue]. The origin of a
	// request with a bearer token is not checked, because browsers do not send the header by
	// themselves. A request with both a bearer token and a session cookie is refused (401).
	//
	// A thief who finds a bearer token has its session, and no browser keeps the token from
	// scripts and logs. If false, the header is ignored.
	Bearer bool

	// LoginPage is the path of the page with the sign-in button. It is the path that the
	// browser knows, including prefixes that [http.StripPrefix] or a proxy removes. "" means
	// that no refusal is a redirect.
	//
	// If a guard refuses a page or a posted form ([IsNavigation]) because the visitor has to
	// sign in (401), the browser is redirected to LoginPage with ?next=<path>&code=<code>.
	// next is the refused page. For a posted form it is the page with the form, or "/" if the
	// browser does not name that page. A sign-in that is refused in the browser's window is
	// redirected for every code, except in an outage. htmx gets 401 with the same address in
	// the header HX-Redirect, and next is the page that the browser shows.
	//
	// LoginPage itself must not be behind a guard. If it is, it is refused and not redirected
	// to itself.
	LoginPage string

	// ClientIP returns the client's address, for the list of sessions. Nil means the
	// address in RemoteAddr. Behind a proxy, RemoteAddr has the proxy's address. For a
	// Unix socket it has none. Use [ClientIPBehind] in both cases.
	ClientIP func(*http.Request) netip.Addr

	// Logger receives what an operator should see, as the comment on [Manager] describes. Nil
	// means slog.Default().
	Logger *slog.Logger

	// Events is called for what is done to users and sessions, and for refused requests and
	// sign-ins ([EventKind]). It is called in the goroutine of the request, so it should be
	// quick, and it may be called by several goroutines at once. A panic in it is logged and
	// has no other effect. A session that expires makes no event, and neither does one that
	// ends because of the store's cap. Nil means that nothing is called, and that no sign-in
	// sets the device cookie.
	Events func(context.Context, Event)

	// NoDeviceCookie switches off the device cookie, and with it EventNewDevice. It is also for
	// a user store that does not implement Browsers.
	//
	// The cookie __Host-Http-device has 32 random bytes. Browsers keep it for 400 days after
	// the last sign-in, also after a sign-out. It admits to nothing. The user store keeps a hash
	// of it and of the user ID for the [MaxBrowsers] browsers from which a user signed in last,
	// until the user is deleted.
	//
	// EventNewDevice follows a sign-in from a browser that is not one of these. It does not
	// follow the first sign-in of a new user, the first sign-in after an upgrade from a version
	// without the cookie, or a re-authentication. If the user store does not answer, the sign-in
	// succeeds without EventNewDevice, and EventUnavailable names the user and the session.
	// Without a cookie, as in a private window, each sign-in comes from a new browser.
	NoDeviceCookie bool

	// Deny answers refusals in place of the library. It cannot admit the request, because the
	// handler is not called in any case. It may call [Manager.WriteDenial] for a refusal that
	// it does not answer itself. Nil means that WriteDenial answers every refusal.
	//
	// Deny is not called for a refusal that leads to LoginPage. If Deny should answer these
	// refusals too, leave LoginPage empty.
	//
	// A guard in front of the application's own handlers asks Deny for each refusal, so Deny
	// should tell pages from scripts by [IsNavigation]. The routes of [Manager.Handler] ask it
	// only for a page or a form, because scripts such as login.js depend on problem+json. The
	// form that Google's script posts is one of these.
	//
	// The URL of the request has the path that the browser asked for, including a prefix that
	// [http.StripPrefix] has removed. Cache-Control and Retry-After are set already. Deny may
	// be called by several goroutines at once.
	Deny func(http.ResponseWriter, *http.Request, Denial)

	// DeviceBinding binds sessions to a key that the browser holds, so that a copy of the
	// cookies stops working within minutes. Browsers that support Device Bound Session
	// Credentials (DBSC), such as Chrome on Windows, register a key after the sign-in and then
	// prove every few minutes that they hold it. It adds the routes POST dbsc/register and POST
	// dbsc/refresh, which a proxy must not redirect, limit or guard.
	//
	// It needs a [BindingStore], and BaseURL, of which only the path matters. It does not work
	// with RedirectMode and DangerouslyAllowHTTP. An older server, and a Manager without this
	// field, admit a bound session by its session cookie alone. So set it when every server that
	// shares the store has a version with this field. If it is unset again, all sessions go on.
	//
	// Experimental: what it does, and its routes, may change in a minor version.
	DeviceBinding BindPolicy

	// BoundFor is how long a browser's proof lasts. A copy of the cookies from after the first
	// proof works for this long and one minute. Chromium signs six times in nine minutes for
	// all sessions of a site, so the least value is five minutes. Zero means ten minutes. Whole
	// seconds, at most 24 hours. Experimental: it may change in a minor version.
	BoundFor time.Duration

	// Generation is part of every session's reference. Changing it ends every session in
	// every store. Change it after you restore a backup, which would bring ended sessions
	// back. It must not contain NUL.
	Generation string

	// CookieSuffix keeps the cookies of two applications on one host apart, because browsers
	// send a cookie to every port and path of its host. With "admin" the cookies are named
	// __Host-Http-session-admin, __Host-Http-login-admin, __Host-Http-device-admin and
	// __Host-bound-admin. "" means the names without a suffix. At most 32 of a-z, 0-9 and "-",
	// with a letter or digit at both ends.
	//
	// The suffix is part of every session's reference, so a session's cookie is refused (401)
	// under the name of another application's cookie, even if the applications share a store.
	// Changing the suffix therefore signs every user out. It does not end the sessions, which
	// expire by themselves. The cookie of another application has another name and is ignored.
	//
	// Applications that share a store share its users, administrators, lists of sessions and
	// limits. Revoking a user's sessions ends them in all of these applications, and signing
	// out ends the session of one application.
	CookieSuffix string

	// DangerouslySkipNonce admits tokens without a nonce, for clients that cannot pass a nonce
	// to Google. With it, a stolen ID token signs its thief in, for as long as the verifier
	// accepts a token of that age.
	DangerouslySkipNonce bool

	// DangerouslyAllowHTTP is for Safari, which refuses Secure cookies on http://localhost.
	// The cookies are then not Secure, and are named session, login and device, followed by "-"
	// and CookieSuffix if that is set. A request whose Host is not localhost, 127.0.0.1 or [::1]
	// is refused (421). It is not needed behind a TLS proxy, because the library does not look
	// at the connection.
	DangerouslyAllowHTTP bool
}
