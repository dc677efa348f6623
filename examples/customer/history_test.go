package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// history returns the history of the browser's user, without the times.
func (s *site) history(browser *http.Client) []historyItem {
	s.t.Helper()
	res := s.get(s.t, browser, "/api/history")
	require.Equal(s.t, http.StatusOK, res.status, res.body)
	var answer struct{ History []historyItem }
	require.NoError(s.t, json.Unmarshal([]byte(res.body), &answer), res.body)
	for i, item := range answer.History {
		require.WithinDuration(s.t, time.Now(), parseTime(s.t, item.Time), time.Minute)
		answer.History[i].Time = ""
	}
	return answer.History
}

// publicID returns the public ID of the browser's session.
func (s *site) publicID(browser *http.Client) string {
	s.t.Helper()
	var list struct {
		Sessions []struct {
			PublicID string `json:"public_id"`
			Current  bool
		}
	}
	res := s.get(s.t, browser, "/api/sessions")
	require.NoError(s.t, json.Unmarshal([]byte(res.body), &list), res.body)
	for _, session := range list.Sessions {
		if session.Current {
			return session.PublicID
		}
	}
	require.Fail(s.t, "no current session", res.body)
	return ""
}

// A user sees the user's own sign-ins and ended sessions. The device is that of the
// sign-in. An administrator's name, words and device are not in the answer.
func TestHistory(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			laptop, phone := newBrowser(t), newBrowser(t)
			require.Equal(t, http.StatusOK, s.signInWith(laptop, "ada@example.com").status)
			require.Equal(t, http.StatusOK, s.signInWith(phone, "ada@example.com").status)
			first, second := s.publicID(laptop), s.publicID(phone)
			id := s.demo.google.Subject("ada@example.com")
			path := "/api/admin/users/" + id + "/sessions/" + second + "?reason=stolen+phone"
			require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodDelete, path, "", "User-Agent: the administrator's").status)
			require.Equal(t, http.StatusOK, s.signInWith(phone, "ada@example.com").status)
			third := s.publicID(phone)
			require.Equal(t, http.StatusNoContent, s.request(t, phone, http.MethodPost, "/api/logout", "").status)
			require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), "eve@example.com").status)

			const agent = "Go-http-client/1.1"
			device := func(i historyItem) historyItem { i.IP, i.UserAgent = "127.0.0.1", agent; return i }
			require.Equal(t, []historyItem{
				device(historyItem{Action: "signed_out", Actor: "you", Session: third}),
				device(historyItem{Action: "signed_in", Actor: "you", Session: third}),
				device(historyItem{Action: "revoked", Actor: "administrator", Session: second}),
				device(historyItem{Action: "signed_in", Actor: "you", Session: second, New: true}),
				device(historyItem{Action: "signed_in", Actor: "you", Session: first, Live: true, Current: true}),
			}, s.history(laptop))
		})
	}
}

func TestHistoryOf(t *testing.T) {
	entry := func(actor, action, target, reason, sessions string) auditEntry {
		return auditEntry{Actor: actor, Action: action, Target: target, Reason: reason, Sessions: sessions}
	}
	for _, tt := range []struct {
		name    string
		entries []auditEntry // the newest first
		want    []historyItem
	}{
		{"nothing", nil, []historyItem{}},
		{
			"own sessions",
			[]auditEntry{entry("ada", "user_revoked", "ada", "own other sessions", "a b")},
			[]historyItem{{Action: "user_revoked", Actor: "you", Session: "a"}, {Action: "user_revoked", Actor: "you", Session: "b"}},
		},
		{
			"re-authentication, whose session goes on",
			[]auditEntry{entry("ada", "signed_in", "ada", "again", "a"), entry("ada", "revoked", "ada", "replaced", "")},
			[]historyItem{{Action: "signed_in", Actor: "you", Reason: "again", Session: "a"}},
		},
		{
			"another person in the same browser",
			[]auditEntry{entry("eve", "revoked", "ada", "replaced", "a")},
			[]historyItem{{Action: "revoked", Actor: "other", Reason: "replaced", Session: "a"}},
		},
		{
			"limit",
			[]auditEntry{entry("ada", "revoked", "ada", "limit", "a")},
			[]historyItem{{Action: "revoked", Actor: "you", Reason: "limit", Session: "a"}},
		},
		{
			"disabled by an administrator",
			[]auditEntry{entry("root", "access_changed", "ada", "disabled: left the company", "a")},
			[]historyItem{{Action: "access_changed", Actor: "administrator", Reason: "disabled", Session: "a"}},
		},
		{"promoted", []auditEntry{entry("root", "access_changed", "ada", "admin: administrator", "")}, []historyItem{}},
		{
			"Google",
			[]auditEntry{entry("google", "security_event", "ada", "account-disabled:hijacking", "a")},
			[]historyItem{{Action: "security_event", Actor: "google", Reason: "account-disabled:hijacking", Session: "a"}},
		},
		{
			"all users, since the first sign-in",
			[]auditEntry{
				entry("root", "all_revoked", "", "administrator", ""), entry("ada", "signed_in", "ada", "", "a"),
				entry("system", "all_revoked", "", "", ""),
			},
			[]historyItem{{Action: "all_revoked", Actor: "administrator"}, {Action: "signed_in", Actor: "you", Session: "a"}},
		},
		{
			"since the deletion",
			[]auditEntry{
				entry("ada", "signed_in", "ada", "", "b"), entry("root", "user_deleted", "ada", "", "a"),
				entry("ada", "signed_in", "ada", "", "a"),
			},
			[]historyItem{{Action: "signed_in", Actor: "you", Session: "b"}},
		},
		{
			"the device of the sign-in, and the label",
			[]auditEntry{
				{Actor: "root", Action: "revoked", Target: "ada", Sessions: "a", IP: "192.0.2.9", UserAgent: "root's"},
				{Actor: "ada", Action: "issued", Target: "ada", Sessions: "a", IP: "192.0.2.1", UserAgent: "ada's", Label: "backup"},
			},
			[]historyItem{
				{Action: "revoked", Actor: "administrator", Session: "a", IP: "192.0.2.1", UserAgent: "ada's", Label: "backup"},
				{Action: "issued", Actor: "you", Session: "a", IP: "192.0.2.1", UserAgent: "ada's", Label: "backup"},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := historyOf("ada", tt.entries)
			for i := range got {
				require.Equal(t, timestamp(time.Time{}), got[i].Time)
				got[i].Time = ""
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestHistoryRefusals(t *testing.T) {
	s := newSite(t, "-db", "memory")
	res := s.get(t, newBrowser(t), "/api/history")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, "no_session", problemCode(t, res))
	res = s.request(t, s.admin, http.MethodDelete, "/api/history", "")
	require.Equal(t, http.StatusMethodNotAllowed, res.status)
	require.Equal(t, string(googlesession.CodeMethodNotAllowed), problemCode(t, res))
}
