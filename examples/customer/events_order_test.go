package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A hijacker may hold a token from before Google noticed. The order in which the token
// and the event arrive must not matter.
func TestEarlierTokenDoesNotHideAHijacking(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name          string
		reason        string
		token, report time.Time // the times at which Google issued the token and the event
		want          int       // status of a new sign-in after the event
	}{
		{"token long before the event", "hijacking", now.Add(-8 * time.Minute), now.Add(-3 * time.Minute), http.StatusForbidden},
		{"token just before the event", "hijacking", now.Add(-5 * time.Minute), now.Add(-4 * time.Minute), http.StatusForbidden},
		{"token in the second of the event", "hijacking", now.Add(-5 * time.Minute), now.Add(-5 * time.Minute), http.StatusForbidden},
		{"no reason", "", now.Add(-8 * time.Minute), now.Add(-3 * time.Minute), http.StatusForbidden},
		{"another reason", "bulk-account", now.Add(-8 * time.Minute), now.Add(-3 * time.Minute), http.StatusOK},
		{"late event", "hijacking", now, now.Add(-10 * 24 * time.Hour), http.StatusOK},
		{"late event without a reason", "", now, now.Add(-2 * time.Hour), http.StatusOK},
	}
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			for i, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					email := fmt.Sprintf("user%d@example.com", i)
					require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), email, issuedAt(tt.token)).status)
					s.reportEvent(googlesession.ChangeAccountDisabled, tt.reason, email, tt.report)
					res := s.signInWith(newBrowser(t), email, issuedLater())
					require.Equal(t, tt.want, res.status, res.body)
				})
			}
		})
	}
}

// A token from before the event does not make a user of a hijacked account.
func TestEarlierTokenOfHijackedAccountMakesNoUser(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			now := time.Now()
			for email, reason := range map[string]string{"ada@example.com": "hijacking", "bob@example.com": ""} {
				s.reportEvent(googlesession.ChangeAccountDisabled, reason, email, now.Add(-2*time.Minute))
				res := s.signInWith(newBrowser(t), email, issuedAt(now.Add(-3*time.Minute)))
				require.NotEqual(t, http.StatusOK, res.status, "%s: %s", reason, res.body)
				require.NotContains(t, s.get(t, s.admin, "/api/admin/users").body, email)
				res = s.signInWith(newBrowser(t), email, issuedAt(now.Add(-time.Minute)))
				require.Equal(t, http.StatusOK, res.status, "%s: a token from after the event: %s", reason, res.body)
			}
		})
	}
}

// An event that arrives late or twice does not undo a later decision of an administrator.
func TestAdministratorOverrulesEarlierEvents(t *testing.T) {
	const email = "ada@example.com"
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			id := s.demo.google.Subject(email)
			now := time.Now()
			status := func() int { return s.signInWith(newBrowser(t), email, issuedLater()).status }
			s.signInWith(newBrowser(t), email, issuedAt(now.Add(-9*time.Minute)))
			token := s.reportEvent(googlesession.ChangeAccountDisabled, "hijacking", email, now.Add(-5*time.Minute))
			require.Equal(t, http.StatusForbidden, status())

			// Other changes do not enable the user, whatever reason the administrator writes.
			s.changeAccess(id+"?reason=enabled", `{"admin":true}`)
			s.changeAccess(id, `{"admin":false}`)
			s.postEvent(token)
			require.Equal(t, http.StatusForbidden, status())

			s.changeAccess(id+"?reason=has+a+new+password", `{"disabled":false}`)
			s.postEvent(token)
			s.reportEvent(googlesession.ChangeAccountDisabled, "hijacking", email, now.Add(-6*time.Minute))
			s.reportEvent(googlesession.ChangeAccountDisabled, "", email, now.Add(-time.Minute))
			require.Equal(t, http.StatusOK, status())

			if name != "memory" { // another process reads the decision from the database
				other, _ := openApp(t, "-db", db)
				other.onEvent(t.Context(), googlesession.Event{
					Kind: googlesession.EventSecurityReport, UserID: id, Reason: "account-disabled:hijacking", IssuedAt: now.Add(-5 * time.Minute),
				})
				require.Equal(t, http.StatusOK, status())
			}

			s.changeAccess(id, `{"disabled":true}`)
			s.postEvent(token)
			require.Equal(t, http.StatusForbidden, status())
			s.changeAccess(id, `{"disabled":false}`)
			s.reportEvent(googlesession.ChangeAccountDisabled, "hijacking", email, time.Now().Add(5*time.Second))
			require.Equal(t, http.StatusForbidden, status(), "an event from after the decision")

			require.Equal(t, http.StatusNoContent, s.deleteUser(id))
			cleared, err := s.stores.clearances.ClearedAt(t.Context(), id)
			require.NoError(t, err)
			require.Zero(t, cleared, "the user is deleted")
		})
	}
}
