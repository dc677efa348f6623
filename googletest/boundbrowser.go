package googletest

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A BoundBrowser stands in for a browser that supports Device Bound Session Credentials, as
// Chromium 156 does. It makes a key for each session, proves to the server that it has the
// key, and so refreshes the session's short-lived cookie. A copy of its cookies, such as
// [BoundBrowser.Steal] makes, cannot do that. [Google.BoundBrowser] makes a BoundBrowser; the
// zero value must not be used. The methods may be called from many goroutines at once.
//
// If a response has the header Secure-Session-Registration, the browser registers a key
// before it returns the response. Before each request in the scope of a session, the browser
// refreshes the session's cookie if the cookie is missing or has two minutes or less left.
// Requests that are made meanwhile wait for the same refresh.
//
// The browser ends a session as Chromium does. It ends it if a refresh is answered with
// "continue": false, with a redirect, with a status from 400 to 499 other than 403 and 407, with
// a body that is not a configuration, or if the fourth proof is answered with 403. After a
// status from 500, after 407 and if the refresh fails or takes 20 seconds, the session stays.
// The request then goes on without the cookie and with the header Secure-Session-Skipped.
// After the fourth status from 500 in a row, the browser pauses between two refreshes.
//
// Some things differ from Chromium. All clients of Chromium are one machine's; here each
// BoundBrowser has a quota of its own. Chromium registers in the background, and it refreshes
// in the background while the cookie is still there; here the request waits, so that a test
// always sees the same order. Pauses have no random part.
type BoundBrowser struct {
	google  *Google
	handler http.Handler
	client  *http.Client
	jar     *boundJar

	mu       sync.Mutex
	faults   BoundFaults
	quota    int
	signed   []time.Time     // when the proofs of the last nine minutes were signed
	sessions []*boundSession // sorted by ID, the order in which Chromium refreshes them
	held     chan struct{}   // closed by Release; nil if Hold was not called
	waiting  []func()        // the registrations that Release makes
	history  []string
}

// BoundFaults are the ways in which a [BoundBrowser] can misbehave, for tests of a server.
// The zero value is a browser without faults.
type BoundFaults struct {
	NoRefresh   bool // The browser never refreshes a cookie.
	LateRefresh bool // The browser refreshes only after the response to the request that needed the cookie.
	OtherKey    bool // The browser signs proofs with another key than the registered one.
	OldProof    bool // The browser answers each challenge with its previous proof for a refresh, if there is one.
	TwoProofs   bool // The browser sends the header Secure-Session-Response twice.
	DropSession bool // The browser registers, keeps the cookie and forgets the session.
}

// BoundBrowser returns a browser for device-bound sessions that is not signed in. h is the
// handler of the whole application. The requests are made as those of [Google.Browser] are.
func (g *Google) BoundBrowser(h http.Handler) *BoundBrowser {
	b := &BoundBrowser{google: g, handler: h, jar: new(boundJar), quota: 6}
	b.client = &http.Client{Transport: onlyOrigin(b.roundTrip)}
	return b
}

// SignIn signs a user in as [Google.SignIn] does and returns [BoundBrowser.Client]. It also
// registers a key for the new session if the application asks for it. The test can see the
// outcome in [BoundBrowser.Sessions] and [BoundBrowser.History].
func (b *BoundBrowser) SignIn(t testing.TB, path, email string) *http.Client {
	t.Helper()
	b.google.signIn(t, b.client, b.jar.firstRefusal, path, email)
	return b.client
}

// Client returns the client that makes the requests of this browser. It is the same for every
// call. Its Jar is nil, because the browser adds cookies to a request after it has refreshed
// them; [BoundBrowser.Jar] returns the cookies.
//
// Sec-Fetch-Site: cross-site makes a request come from a page of another site. Then the
// browser sends no SameSite cookies, except Lax cookies with a navigation (Sec-Fetch-Mode:
// navigate). A refresh for such a navigation needs an allowed_refresh_initiators that
// matches the host in Origin or Referer, and has no SameSite cookies.
func (b *BoundBrowser) Client() *http.Client { return b.client }

// Jar returns the cookies of this browser.
func (b *BoundBrowser) Jar() http.CookieJar { return b.jar }

