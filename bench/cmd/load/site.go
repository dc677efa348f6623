package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const clientID = "load.apps.googleusercontent.com"

// A site is a Manager with its handlers, called without a network.
type site struct {
	google  *googletest.Google
	manager *googlesession.Manager
	handler http.Handler
}

// newSite returns a site on a store of sessions and one of users.
func newSite(sessions googlesession.SessionStore, users googlesession.UserStore) (*site, error) {
	g := googletest.NewGoogle(clientID)
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: g.Client()})
	if err != nil {
		return nil, err
	}
	m, err := googlesession.New(googlesession.Config{
		Sessions: sessions, Users: users, Verifier: verifier, Admins: []string{"admin@example.com"},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return &site{g, m, http.StripPrefix("/api", m.Handler())}, nil
}

// A visitor is a browser that is signed in, with its Cookie header and the ID of its user.
type visitor struct{ cookie, id string }

func (s *site) call(method, path, cookie, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://app.test/api"+path, strings.NewReader(body)) //nolint:noctx // the handler runs in this process and needs no context
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// token returns a nonce cookie, and the body of a POST /login for the user with this email
// address.
func (s *site) token(email string) (cookie, body string, err error) {
	w := s.call(http.MethodGet, "/login", "", "")
	var login struct{ Nonce string }
	if err := json.Unmarshal(w.Body.Bytes(), &login); err != nil {
		return "", "", err
	}
	text, err := json.Marshal(map[string]string{"credential": s.google.Token(email, login.Nonce)})
	return cookies(w), string(text), err
}

func (s *site) signIn(email string) (visitor, error) {
	cookie, body, err := s.token(email)
	if err != nil {
		return visitor{}, err
	}
	w := s.call(http.MethodPost, "/login", cookie, body)
	if w.Code != http.StatusOK {
		return visitor{}, fmt.Errorf("signing %s in: %d %s", email, w.Code, w.Body)
	}
	return visitor{cookies(w), s.google.Subject(email)}, nil
}

func cookies(w *httptest.ResponseRecorder) string {
	var all []string
	for _, c := range w.Result().Cookies() {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// A watch collects the times of the answers to one user, who sends a request at each tick
// of a clock. It also counts the refused requests.
type watch struct {
	mu     sync.Mutex
	times  []time.Duration
	errors int
}

const tick = 10 * time.Millisecond

// look sends GET /user at each tick until ctx is done, and then waits for the answers. It
// does not wait for an answer before it sends the next request. Otherwise it would send few
// requests while answers are slow, and the figures would mostly show the times when answers
// are fast. The time of an answer counts from the tick at which its request was due.
func (s *site) look(ctx context.Context, v visitor) *watch {
	w := &watch{}
	var requests sync.WaitGroup
	for due := time.Now(); ; due = due.Add(tick) {
		requests.Go(func() {
			refused := s.call(http.MethodGet, "/user", v.cookie, "").Code != http.StatusOK
			w.note(time.Since(due), refused)
		})
		wait(ctx, time.Until(due.Add(tick)))
		if ctx.Err() != nil {
			break
		}
	}
	requests.Wait()
	return w
}

func (w *watch) note(took time.Duration, refused bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times = append(w.times, took)
	if refused {
		w.errors++
	}
}

func (w *watch) String() string {
	all := sorted(w.times)
	return fmt.Sprintf("median %s, p99 %s, %d of %d refused", short(all[len(all)/2]), short(all[len(all)*99/100]), w.errors, len(all))
}

func sorted(all []time.Duration) []time.Duration {
	all = slices.Clone(all)
	slices.Sort(all)
	return all
}
