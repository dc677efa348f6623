package googlesession_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// The row of the decision: what a request has to bring to a session in each state.
func TestBoundSessionNeedsProof(t *testing.T) {
	const session, both, foreign = "session", "both", "foreign"
	for _, tt := range []struct {
		name  string
		steps func(*testing.T, *device)
		wait  time.Duration
		send  string // which cookies the request has
		want  int
	}{
		{"not registered", func(*testing.T, *device) {}, 6 * time.Hour, session, http.StatusOK},
		{"registered only", func(t *testing.T, d *device) { d.register(t, d.proof(t, d.offer, true)) }, 6 * time.Hour, session, http.StatusOK},
		{"bound, at once", prove, 0, session, http.StatusOK},
		{"bound, before the end of the grace", prove, 29 * time.Second, session, http.StatusOK},
		{"bound, after the grace", prove, 31 * time.Second, session, http.StatusUnauthorized},
		{"bound, with the proof", prove, 31 * time.Second, both, http.StatusOK},
		{"bound, with an old proof in the slack", prove, 10*time.Minute + 59*time.Second, both, http.StatusOK},
		{"bound, with an old proof", prove, 11*time.Minute + time.Second, both, http.StatusUnauthorized},
		{"bound, with the proof of another session", prove, 31 * time.Second, foreign, http.StatusUnauthorized},
	} {
		inOwnBubble(t, tt.name, func(t *testing.T) {
			s := newBoundSite(t, func(c *googlesession.Config) { c.IdleTimeout = 12 * time.Hour })
			d := newDevice(t, s, alice)
			tt.steps(t, d)
			stolen := d.thief(t, sessionCookie)
			if tt.send == both {
				stolen = d.thief(t, sessionCookie, boundCookie)
			}
			advance(tt.wait)
			if tt.send == foreign {
				stolen.Jar.SetCookies(siteURL(), []*http.Cookie{
					{Name: boundCookie, Value: cookie(t, newBoundDevice(t, s, bob).Client, boundCookie), Path: "/", Secure: true},
				})
			}
			asked := s.store.count("CheckSession")
			a := get(t, stolen, "/private")
			require.Equal(t, tt.want, a.status, a.body)
			require.Equal(t, asked+1, s.store.count("CheckSession"), "one round trip")
			if tt.want == http.StatusUnauthorized {
				require.Equal(t, googlesession.CodeProofMissing, a.code(t))
				require.Equal(t, tt.send == session, a.header["Set-Cookie"] == nil, "a refusal changes no cookie but a wrong proof")
			}
		})
	}
}

func prove(t *testing.T, d *device) {
	t.Helper()
	require.Equal(t, http.StatusOK, d.register(t, d.proof(t, d.offer, true)).status)
	require.Equal(t, http.StatusOK, d.renew(t).status)
}

// A thief with the cookie jar of any moment is out soon, and the browser goes on.
func TestTheft(t *testing.T) {
	for _, tt := range []struct {
		name   string
		steal  time.Duration // after the sign-in
		out    time.Duration // when the copy is refused, after the sign-in
		before time.Duration // when it is still admitted
	}{
		{"right after the sign-in", 0, 61 * time.Second, 20 * time.Second},
		{"later", 25 * time.Minute, 25*time.Minute + 11*time.Minute + time.Second, 30 * time.Minute},
	} {
		inOwnBubble(t, tt.name, func(t *testing.T) {
			s := newBoundSite(t, nil)
			began := time.Now()
			d := newDevice(t, s, alice)
			register := d.register(t, d.proof(t, d.offer, true))
			require.Equal(t, http.StatusOK, register.status)
			stolen := d.thief(t, sessionCookie)
			copied := tt.steal == 0
			admitted := func(c *http.Client) bool { return get(t, c, "/private").status == http.StatusOK }
			for elapsed := time.Duration(0); elapsed < 45*time.Minute; elapsed = time.Since(began) {
				advance(10 * time.Second)
				elapsed = time.Since(began)
				if elapsed%(5*time.Minute) == 0 || elapsed == 30*time.Second { // the browser renews the cookie in time
					require.Equal(t, http.StatusOK, d.renew(t).status)
				}
				if !copied && elapsed >= tt.steal {
					stolen, copied = d.thief(t, sessionCookie, boundCookie), true
				}
				require.True(t, admitted(d.Client), "the browser goes on after %v", elapsed)
				if !copied {
					continue
				}
				switch {
				case elapsed <= tt.before:
					require.True(t, admitted(stolen), "the copy after %v", elapsed)
				case elapsed >= tt.out:
					require.False(t, admitted(stolen), "the copy after %v", elapsed)
				}
			}
			require.Contains(t, s.kinds(), googlesession.EventDenied)
			var alarm *googlesession.Event
			for _, e := range s.events {
				if e.Kind == googlesession.EventDenied && e.Reason == string(googlesession.CodeProofMissing) {
					alarm = &e
				}
			}
			require.NotNil(t, alarm, "a refused copy is an event")
			require.Equal(t, s.google.Subject(alice), alarm.UserID)
			require.Equal(t, d.id, alarm.Ref.String())
			require.Equal(t, "system", alarm.Actor, "the thief is not the user")
		})
	}
}