// Steal returns a client that has a copy of the cookies but not the keys. It neither
// registers nor refreshes. Later changes of the cookies do not reach the other side.
func (b *BoundBrowser) Steal() *http.Client {
	return &http.Client{
		Jar:       b.jar.clone(),
		Transport: onlyOrigin(func(r *http.Request) (*http.Response, error) { return serveInMemory(b.handler, r) }),
	}
}

// Sessions returns the identifiers of the device-bound sessions that the browser has now,
// sorted.
func (b *BoundBrowser) Sessions() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, 0, len(b.sessions))
	for _, s := range b.sessions {
		ids = append(ids, s.id)
	}
	return ids
}

// History returns a line for each registration and refresh, oldest first. The lines are for
// the log of a test, and their text may change. They have no keys and no values of cookies.
func (b *BoundBrowser) History() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.history)
}

// Misbehave makes the browser misbehave from now on, in the ways that are true in f and in
// no others.
func (b *BoundBrowser) Misbehave(f BoundFaults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
}

// Quota sets how many proofs the browser signs in nine minutes. It is 6 at first, as in
// Chromium. Proofs for registrations count too, and a proof that is sent again does not count.
// Without quota, the browser does not register, and a refresh that needs a new proof is
// skipped.
func (b *BoundBrowser) Quota(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.quota = n
}

// Hold holds registrations and refreshes from now on, until [BoundBrowser.Release]. A
// request that needs a refresh waits. A response that asks for a registration does not wait,
// and Release registers.
func (b *BoundBrowser) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		b.held = make(chan struct{})
	}
}

// Release makes the registrations that [BoundBrowser.Hold] has held, and lets the refreshes
// go on. Release returns after the registrations, but does not wait for refreshes.
func (b *BoundBrowser) Release() {
	b.mu.Lock()
	held, waiting := b.held, b.waiting
	b.held, b.waiting = nil, nil
	b.mu.Unlock()
	for _, register := range waiting {
		register()
	}
	if held != nil {
		close(held)
	}
}

// roundTrip makes a request of the client.
func (b *BoundBrowser) roundTrip(request *http.Request) (*http.Response, error) {
	r := request.Clone(request.Context()) // a RoundTripper must not change the request
	faults := b.currentFaults()
	if !faults.NoRefresh && !faults.LateRefresh {
		skipped, err := b.refreshFor(r)
		if err != nil {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, err
		}
		if len(skipped) > 0 {
			r.Header.Set("Secure-Session-Skipped", strings.Join(skipped, ", "))
		}
	}
	res, err := b.send(r, sameSiteAllows(r))
	if err != nil {
		return nil, err
	}
	if faults.LateRefresh {
		_, _ = b.refreshFor(r) // the request is over, so a failure changes nothing for it
	}
	b.registerFor(r, res)
	return res, nil
}

// send sends a request with the cookies whose SameSite attribute is allowed. It keeps the
// cookies and the challenges of the response.
func (b *BoundBrowser) send(r *http.Request, allowed func(http.SameSite) bool) (*http.Response, error) {
	for _, c := range b.jar.sentTo(r.URL, allowed) {
		r.AddCookie(c)
	}
	res, err := serveInMemory(b.handler, r)
	if err != nil {
		return nil, err
	}
	b.jar.SetCookies(r.URL, res.Cookies())
	b.keepChallenges(res)
	return res, nil
}

// keepChallenges keeps the challenges of a response for the sessions that they name.
func (b *BoundBrowser) keepChallenges(res *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		s.keepChallenge(res.Header)
	}
}

// wait waits until the browser holds no refreshes.
func (b *BoundBrowser) wait(ctx context.Context) error {
	b.mu.Lock()
	held := b.held
	b.mu.Unlock()
	if held == nil {
		return nil
	}
	select {
	case <-held:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *BoundBrowser) currentFaults() BoundFaults {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults
}

// record adds a line to the history. The caller holds the mutex.
func (b *BoundBrowser) record(what, id string, why error) {
	line := strings.TrimSpace(what + " " + id)
	if why != nil {
		line += ": " + why.Error()
	}
	b.history = append(b.history, line)
}

// put adds a session, or replaces the session that has its ID. The caller holds the mutex.
func (b *BoundBrowser) put(s *boundSession) {
	i, found := slices.BinarySearchFunc(b.sessions, s.id, func(s *boundSession, id string) int { return cmp.Compare(s.id, id) })
	if found {
		b.sessions[i] = s
		return
	}
	b.sessions = slices.Insert(b.sessions, i, s)
}
