package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// Google's events end sessions and disable users whose account is disabled.
func TestSecurityEvents(t *testing.T) {
	tests := []struct {
		kind     googlesession.AccountChangeKind
		reason   string
		ended    bool
		disabled bool
	}{
		{googlesession.ChangeSessionsRevoked, "", true, false},
		{googlesession.ChangeTokensRevoked, "", true, false},
		{googlesession.ChangeTokenRevoked, "", false, false},
		{googlesession.ChangeAccountDisabled, "", true, true},
		{googlesession.ChangeAccountDisabled, "hijacking", true, true},
		{googlesession.ChangeAccountDisabled, "bulk-account", false, false},
		{googlesession.ChangeAccountDisabled, "something else", false, false},
		{googlesession.ChangeAccountEnabled, "", false, false},
		{googlesession.ChangeCredentialRequired, "", false, false},
		{googlesession.ChangeVerification, "", false, false},
	}
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			for i, tt := range tests {
				what := fmt.Sprint(tt.kind, " ", tt.reason)
				email := fmt.Sprintf("user%d@example.com", i)
				browser := newBrowser(t)
				require.Equal(t, http.StatusOK, s.signInWith(browser, email).status)
				live := s.openStream(t, browser)
				res := s.request(t, newBrowser(t), http.MethodPost, demoEvent, toJSON(t, map[string]string{
					"email": email, "type": string(tt.kind), "reason": tt.reason,
				}))
				require.Equal(t, http.StatusAccepted, res.status, "%s: %s", what, res.body)
				require.Equal(t, tt.ended, s.get(t, browser, "/api/user").status != http.StatusOK, what)
				require.Equal(t, tt.disabled, s.signInWith(browser, email).status == http.StatusForbidden, what)
				if tt.ended {
					require.Contains(t, live.readToEnd(), "event: ended", what)
				}
			}
			// The audit names Google as the actor.
			id := s.demo.google.Subject("user4@example.com")
			type event struct{ actor, action, reason string }
			var got []event
			entries, _ := s.audit("?limit=200")
			for _, e := range entries {
				if e.Target == id && e.Actor == "google" {
					got = append(got, event{e.Actor, e.Action, e.Reason})
				}
			}
			require.Equal(t, []event{
				{"google", "access_changed", "disabled: account-disabled:hijacking"},
				{"google", "security_event", "account-disabled:hijacking"},
			}, got)
			require.Contains(t, s.get(t, s.admin, "/metrics").body,
				`googlesession_events_total{kind="security_event",reason="account-disabled:hijacking"} 1`)
		})
	}
}

// The library's route accepts event tokens from Google only, about every account.
func TestSecurityEventsRoute(t *testing.T) {
	s := newSite(t, "-db", "memory")
	google := s.demo.google
	stranger := googletest.NewGoogle(demoClientID)
	lastAdmin := google.EventDraft(googlesession.ChangeAccountDisabled, demoAdmin)
	tests := []struct {
		name  string
		token string
		want  int
		err   string // of RFC 8935
	}{
		{"account that has never signed in", google.SecurityEvent(googlesession.ChangeAccountDisabled, "nobody@example.com"), http.StatusAccepted, ""},
		{"last administrator", google.Mint(lastAdmin), http.StatusAccepted, ""},
		{"ID token", google.Token(demoAdmin, ""), http.StatusBadRequest, "invalid_request"},
		{"token of another issuer", stranger.SecurityEvent(googlesession.ChangeSessionsRevoked, demoAdmin), http.StatusBadRequest, "invalid_key"},
		{"token for another client", googletest.NewGoogle("other").SecurityEvent(googlesession.ChangeSessionsRevoked, demoAdmin), http.StatusBadRequest, "invalid_audience"},
		{"no token", "", http.StatusBadRequest, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := s.request(t, newBrowser(t), http.MethodPost, "/api/security-events", tt.token)
			require.Equal(t, tt.want, res.status, res.body)
			var answer struct{ Err string }
			_ = json.Unmarshal([]byte(res.body), &answer)
			require.Equal(t, tt.err, answer.Err, res.body)
		})
	}
	require.Contains(t, s.server.log.String(), "the user is not disabled")
	require.Equal(t, http.StatusOK, s.get(t, s.admin, "/api/admin/users").status, "the last administrator is not disabled")
}

func TestDemoEventRefusals(t *testing.T) {
	s := start(t, "-db", "memory")
	for _, tt := range []struct {
		name   string
		method string
		body   string
		status int
		code   string
	}{
		{"get", "GET", "", 405, "method_not_allowed"},
		{"no body", "POST", "", 415, "unsupported_media_type"},
		{"no type", "POST", `{"email":"ada@example.com"}`, 400, "bad_request"},
		{"unknown type", "POST", `{"email":"ada@example.com","type":"unknown"}`, 400, "bad_request"},
		{"no address", "POST", `{"type":"sessions-revoked"}`, 400, "bad_request"},
		{"unknown member", "POST", `{"email":"ada@example.com","type":"sessions-revoked","sub":"1"}`, 400, "bad_request"},
		{"reason of another type", "POST", `{"email":"ada@example.com","type":"sessions-revoked","reason":"hijacking"}`, 400, "bad_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := s.request(t, newBrowser(t), tt.method, demoEvent, tt.body)
			require.Equal(t, tt.status, res.status, res.body)
			require.Equal(t, tt.code, problemCode(t, res))
		})
	}
}