// A session is shown as bound from the first proof on, and what is shown holds no secret.
func TestBoundInLists(t *testing.T) {
	s := newBoundSite(t, nil)
	d := newDevice(t, s, alice)
	bound := func() string {
		a := get(t, d.Client, "/api/sessions")
		require.Equal(t, http.StatusOK, a.status)
		_, after, _ := strings.Cut(a.body, `"bound":`)
		text, _, _ := strings.Cut(after, ",")
		return text
	}
	require.Equal(t, "false", bound())
	d.register(t, d.proof(t, d.offer, true))
	require.Equal(t, "false", bound(), "a browser may register a key and drop it")
	d.renew(t)
	require.Equal(t, "true", bound())

	list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
	require.NoError(t, err)
	page, _, err := s.manager.AllSessions(t.Context(), "", 10)
	require.NoError(t, err)
	for _, shown := range append(list, page...) {
		require.True(t, shown.Bound())
		require.Len(t, shown.Binding, 2)
	}
	var seen googlesession.Session
	h := s.manager.RequireUser(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen, _ = googlesession.SessionFrom(r.Context())
	}))
	serve(t, h, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+cookie(t, d.Client, sessionCookie)+"; "+boundCookie+"="+cookie(t, d.Client, boundCookie))
	require.True(t, seen.Bound())
	require.Len(t, seen.Binding, 2)
}

func TestBindPolicies(t *testing.T) {
	type answers struct{ private, admin, bound int }
	ok, refused := http.StatusOK, http.StatusForbidden
	for _, tt := range []struct {
		policy       googlesession.BindPolicy
		early, late  answers
		lateAndBound answers
	}{
		{googlesession.BindOffer, answers{ok, ok, ok}, answers{ok, ok, refused}, answers{ok, ok, ok}},
		{googlesession.BindAdmins, answers{ok, ok, ok}, answers{ok, refused, refused}, answers{ok, ok, ok}},
		{googlesession.BindEverybody, answers{ok, ok, ok}, answers{refused, refused, refused}, answers{ok, ok, ok}},
	} {
		inOwnBubble(t, tt.policy.String(), func(t *testing.T) {
			s := newBoundSite(t, func(c *googlesession.Config) {
				c.DeviceBinding, c.Admins, c.HostedDomains = tt.policy, []string{adminEmail}, nil
			})
			mux := s.Handler.(*http.ServeMux)
			mux.Handle("/bound", s.manager.RequireBound(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
			ask := func(d *device) answers {
				return answers{get(t, d.Client, "/private").status, get(t, d.Client, "/admin").status, get(t, d.Client, "/bound").status}
			}
			d := newDevice(t, s, adminEmail)
			require.Equal(t, tt.early, ask(d))
			registered := d.proof(t, d.offer, true)
			advance(2*time.Minute + time.Second)
			require.Equal(t, tt.late, ask(d))
			if tt.late.private == refused {
				a := get(t, d.Client, "/private")
				require.Equal(t, googlesession.CodeBindingNeeded, a.code(t))
				require.Equal(t, "no user", get(t, d.Client, "/public").body)
			}
			require.Equal(t, http.StatusOK, d.register(t, registered).status)
			require.Equal(t, tt.late, ask(d), "a key does not protect before the browser has shown that it keeps it")
			require.Equal(t, http.StatusOK, d.renew(t).status)
			require.Equal(t, tt.lateAndBound, ask(d))
		})
	}
}

// A session with a bearer token is not bound, whatever the policy is.
func TestBearerSessionsAreNotBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBoundSite(t, func(c *googlesession.Config) { c.DeviceBinding, c.Bearer = googlesession.BindEverybody, true })
		d := newDevice(t, s, alice)
		token, _, err := s.manager.Issue(t.Context(), s.google.Subject(alice), googlesession.Grant{Label: "backup"})
		require.NoError(t, err)
		advance(time.Minute + 2*time.Minute)
		require.Equal(t, http.StatusForbidden, get(t, d.Client, "/private").status)
		require.Equal(t, http.StatusOK, serve(t, s, http.MethodGet, "/private", "", "Authorization", "Bearer "+token).status)
		h := s.manager.RequireBound(http.NotFoundHandler())
		require.Equal(t, http.StatusForbidden, serve(t, h, http.MethodGet, "/", "", "Authorization", "Bearer "+token).status)
	})
}

