package googlesession_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// session returns the live session of a browser.
func (s *site) session(t testing.TB, c *http.Client) googlesession.Session {
	t.Helper()
	ref, ok := s.manager.RefOf(cookie(t, c, sessionCookie))
	require.True(t, ok)
	live, err := s.store.CheckSession(t.Context(), ref, googlesession.NeverTouch)
	require.NoError(t, err)
	require.NotZero(t, live.PublicID)
	return live
}

// eventsOf returns the events of this kind.
func (s *site) eventsOf(kind googlesession.EventKind) (list []googlesession.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

// A re-authentication changes the reference and keeps the PublicID. A sign-in changes both.
func TestPublicIDSurvivesReauthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.signIn(t, alice)
		first := s.session(t, c)
		require.Equal(t, first.Ref.PublicID(), first.PublicID)
		for range 2 {
			advance(time.Minute)
			old := s.session(t, c)
			s.events = nil
			require.Equal(t, http.StatusOK, again(t, c, s.google.Token(alice, begin(t, c))).status)
			now := s.session(t, c)
			require.NotEqual(t, old.Ref, now.Ref)
			require.Equal(t, first.PublicID, now.PublicID)
			list := listSessions(t, c).Sessions
			require.Len(t, list, 1)
			require.Equal(t, first.PublicID.String(), list[0].PublicID)
			require.Equal(t, now.Ref.String(), list[0].ID)

			revoked, signedIn := s.eventsOf(googlesession.EventRevoked), s.eventsOf(googlesession.EventSignedIn)
			require.Len(t, revoked, 1)
			require.Equal(t, "replaced", revoked[0].Reason)
			require.Equal(t, old.Ref, revoked[0].Ref)
			require.Zero(t, revoked[0].PublicID, "the ID names the session that goes on")
			require.Len(t, signedIn, 1)
			require.Equal(t, now.Ref, signedIn[0].Ref)
			require.Equal(t, first.PublicID, signedIn[0].PublicID)
		}
		s.events = nil
		require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status)
		require.NotEqual(t, first.PublicID, s.session(t, c).PublicID)
		revoked := s.eventsOf(googlesession.EventRevoked)
		require.Len(t, revoked, 1)
		require.Equal(t, "replaced", revoked[0].Reason)
		require.Equal(t, first.PublicID, revoked[0].PublicID)
	})
}

// Another user's session that a sign-in of the same browser ends is named with its user.
func TestReplacedSessionOfAnotherUser(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	old := s.session(t, c)
	s.events = nil
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(mallory, begin(t, c))).status)
	e := s.eventsOf(googlesession.EventRevoked)[0]
	require.Equal(t, s.google.Subject(mallory), e.Actor)
	require.Equal(t, s.google.Subject(alice), e.UserID)
	require.Equal(t, old.PublicID, e.PublicID)
}

