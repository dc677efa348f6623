package googlesession_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

const mallory = "mallory@gmail.com"

// newEventSite returns a site that receives Google's security events.
func newEventSite(t testing.TB) *site {
	t.Helper()
	return newSite(t, func(c *googlesession.Config) {
		c.SecurityEventVerifier = c.Verifier.(googlesession.SecurityEventVerifier)
	})
}

// deliver posts a token as Google does.
func deliver(t testing.TB, s *site, token string) answer {
	t.Helper()
	return serve(t, s, http.MethodPost, "/api/security-events", token,
		"Content-Type", "application/secevent+jwt", "Accept", "application/json")
}

// event returns a token about this address, with the reason as Google spells it.
func event(g *googletest.Google, kind googlesession.AccountChangeKind, email, reason string) string {
	d := g.EventDraft(kind, email)
	if reason != "" {
		d.Event(kind)["reason"] = reason
	}
	return g.Mint(d)
}

func TestSecurityEventsEndSessions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   googlesession.AccountChangeKind
		reason string
		ends   bool
		event  string // Reason of the Event
	}{
		{"sessions revoked", googlesession.ChangeSessionsRevoked, "", true, "sessions-revoked"},
		{"tokens revoked", googlesession.ChangeTokensRevoked, "", true, "tokens-revoked"},
		{"hijacked", googlesession.ChangeAccountDisabled, "hijacking", true, "account-disabled:hijacking"},
		{"disabled in bulk", googlesession.ChangeAccountDisabled, "bulk-account", false, "account-disabled:bulk-account"},
		{"disabled", googlesession.ChangeAccountDisabled, "", false, "account-disabled"},
		{"disabled for a reason of Google's own", googlesession.ChangeAccountDisabled, "<script>", false, "account-disabled:other"},
		{"enabled", googlesession.ChangeAccountEnabled, "", false, "account-enabled"},
		{"credential change", googlesession.ChangeCredentialRequired, "", false, "account-credential-change-required"},
		{"unknown", "account-eaten", "", false, "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newEventSite(t)
			phone, laptop, bystander := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, mallory)
			s.events = nil
			a := deliver(t, s, event(s.google, tt.kind, alice, tt.reason))
			require.Equal(t, http.StatusAccepted, a.status, a.body)
			require.Empty(t, a.body)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Len(t, s.events, 1)
			e := s.events[0]
			require.Equal(t, googlesession.EventSecurityReport, e.Kind)
			require.Equal(t, "google", e.Actor)
			require.Equal(t, tt.event, e.Reason)

			want, count := http.StatusOK, 0
			if tt.ends {
				want, count = http.StatusUnauthorized, 2
			}
			require.Equal(t, count, e.Count)
			require.Equal(t, want, get(t, phone, "/private").status)
			require.Equal(t, want, get(t, laptop, "/private").status)
			require.Equal(t, http.StatusOK, get(t, bystander, "/private").status, "another user's")
			require.False(t, s.user(t, alice).Disabled, "that is the application's decision")
		})
	}
}

// A repeated or late event does not end a newer sign-in.
func TestSecurityEventsRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventSite(t)
		c := s.signIn(t, alice)
		token := s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)
		require.Equal(t, http.StatusAccepted, deliver(t, s, token).status)
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)

		advance(time.Minute)
		within := s.signIn(t, alice)
		advance(2 * time.Second)
		after := s.signIn(t, alice)
		require.Equal(t, http.StatusAccepted, deliver(t, s, token).status)
		require.Equal(t, http.StatusUnauthorized, get(t, within, "/private").status, "clocks differ by less than a minute")
		require.Equal(t, http.StatusOK, get(t, after, "/private").status)

		advance(10 * 24 * time.Hour)
		again := s.signIn(t, alice)
		require.Equal(t, http.StatusAccepted, deliver(t, s, token).status, "Google may deliver as late as it likes")
		require.Equal(t, http.StatusOK, get(t, again, "/private").status)
	})
}

