package googlesession_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// echoData answers with the user's Data.
func echoData(m *googlesession.Manager) http.Handler {
	return m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		_, _ = io.WriteString(w, user.Data)
	}))
}

// newDataSite returns a site with the page /data on two servers, s and other. If apart is
// true, sessions and users are in different stores.
func newDataSite(t *testing.T, apart bool) (s, other *site) {
	t.Helper()
	sessions, users := memstore.New(nil), memstore.New(nil)
	open := func() *site {
		s := newSite(t, func(c *googlesession.Config) {
			if c.Sessions.(*spy).store = sessions; apart {
				c.Users = users
			}
		})
		s.Handler = echoData(s.manager)
		return s
	}
	s, other = open(), open()
	other.google = s.google
	return s, other
}

// Data is in the next request on every server, wherever sessions and users are.
func TestSetUserData(t *testing.T) {
	for name, apart := range map[string]bool{"one store": false, "two stores": true} {
		t.Run(name, func(t *testing.T) {
			s, other := newDataSite(t, apart)
			value, id := s.startSession(t, alice), s.google.Subject(alice)
			read := func(s *site) string {
				a := serve(t, s, http.MethodGet, "/data", "", "Cookie", sessionCookie+"="+value)
				require.Equal(t, http.StatusOK, a.status)
				return a.body
			}
			require.Empty(t, read(s))
			for _, data := range []string{"editor", strings.Repeat("ß", 512), " \"x\"\n ", ""} {
				u, err := s.manager.SetUserData(t.Context(), id, data)
				require.NoError(t, err)
				require.Equal(t, data, u.Data)
				require.Equal(t, data, read(s))
				require.Equal(t, data, read(other))
			}
		})
	}
}

// startSession signs email in without a browser, and returns the value of the session cookie.
func (s *site) startSession(t *testing.T, email string) string {
	t.Helper()
	inner := &site{Handler: routes(s.manager), google: s.google, manager: s.manager}
	return cookie(t, inner.signIn(t, email), sessionCookie)
}

func TestSetUserDataRefuses(t *testing.T) {
	s := newSite(t, nil)
	s.signIn(t, alice)
	id := s.google.Subject(alice)
	for name, data := range map[string]string{
		"too long": strings.Repeat("x", 1025), "NUL": "a\x00b", "not UTF-8": "a\xff", "half a symbol": "😀"[:2],
	} {
		calls := s.store.count()
		_, err := s.manager.SetUserData(t.Context(), id, data)
		require.ErrorIs(t, err, googlesession.ErrInvalidData, name)
		require.NotErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.Equal(t, calls, s.store.count(), "%s: no store is asked", name)
	}
	_, err := s.manager.SetUserData(t.Context(), "unknown", "x")
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	require.NotErrorIs(t, err, googlesession.ErrUnavailable)

	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.manager.SetUserData(done, id, "x")
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.Empty(t, s.user(t, alice).Data)
}

// The event says that Data was set and does not hold it.
func TestSetUserDataEvent(t *testing.T) {
	s := newSite(t, nil)
	s.signIn(t, alice)
	s.events = nil
	ctx := googlesession.WithActor(t.Context(), "operator", "promotion")
	_, err := s.manager.SetUserData(ctx, s.google.Subject(alice), "a secret plan")
	require.NoError(t, err)
	require.Len(t, s.events, 1)
	e := s.events[0]
	require.Equal(t, googlesession.EventDataChanged, e.Kind)
	require.Equal(t, []string{"operator", s.google.Subject(alice), "promotion"}, []string{e.Actor, e.UserID, e.Reason})
}

