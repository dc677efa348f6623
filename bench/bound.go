package bench

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const (
	boundCookieName = "__Host-bound"

	bindingOff     = "DeviceBinding off"
	unboundSession = "unbound session"
	boundSession   = "bound session"
)

// bound measures requests of sessions that are bound to their browsers. Such a request has a
// second cookie, which the guard checks with the binding that the store has returned. The
// sessions that are not bound are in the same store, and belong to other users.
func (r *Run) bound() {
	size := r.pick(1000, 20)
	for _, opened := range r.stores("bound_") {
		store, workers, most, site := opened.SessionStore, atOnce, 1.2, Site.Asking
		if opened.name == "memory" {
			workers, most, site = r.cpus, 2, Site.Subject
		}
		fill(store, size, workers)
		bound := bindSessions(store, size, size, workers)
		opened.settle()
		headers := cookies(size, size)
		with := boundGuard(store)
		r.group(Group{
			Title: "A bound session, " + opened.name, Workers: workers,
			Text: sprint("%d sessions, and as many that are bound.", size),
			Subjects: []Subject{
				site(Site{bindingOff, guard(store, idle/2), headers}),
				site(Site{unboundSession, with, headers}),
				site(Site{boundSession, with, bound}),
			},
			Targets: []Target{{Subject: boundSession, Limit: unboundSession, Most: most, Serial: true}},
		})
		opened.close()
	}
}

// boundGuard returns the guard of a site that binds sessions. Its requests record no uses.
func boundGuard(store googlesession.SessionStore) http.Handler {
	return newGuard(googlesession.Config{
		Sessions: store, IdleTimeout: idle, MaxLifetime: lifetime, TouchEvery: idle / 2,
		BaseURL: googletest.Origin + "/api", DeviceBinding: googlesession.BindOffer,
	})
}

// bindSessions signs in the users of the sessions whose numbers are first to first+size-1, each
// in a browser that binds its session. It returns the Cookie headers of the browsers in a
// random order. The headers have the session cookie and the bound cookie.
func bindSessions(store googlesession.SessionStore, first, size, workers int) []string {
	users, ok := store.(googlesession.UserStore)
	if !ok {
		users = memstore.New(nil)
	}
	m := must1(googlesession.New(googlesession.Config{
		Sessions: store, Users: users, IdleTimeout: idle, MaxLifetime: lifetime,
		Verifier: numberVerifier{}, DangerouslySkipNonce: true, NoDeviceCookie: true, Logger: slog.New(slog.DiscardHandler),
		BaseURL: googletest.Origin + "/api", DeviceBinding: googlesession.BindOffer, BoundFor: lifetime,
	}))
	app := http.NewServeMux()
	app.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	app.HandleFunc("/in/{session}", func(w http.ResponseWriter, r *http.Request) {
		must1(m.SignIn(w, r, r.PathValue("session")))
	})
	app.Handle("/cookies", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, _ := googlesession.SessionFrom(r.Context()); !s.Bound() {
			panic("bench: a browser has not bound its session")
		}
		session, proof := must1(r.Cookie(cookieName)), must1(r.Cookie(boundCookieName))
		_, _ = io.WriteString(w, session.Name+"="+session.Value+"; "+proof.Name+"="+proof.Value)
	})))
	headers := make([]string, size)
	google := googletest.NewGoogle(clientID)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < size; i += workers {
				browser := google.BoundBrowser(app)
				get(browser.Client(), "/in/"+strconv.Itoa(first+i)) // also registers a key
				headers[i] = get(browser.Client(), "/cookies")      // also renews the proof, from which on the session is bound
			}
		})
	}
	wg.Wait()
	return packed(headers)
}

// get returns the body of an answer.
func get(client *http.Client, path string) string {
	r := must1(http.NewRequestWithContext(background, http.MethodGet, googletest.Origin+path, nil))
	answer := must1(client.Do(r)) //nolint:bodyclose // it is closed below; the linter does not see through must1
	defer func() { _ = answer.Body.Close() }()
	body := string(must1(io.ReadAll(answer.Body)))
	if answer.StatusCode != http.StatusOK {
		panic("bench: " + path + " answers " + answer.Status + ": " + body)
	}
	return body
}

// A numberVerifier takes the number of a session for an ID token of its user.
type numberVerifier struct{}

// ClientID implements [googlesession.TokenVerifier].
func (numberVerifier) ClientID() string { return clientID }

// Verify implements [googlesession.TokenVerifier].
func (numberVerifier) Verify(_ context.Context, idToken, _ string) (googlesession.Identity, error) {
	u := userOf(must1(strconv.Atoi(idToken)))
	return googlesession.Identity{
		Subject: u.ID, Email: u.Email, Name: u.Name, Picture: u.Picture, EmailVerified: true, IssuedAt: time.Now(),
	}, nil
}