func TestSecurityEventSubjects(t *testing.T) {
	s := newEventSite(t)
	c := s.signIn(t, alice)
	d := s.google.EventDraft(googlesession.ChangeSessionsRevoked, alice)
	d.Event("account-eaten")["what"] = "hello"
	d.Event(googlesession.ChangeVerification)["state"] = "hello"
	require.Equal(t, http.StatusAccepted, deliver(t, s, s.google.Mint(d)).status)
	require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)

	stranger := s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, "stranger@gmail.com")
	require.Equal(t, http.StatusAccepted, deliver(t, s, stranger).status)
	for _, e := range s.events {
		require.NotContains(t, e.Reason, "hello")
	}
}

// A token that is forged, for another client or of another kind ends no session.
func TestSecurityEventsRefused(t *testing.T) {
	s := newRestartedSite(t)
	c := s.signIn(t, alice)
	refused := func(name, token, code string) {
		t.Helper()
		a := deliver(t, s, token)
		require.Equal(t, http.StatusBadRequest, a.status, name)
		require.Equal(t, "application/json", a.header.Get("Content-Type"))
		require.Equal(t, "en", a.header.Get("Content-Language"))
		var body struct{ Err, Description string }
		require.NoError(t, json.Unmarshal([]byte(a.body), &body))
		require.Equal(t, code, body.Err, name)
		require.NotEmpty(t, body.Description)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status, name)
	}
	codes := map[googlesession.TokenReason]string{
		googlesession.ReasonAlgorithm: "invalid_key",
		googlesession.ReasonSignature: "invalid_key",
		googlesession.ReasonIssuer:    "invalid_issuer",
		googlesession.ReasonAudience:  "invalid_audience",
	}
	for _, bad := range s.google.BadEvents(alice) {
		code := codes[bad.Reason]
		if code == "" {
			code = "invalid_request"
		}
		refused(bad.Name, bad.Token, code)
	}
	refused("nothing", "", "invalid_request")
	refused("an ID token", s.google.Token(alice, ""), "invalid_request")
	refused("too large", strings.Repeat("x", 16<<10+1), "invalid_request")

	// An event token does not sign a user in either.
	a := post(t, c, s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice))
	require.Equal(t, googlesession.CodeTokenRefused, a.code(t))
}

// During an outage the answer is 503, so that Google sends the token again.
func TestSecurityEventsDuringOutages(t *testing.T) {
	s := newEventSite(t)
	c, other := s.signIn(t, alice), s.signIn(t, alice)
	token := s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)
	for _, method := range []string{"Sessions", "RevokeSession", "RefuseTokens", "PutUser"} {
		s.store.failing(method, errors.New("down"))
		a := deliver(t, s, token)
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		require.Equal(t, googlesession.CodeUnavailable, a.code(t))
		require.NotEmpty(t, a.header.Get("Retry-After"))
		s.store.failing(method, nil)
	}
	require.Equal(t, http.StatusAccepted, deliver(t, s, token).status)
	require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
	require.Equal(t, http.StatusUnauthorized, get(t, other, "/private").status)

	cold := newEventSite(t)
	cold.google.Respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	require.Equal(t, http.StatusServiceUnavailable, deliver(t, cold, cold.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)).status)
}

// If Google hangs up after the token was read, the sessions end all the same.
func TestSecurityEventOutlivesItsRequest(t *testing.T) {
	s := newEventSite(t)
	c := s.signIn(t, alice)
	ctx, hangUp := context.WithCancel(t.Context())
	s.store.hook = func(method string) {
		if method == "Sessions" {
			hangUp()
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/security-events",
		strings.NewReader(s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)))
	require.NoError(t, err)
	s.manager.Handler().ServeHTTP(httptest.NewRecorder(), r)
	s.store.hook = nil
	require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
}

func TestNoSecurityEventsWithoutAVerifier(t *testing.T) {
	s := newSite(t, nil)
	require.Equal(t, http.StatusNotFound, deliver(t, s, s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice)).status)
}