// If the session store does not answer, the call fails, and a repeated call with the same
// Data completes the change.
func TestSetUserDataIsCompletedByARepeat(t *testing.T) {
	s, _ := newDataSite(t, true)
	value, id := s.startSession(t, alice), s.google.Subject(alice)
	s.store.failing("PutUser", errors.New("down"))
	_, err := s.manager.SetUserData(t.Context(), id, "editor")
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.Empty(t, serve(t, s, http.MethodGet, "/data", "", "Cookie", sessionCookie+"="+value).body)
	s.store.failing("PutUser", nil)
	_, err = s.manager.SetUserData(t.Context(), id, "editor")
	require.NoError(t, err)
	require.Equal(t, "editor", serve(t, s, http.MethodGet, "/data", "", "Cookie", sessionCookie+"="+value).body)
}

func TestUpdateUserData(t *testing.T) {
	s := newSite(t, nil)
	s.signIn(t, alice)
	id := s.google.Subject(alice)
	appendTo := func(text string) func(string) (string, error) {
		return func(data string) (string, error) { return data + text, nil }
	}
	u, err := s.manager.UpdateUserData(t.Context(), id, appendTo("a"))
	require.NoError(t, err)
	require.Equal(t, "a", u.Data)

	// Another caller sets Data between the reading and the setting, once and then always.
	calls := 0
	u, err = s.manager.UpdateUserData(t.Context(), id, func(data string) (string, error) {
		if calls++; calls == 1 {
			_, err := s.manager.SetUserData(t.Context(), id, "b")
			require.NoError(t, err)
		}
		return data + "c", nil
	})
	require.NoError(t, err)
	require.Equal(t, "bc", u.Data)
	require.Equal(t, 2, calls)
	_, err = s.manager.UpdateUserData(t.Context(), id, func(data string) (string, error) {
		_, err := s.manager.SetUserData(t.Context(), id, data+"d")
		require.NoError(t, err)
		return "lost", nil
	})
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.ErrorIs(t, err, googlesession.ErrDataChanged)
	require.NotEqual(t, "lost", s.user(t, alice).Data)

	refusal := errors.New("no")
	before := s.user(t, alice)
	_, err = s.manager.UpdateUserData(t.Context(), id, func(string) (string, error) { return "x", refusal })
	require.Same(t, refusal, err)
	_, err = s.manager.UpdateUserData(t.Context(), id, appendTo("\x00"))
	require.ErrorIs(t, err, googlesession.ErrInvalidData)
	require.Equal(t, before, s.user(t, alice))
	_, err = s.manager.UpdateUserData(t.Context(), "unknown", appendTo("x"))
	require.ErrorIs(t, err, googlesession.ErrNotFound)
}

// Callers at once lose no change.
func TestUpdateUserDataAtOnce(t *testing.T) {
	s := newSite(t, nil)
	s.signIn(t, alice)
	id := s.google.Subject(alice)
	const callers = 4
	errs := make(chan error)
	for range callers {
		go func() {
			_, err := s.manager.UpdateUserData(t.Context(), id, func(data string) (string, error) { return data + "x", nil })
			errs <- err
		}()
	}
	for range callers {
		require.NoError(t, <-errs)
	}
	require.Equal(t, strings.Repeat("x", callers), s.user(t, alice).Data)
}

// Without a user store, the methods about users report an outage.
func TestUserMethodsWithoutAUserStore(t *testing.T) {
	m, err := googlesession.New(googlesession.Config{Sessions: sessionsOnly{memstore.New(nil)}})
	require.NoError(t, err)
	for name, call := range map[string]func() error{
		"SetUserData":    func() error { _, err := m.SetUserData(t.Context(), "1", ""); return err },
		"UpdateUserData": func() error { _, err := m.UpdateUserData(t.Context(), "1", nil); return err },
		"Users":          func() error { _, err := m.Users(t.Context(), googlesession.UserQuery{Limit: 1}); return err },
		"Export":         func() error { _, err := m.Export(t.Context(), "1"); return err },
	} {
		require.ErrorIs(t, call(), googlesession.ErrUnavailable, name)
	}
}

// sessionsOnly hides the methods of a UserStore.
type sessionsOnly struct{ googlesession.SessionStore }
