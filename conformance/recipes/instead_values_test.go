package recipes_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	memstore "github.com/googlesession/googlesession/store_memory"
)

//recipe:instead
func valueKey(ctx context.Context) (userID string, session googlesession.PublicID) {
	s, _ := googlesession.SessionFrom(ctx) // the handler is behind a guard
	return s.User.ID, s.PublicID
}

//recipe:instead
func endedSessions(e googlesession.Event) []googlesession.PublicID {
	if e.Kind == googlesession.EventSignedOut || e.Kind == googlesession.EventRevoked {
		return []googlesession.PublicID{e.PublicID} // zero if the session goes on under another reference
	}
	return e.PublicIDs // the sessions that ended with their user; empty for every other event
}

//recipe:instead
func forgetExpired(ctx context.Context, m *googlesession.Manager, oldRows map[string][]googlesession.PublicID, forget func(googlesession.PublicID)) error {
	for userID, ids := range oldRows { // such as the rows of more than a day ago, by user
		live, err := m.Sessions(ctx, userID)
		if err != nil {
			return err // an outage forgets nothing
		}
		for _, id := range ids {
			if !slices.ContainsFunc(live, func(s googlesession.Session) bool { return s.PublicID == id }) {
				forget(id)
			}
		}
	}
	return nil
}

// values is the application's table of values, with one row for each session.
type values struct {
	mu   sync.Mutex
	rows map[googlesession.PublicID]*row
}

type row struct {
	userID string
	saved  time.Time
	values map[string]string
}

func (v *values) set(userID string, session googlesession.PublicID, name, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.rows[session]
	if r == nil {
		r = &row{userID: userID, values: map[string]string{}}
		v.rows[session] = r
	}
	r.saved, r.values[name] = time.Now(), value
}

func (v *values) get(session googlesession.PublicID, name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r := v.rows[session]; r != nil {
		return r.values[name]
	}
	return ""
}

func (v *values) take(session googlesession.PublicID, name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.rows[session]
	if r == nil {
		return ""
	}
	defer delete(r.values, name)
	return r.values[name]
}

func (v *values) forget(ids ...googlesession.PublicID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range ids {
		delete(v.rows, id)
	}
}

// before returns the sessions of the rows that were saved before t, by user.
func (v *values) before(t time.Time) map[string][]googlesession.PublicID {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := map[string][]googlesession.PublicID{}
	for id, r := range v.rows {
		if r.saved.Before(t) {
			old[r.userID] = append(old[r.userID], id)
		}
	}
	return old
}

func (v *values) len() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.rows)
}

// A valueApp is an application that keeps a tenant, a message and a cart for each session.
type valueApp struct {
	*http.ServeMux
	m      *googlesession.Manager
	google *googletest.Google
	all    *values
}

func newValueApp(t *testing.T) *valueApp {
	t.Helper()
	all := &values{rows: map[googlesession.PublicID]*row{}}
	m, google := newManager(t, func(c *googlesession.Config) {
		c.MaxSessions = 3
		c.Events = func(_ context.Context, e googlesession.Event) { all.forget(endedSessions(e)...) }
	})
	app := &valueApp{api(m), m, google, all}
	app.Handle("POST /choose", m.RequireUser(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		user, session := valueKey(r.Context())
		q := r.URL.Query()
		all.set(user, session, "tenant", q.Get("tenant"))
		all.set(user, session, "cart", all.get(session, "cart")+q.Get("item"))
		all.set(user, session, "flash", "Welcome to "+q.Get("tenant"))
	})))
	app.Handle("GET /page", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, session := valueKey(r.Context())
		fmt.Fprint(w, all.get(session, "tenant")+"|"+all.get(session, "cart")+"|"+all.take(session, "flash"))
	})))
	return app
}

// enter signs a browser in and gives its session values.
func (a *valueApp) enter(t *testing.T, email, tenant string) *http.Client {
	t.Helper()
	browser := a.google.SignIn(t, a, "/api/login", email)
	require.Equal(t, http.StatusOK, do(t, browser, "POST", "/choose?item=tea&tenant="+tenant, "Origin", googletest.Origin).status)
	return browser
}

func (a *valueApp) again(t *testing.T, browser *http.Client, email string) {
	t.Helper()
	var login struct{ Nonce string }
	decode(t, do(t, browser, "GET", "/api/login").text, &login)
	body := `{"credential":"` + a.google.Token(email, login.Nonce) + `","reauth":true}`
	require.Equal(t, http.StatusOK, postLogin(t, browser, body).status)
}