// Every event about sessions names them by their PublicID, with one store and with two.
func TestEventsNameSessions(t *testing.T) {
	type world struct {
		*site
		phone, laptop *http.Client
		id            string
	}
	phoneOnly, both, other := []string{"phone"}, []string{"phone", "laptop"}, []string{"laptop"}
	for _, tt := range []struct {
		name   string
		kind   googlesession.EventKind
		single []string // Event.PublicID
		many   []string // Event.PublicIDs
		do     func(*testing.T, world) error
	}{
		{"a refusal", googlesession.EventDenied, phoneOnly, nil, func(t *testing.T, w world) error {
			require.Equal(t, http.StatusForbidden, get(t, w.phone, "/admin").status)
			return nil
		}},
		{"a use", googlesession.EventTouched, phoneOnly, nil, func(t *testing.T, w world) error {
			advance(2 * time.Minute)
			require.Equal(t, http.StatusOK, get(t, w.phone, "/private").status)
			return nil
		}},
		{"a sign-out", googlesession.EventSignedOut, phoneOnly, nil, func(t *testing.T, w world) error {
			require.Equal(t, http.StatusNoContent, do(t, w.phone, http.MethodPost, "/api/logout", "").status)
			return nil
		}},
		{"Revoke", googlesession.EventRevoked, phoneOnly, nil, func(t *testing.T, w world) error {
			return w.manager.Revoke(t.Context(), w.session(t, w.phone).Ref)
		}},
		{"an own session by its reference", googlesession.EventRevoked, phoneOnly, nil, func(t *testing.T, w world) error {
			require.Equal(t, http.StatusNoContent, do(t, w.laptop, http.MethodDelete, "/api/sessions/"+w.session(t, w.phone).Ref.String(), "").status)
			return nil
		}},
		{"an own session by its public ID", googlesession.EventRevoked, phoneOnly, nil, func(t *testing.T, w world) error {
			require.Equal(t, http.StatusNoContent, do(t, w.laptop, http.MethodDelete, "/api/sessions/"+w.session(t, w.phone).PublicID.String(), "").status)
			return nil
		}},
		{"own other sessions", googlesession.EventUserRevoked, nil, phoneOnly, func(t *testing.T, w world) error {
			require.Equal(t, http.StatusOK, do(t, w.laptop, http.MethodDelete, "/api/sessions", "").status)
			return nil
		}},
		{"RevokeOthers without a PublicID", googlesession.EventUserRevoked, nil, other, func(t *testing.T, w world) error {
			s := w.session(t, w.phone)
			_, err := w.manager.RevokeOthers(t.Context(), googlesession.Session{Ref: s.Ref, User: s.User})
			return err
		}},
		{"RevokeUser", googlesession.EventUserRevoked, nil, both, func(t *testing.T, w world) error {
			n, err := w.manager.RevokeUser(t.Context(), w.id)
			require.Equal(t, 2, n)
			return err
		}},
		{"disabling", googlesession.EventAccessChanged, nil, both, func(t *testing.T, w world) error {
			_, err := w.manager.SetAccess(t.Context(), w.id, disable)
			return err
		}},
		{"promoting", googlesession.EventAccessChanged, nil, nil, func(t *testing.T, w world) error {
			_, err := w.manager.SetAccess(t.Context(), w.id, promote)
			return err
		}},
		{"DeleteUser", googlesession.EventUserDeleted, nil, both, func(t *testing.T, w world) error {
			return w.manager.DeleteUser(t.Context(), w.id)
		}},
		{"a security event", googlesession.EventSecurityReport, nil, both, func(t *testing.T, w world) error {
			advance(time.Second)
			require.Equal(t, http.StatusAccepted, deliver(t, w.site, w.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)).status)
			return nil
		}},
		{"a security event from before the second sign-in", googlesession.EventSecurityReport, nil, phoneOnly, func(t *testing.T, w world) error {
			report := w.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)
			advance(2 * time.Minute)
			require.Equal(t, http.StatusOK, post(t, w.laptop, w.google.Token(alice, begin(t, w.laptop))).status)
			w.events = nil
			require.Equal(t, http.StatusAccepted, deliver(t, w.site, report).status)
			return nil
		}},
	} {
		for stores, users := range map[string]googlesession.UserStore{"one store": nil, "two stores": memstore.New(nil)} {
			t.Run(tt.name+", "+stores, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, func(c *googlesession.Config) {
						c.SecurityEventVerifier = c.Verifier.(googlesession.SecurityEventVerifier)
						if users != nil {
							c.Users = memstore.New(nil) // of this bubble's clock
						}
					})
					w := world{s, s.signIn(t, alice), s.signIn(t, alice), s.google.Subject(alice)}
					names := map[googlesession.PublicID]string{{}: ""}
					names[s.session(t, w.phone).PublicID], names[s.session(t, w.laptop).PublicID] = "phone", "laptop"
					s.events = nil
					require.NoError(t, tt.do(t, w))
					events := s.eventsOf(tt.kind)
					require.Len(t, events, 1)
					var single, many []string
					if name := names[events[0].PublicID]; name != "" {
						single = []string{name}
					}
					for _, id := range events[0].PublicIDs {
						many = append(many, names[id])
					}
					require.Equal(t, tt.single, single, "PublicID")
					require.ElementsMatch(t, tt.many, many, "PublicIDs")
				})
			})
		}
	}
}

// While a re-authentication replaces a session, two sessions have one PublicID.
func TestTwoSessionsWithOnePublicID(t *testing.T) {
	s := newSite(t, nil)
	create := func() (old, successor googlesession.Session) {
		old = s.session(t, s.signIn(t, alice))
		_, ref := s.manager.NewToken(old.User.ID)
		successor, err := s.store.CreateSession(t.Context(), googlesession.NewSession{
			Ref: ref, User: old.User, TokenIssuedAt: old.TokenIssuedAt, MaxLifetime: time.Hour, IdleTimeout: time.Hour, PublicID: old.PublicID,
		})
		require.NoError(t, err)
		require.Equal(t, old.PublicID, successor.PublicID)
		s.events = nil
		return old, successor
	}
	_, successor := create()
	_, err := s.manager.RevokeOthers(t.Context(), successor)
	require.NoError(t, err)
	require.Empty(t, s.eventsOf(googlesession.EventUserRevoked)[0].PublicIDs, "the ID names the session that is kept")
	require.NoError(t, s.manager.Revoke(t.Context(), successor.Ref))

	old, _ := create()
	n, err := s.manager.RevokeUser(t.Context(), old.User.ID)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, []googlesession.PublicID{old.PublicID}, s.eventsOf(googlesession.EventUserRevoked)[0].PublicIDs)

	old, successor = create()
	c := s.signIn(t, alice)
	require.Equal(t, http.StatusNoContent, do(t, c, http.MethodDelete, "/api/sessions/"+old.PublicID.String(), "").status)
	for _, ref := range []googlesession.Ref{old.Ref, successor.Ref} {
		_, err := s.store.CheckSession(t.Context(), ref, googlesession.NeverTouch)
		require.ErrorIs(t, err, googlesession.ErrNoSession)
	}
}

