package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// issued has Google issue the token at another time.
func issued(at time.Time) func(*googletest.Draft) {
	return func(d *googletest.Draft) {
		d.Claims["iat"], d.Claims["exp"] = at.Unix(), at.Add(time.Hour).Unix()
	}
}

// later is for a token that comes after a deletion or a security event of just now:
// Google's times are whole seconds.
func later() func(*googletest.Draft) { return issued(time.Now().Add(2 * time.Second)) }

// report posts a security event that Google issued then and returns its token.
func (s *site) report(kind googlesession.AccountChangeKind, reason, email string, at time.Time) string { //nolint:unparam // a test that reads well names the kind
	s.t.Helper()
	draft := s.demo.google.EventDraft(kind, email)
	draft.Claims["iat"] = at.Unix()
	if reason != "" {
		draft.Event(kind)["reason"] = reason
	}
	token := s.demo.google.Mint(draft)
	s.deliver(token)
	return token
}

func (s *site) deliver(token string) {
	s.t.Helper()
	a := s.do(s.t, newBrowser(s.t), http.MethodPost, "/api/security-events", token)
	require.Equal(s.t, http.StatusAccepted, a.status, a.body)
}

// Whoever has hijacked an account may hold a token from before Google noticed. It must not
// matter whether the token arrives before or after the event.
func TestEarlierTokenDoesNotHideAHijacking(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name          string
		reason        string
		token, report time.Time // when Google issued them
		want          int       // of a new sign-in after the event
	}{
		{"token long before", "hijacking", now.Add(-8 * time.Minute), now.Add(-3 * time.Minute), http.StatusForbidden},
		{"token just before", "hijacking", now.Add(-5 * time.Minute), now.Add(-4 * time.Minute), http.StatusForbidden},
		{"token of the same second", "hijacking", now.Add(-5 * time.Minute), now.Add(-5 * time.Minute), http.StatusForbidden},
		{"no reason", "", now.Add(-8 * time.Minute), now.Add(-3 * time.Minute), http.StatusForbidden},
		{"another reason", "bulk-account", now.Add(-8 * time.Minute), now.Add(-3 * time.Minute), http.StatusOK},
		{"late event", "hijacking", now, now.Add(-10 * 24 * time.Hour), http.StatusOK},
		{"late event without a reason", "", now, now.Add(-2 * time.Hour), http.StatusOK},
	}
	for name, db := range databases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			for i, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					email := fmt.Sprintf("user%d@example.com", i)
					require.Equal(t, http.StatusOK, s.enter(newBrowser(t), email, issued(tt.token)).status)
					s.report(googlesession.ChangeAccountDisabled, tt.reason, email, tt.report)
					a := s.enter(newBrowser(t), email, later())
					require.Equal(t, tt.want, a.status, a.body)
				})
			}
		})
	}
}

// A token from before the event does not make a user of an account that is hijacked.
func TestEarlierTokenOfAHijackedAccountMakesNoUser(t *testing.T) {
	for name, db := range databases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			now := time.Now()
			for email, reason := range map[string]string{"ada@example.com": "hijacking", "bob@example.com": ""} {
				s.report(googlesession.ChangeAccountDisabled, reason, email, now.Add(-2*time.Minute))
				a := s.enter(newBrowser(t), email, issued(now.Add(-3*time.Minute)))
				require.NotEqual(t, http.StatusOK, a.status, "%s: %s", reason, a.body)
				require.NotContains(t, s.get(t, s.admin, "/api/admin/users").body, email)
				a = s.enter(newBrowser(t), email, issued(now.Add(-time.Minute)))
				require.Equal(t, http.StatusOK, a.status, "%s: a token from after it: %s", reason, a.body)
			}
		})
	}
}

// An event that comes again, or late, leaves what an administrator has decided since.
func TestAdministratorOverrulesEarlierEvents(t *testing.T) {
	const email = "ada@example.com"
	for name, db := range databases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			id := s.demo.google.Subject(email)
			now := time.Now()
			status := func() int { return s.enter(newBrowser(t), email, later()).status }
			s.enter(newBrowser(t), email, issued(now.Add(-9*time.Minute)))
			token := s.report(googlesession.ChangeAccountDisabled, "hijacking", email, now.Add(-5*time.Minute))
			require.Equal(t, http.StatusForbidden, status())

			// Other decisions do not enable, whatever the administrator writes.
			s.patch(id+"?reason=enabled", `{"admin":true}`)
			s.patch(id, `{"admin":false}`)
			s.deliver(token)
			require.Equal(t, http.StatusForbidden, status())

			s.patch(id+"?reason=has+a+new+password", `{"disabled":false}`)
			s.deliver(token)
			s.report(googlesession.ChangeAccountDisabled, "hijacking", email, now.Add(-6*time.Minute))
			s.report(googlesession.ChangeAccountDisabled, "", email, now.Add(-time.Minute))
			require.Equal(t, http.StatusOK, status())

			if name != "memory" { // another process knows as well
				other, _ := openApp(t, "-db", db)
				other.onEvent(t.Context(), googlesession.Event{
					Kind: googlesession.EventSecurityReport, UserID: id, Reason: "account-disabled:hijacking", IssuedAt: now.Add(-5 * time.Minute),
				})
				require.Equal(t, http.StatusOK, status())
			}

			s.patch(id, `{"disabled":true}`)
			s.deliver(token)
			require.Equal(t, http.StatusForbidden, status())
			s.patch(id, `{"disabled":false}`)
			s.report(googlesession.ChangeAccountDisabled, "hijacking", email, time.Now().Add(5*time.Second))
			require.Equal(t, http.StatusForbidden, status(), "an event from after the decision")

			require.Equal(t, http.StatusNoContent, s.remove(id))
			cleared, err := s.stores.clearances.ClearedAt(t.Context(), id)
			require.NoError(t, err)
			require.Zero(t, cleared, "the user is deleted")
		})
	}
}