// A new server without the option admits every session, and one with it goes on with the
// sessions from before.
func TestDeviceBindingSwitchedOffAndOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBoundSite(t, nil)
		on := s.Handler
		d := newBoundDevice(t, s, alice)
		advance(time.Minute)
		stolen := d.thief(t, sessionCookie)
		require.Equal(t, http.StatusUnauthorized, get(t, stolen, "/private").status)

		off := routes(newSiteOn(t, s, func(c *googlesession.Config) { c.DeviceBinding = googlesession.BindNobody }))
		s.Handler = off
		require.Equal(t, http.StatusOK, get(t, d.thief(t, sessionCookie), "/private").status, "every bound session goes on")
		require.NotContains(t, get(t, d.thief(t, sessionCookie), "/api/sessions").body, `"bound":true`)
		require.Equal(t, http.StatusNotFound, do(t, d.thief(t), http.MethodPost, refreshPath, "").status)
		c := s.google.Browser(s)
		a := post(t, c, s.google.Token(bob, begin(t, c)))
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, a.header, "Secure-Session-Registration")

		s.Handler = on
		value := cookie(t, c, sessionCookie)
		a = serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+value)
		require.Equal(t, http.StatusOK, a.status, "a session from before goes on without a binding")
	})
}

// The copy of a session cookie does not let a thief register a key.
func TestThiefCannotRegister(t *testing.T) {
	s := newBoundSite(t, nil)
	d := newDevice(t, s, alice)
	stolen := d.thief(t, sessionCookie)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	thief := &device{Client: stolen, site: s, key: key, id: d.id}
	value := cookie(t, stolen, sessionCookie)
	for _, guess := range []string{value, value[16:], value[:43], strings.Repeat("A", 43), d.id[:43]} {
		a := thief.register(t, thief.proof(t, guess, true))
		require.Equal(t, http.StatusBadRequest, a.status)
	}
	require.Empty(t, d.bindingOf(t))
	require.Equal(t, http.StatusOK, d.register(t, d.proof(t, d.offer, true)).status)
}

// A session that replaces a bound one is not bound, and has an offer of its own.
func TestNewSessionIsNotBound(t *testing.T) {
	s := newBoundSite(t, nil)
	d := newBoundDevice(t, s, alice)
	a := post(t, d.Client, s.google.Token(alice, begin(t, d.Client)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	old := d.id
	ref, _ := s.manager.RefOf(cookie(t, d.Client, sessionCookie))
	d.offer, d.id = offerOf(t, a.header), ref.String()
	require.Empty(t, d.bindingOf(t))
	require.Equal(t, http.StatusOK, get(t, d.Client, "/private").status, "the bound cookie of the old session does no harm")

	d.id = old // Chromium still has the session's key, and renews the proof
	ended := d.refresh(t, "")
	require.Equal(t, http.StatusOK, ended.status)
	require.JSONEq(t, `{"session_identifier":"`+old+`","continue":false}`, ended.body)
	require.Empty(t, ended.header["Set-Cookie"])
}

// A sign-out makes the browser forget both cookies.
func TestSignOutExpiresBoundCookie(t *testing.T) {
	s := newBoundSite(t, nil)
	d := newBoundDevice(t, s, alice)
	require.NotEmpty(t, cookie(t, d.Client, boundCookie))
	require.Equal(t, http.StatusNoContent, do(t, d.Client, http.MethodPost, "/api/logout", "").status)
	require.Empty(t, cookie(t, d.Client, boundCookie))
	require.Contains(t, d.refresh(t, "").body, `"continue":false`)
}