// A session is ended by its public ID as by its reference, and only by its user or an
// administrator.
func TestEndByPublicID(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{adminEmail} })
	phone, laptop, bob := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, "bob@gmail.com")
	admin := s.google.Browser(s)
	d := s.google.Draft(adminEmail, begin(t, admin))
	d.Claims["hd"] = "example.com"
	require.Equal(t, http.StatusOK, post(t, admin, s.google.Mint(d)).status)
	id := s.session(t, phone).PublicID.String()
	ofAlice, ofBob := "/api/admin/users/"+s.google.Subject(alice)+"/sessions/", "/api/admin/users/"+s.google.Subject("bob@gmail.com")+"/sessions/"
	for _, tt := range []struct {
		name   string
		by     *http.Client
		target string
		want   int
	}{
		{"another user's", bob, "/api/sessions/" + id, 404},
		{"of another user than the path's", admin, ofBob + id, 404},
		{"too short", laptop, "/api/sessions/" + id[:21], 404},
		{"padded", laptop, "/api/sessions/" + id + "==", 404},
		{"the zero ID", laptop, "/api/sessions/" + googlesession.PublicID{}.String(), 404},
		{"by an administrator", admin, ofAlice + id, 204},
		{"ended already", laptop, "/api/sessions/" + id, 404},
		{"own", laptop, "/api/sessions/" + s.session(t, laptop).PublicID.String(), 204},
	} {
		require.Equal(t, tt.want, do(t, tt.by, http.MethodDelete, tt.target, "").status, tt.name)
	}
	require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
	require.Equal(t, http.StatusUnauthorized, get(t, laptop, "/private").status)
	require.Equal(t, http.StatusOK, get(t, bob, "/private").status)
}

// The list says what kind of session each is.
func TestListedKind(t *testing.T) {
	for kind, want := range map[googlesession.SessionKind]string{
		googlesession.KindCookie: "cookie", googlesession.KindBearer: "bearer", googlesession.KindIssued: "issued", 3: "unknown", 255: "unknown",
	} {
		require.Equal(t, want, kind.String())
	}
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	_, ref := s.manager.NewToken(s.google.Subject(alice))
	_, err := s.store.CreateSession(t.Context(), googlesession.NewSession{
		Ref: ref, User: s.user(t, alice), MaxLifetime: time.Hour, IdleTimeout: time.Hour, Kind: googlesession.KindIssued, Label: "backup",
	})
	require.NoError(t, err)
	got := map[string]string{}
	for _, e := range listSessions(t, c).Sessions {
		require.NotNil(t, e.Label)
		got[e.Kind] = *e.Label
	}
	require.Equal(t, map[string]string{"cookie": "", "issued": "backup"}, got)
}

// A sign-in over the limit emits an event for the session that it ends.
func TestEventsOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) { c.MaxSessions = 2 })
		signIn := func() (googlesession.Session, *http.Client) {
			advance(time.Minute)
			c := s.signIn(t, alice)
			return s.session(t, c), c
		}
		first, _ := signIn()
		second, c := signIn()
		require.Empty(t, s.eventsOf(googlesession.EventRevoked))
		s.events = nil
		signIn()
		revoked := s.eventsOf(googlesession.EventRevoked)
		require.Len(t, revoked, 1)
		require.Equal(t, "limit", revoked[0].Reason)
		require.Equal(t, first.Ref, revoked[0].Ref)
		require.Equal(t, first.PublicID, revoked[0].PublicID)
		require.Equal(t, s.google.Subject(alice), revoked[0].UserID)

		// The session that a sign-in replaces does not count, and a re-authentication ends none.
		s.events = nil
		advance(time.Minute)
		require.Equal(t, http.StatusOK, again(t, c, s.google.Token(alice, begin(t, c))).status)
		require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status)
		for _, e := range s.eventsOf(googlesession.EventRevoked) {
			require.Equal(t, "replaced", e.Reason)
		}
		require.Equal(t, second.PublicID, s.eventsOf(googlesession.EventRevoked)[1].PublicID)

		// The limit does not end sessions that expire during the sign-in.
		advance(time.Hour)
		s.signIn(t, alice)
		s.signIn(t, alice)
		s.events = nil
		advance(30*time.Minute - time.Second/2)
		s.store.hook = func(method string) {
			if method == "CreateSession" {
				advance(time.Second)
			}
		}
		require.Len(t, listSessions(t, s.signIn(t, alice)).Sessions, 1)
		require.Empty(t, s.eventsOf(googlesession.EventRevoked))
	})
}