// Values are rows of the application with the session as their key. Two sessions of one user
// have values of their own, and a re-authentication keeps them.
func TestInsteadOfValues(t *testing.T) {
	app := newValueApp(t)
	phone, laptop := app.enter(t, ada, "acme"), app.enter(t, ada, "bolt")
	require.Equal(t, "acme|tea|Welcome to acme", do(t, phone, "GET", "/page").text)
	require.Equal(t, "acme|tea|", do(t, phone, "GET", "/page").text, "the message is shown once")
	site := &url.URL{Scheme: "https", Host: "app.test"}
	before := phone.Jar.Cookies(site)
	app.again(t, phone, ada)
	require.NotEqual(t, before, phone.Jar.Cookies(site), "a new session")
	require.Equal(t, "acme|tea|", do(t, phone, "GET", "/page").text, "the values of the session go on")
	do(t, phone, "POST", "/choose?item=,milk&tenant=acme", "Origin", googletest.Origin)
	require.Equal(t, "acme|tea,milk|Welcome to acme", do(t, phone, "GET", "/page").text)
	require.Equal(t, "bolt|tea|Welcome to bolt", do(t, laptop, "GET", "/page").text)
	require.Equal(t, 2, app.all.len())
	for id := range app.all.rows {
		for _, c := range phone.Jar.Cookies(site) {
			require.NotContains(t, c.Value, id.String(), "the key is made from a hash and may be stored")
		}
	}
}

// The values are deleted with the session, however it ends, and those of other sessions stay.
func TestInsteadOfValuesEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*testing.T, *valueApp, *http.Client)
		rows int // that are left, of three
	}{
		{"sign-out", func(t *testing.T, _ *valueApp, c *http.Client) {
			require.Equal(t, http.StatusNoContent, do(t, c, "POST", "/api/logout", "Origin", googletest.Origin).status)
		}, 2},
		{"a sign-in with the same browser", func(t *testing.T, app *valueApp, c *http.Client) {
			var login struct{ Nonce string }
			decode(t, do(t, c, "GET", "/api/login").text, &login)
			require.Equal(t, http.StatusOK, postLogin(t, c, `{"credential":"`+app.google.Token(ada, login.Nonce)+`"}`).status)
		}, 2},
		{"own other sessions", func(t *testing.T, _ *valueApp, c *http.Client) {
			require.Equal(t, http.StatusOK, do(t, c, "DELETE", "/api/sessions", "Origin", googletest.Origin).status)
		}, 2},
		{"the limit", func(t *testing.T, app *valueApp, _ *http.Client) {
			app.google.SignIn(t, app, "/api/login", ada)
			app.google.SignIn(t, app, "/api/login", ada)
		}, 2},
		{"RevokeUser", func(t *testing.T, app *valueApp, _ *http.Client) {
			_, err := app.m.RevokeUser(t.Context(), app.google.Subject(ada))
			require.NoError(t, err)
		}, 1},
		{"disabling", func(t *testing.T, app *valueApp, _ *http.Client) {
			disabled := true
			_, err := app.m.SetAccess(t.Context(), app.google.Subject(ada), googlesession.AccessChange{Disabled: &disabled})
			require.NoError(t, err)
		}, 1},
		{"deletion", func(t *testing.T, app *valueApp, _ *http.Client) {
			require.NoError(t, app.m.DeleteUser(t.Context(), app.google.Subject(ada)))
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := newValueApp(t)
			phone, _, other := app.enter(t, ada, "acme"), app.enter(t, ada, "bolt"), app.enter(t, eve, "acme")
			tt.end(t, app, phone)
			require.Equal(t, tt.rows, app.all.len())
			require.Equal(t, "acme|tea|Welcome to acme", do(t, other, "GET", "/page").text)
		})
	}
}

// No event tells of a session that has expired or that RevokeAll has ended. A job asks which
// sessions are live and forgets the others.
func TestInsteadOfValuesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newValueApp(t)
		app.enter(t, ada, "bolt")
		phone := app.enter(t, ada, "acme")
		for range 50 {
			time.Sleep(15 * time.Minute) //nolint:forbidigo // in a bubble it takes no time
			require.Equal(t, http.StatusOK, do(t, phone, "GET", "/page").status)
			app.again(t, phone, ada) // so that the session goes on for longer than its lifetime
		}
		require.Equal(t, 2, app.all.len())
		forget := func(id googlesession.PublicID) { app.all.forget(id) }
		require.NoError(t, forgetExpired(t.Context(), app.m, app.all.before(time.Now()), forget))
		require.Equal(t, 1, app.all.len())
		require.Equal(t, "acme|tea|", do(t, phone, "GET", "/page").text)

		_, err := app.m.RevokeAll(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, app.all.len())
		require.NoError(t, forgetExpired(t.Context(), app.m, app.all.before(time.Now()), forget))
		require.Zero(t, app.all.len())
	})
}

// An outage of the store makes no session look expired.
func TestInsteadOfValuesInAnOutage(t *testing.T) {
	m, _ := newManager(t, func(c *googlesession.Config) { c.Sessions = silentStore{memstore.New(nil)} })
	old := map[string][]googlesession.PublicID{"1": {{1}}}
	require.ErrorIs(t, forgetExpired(t.Context(), m, old, func(googlesession.PublicID) { t.Error("forgotten") }), googlesession.ErrUnavailable)
}

// A silentStore does not list sessions.
type silentStore struct{ *memstore.Store }

func (silentStore) Sessions(context.Context, string) ([]googlesession.Session, error) {
	return nil, googlesession.ErrUnavailable
}
