package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestOverviewCounts(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := func(kind googlesession.EventKind, reason string) googlesession.Event {
		return googlesession.Event{Kind: kind, Reason: reason}
	}
	two := make([]googlesession.PublicID, 2)
	tests := []struct {
		name    string
		event   googlesession.Event
		changes bool
		want    minuteJSON
	}{
		{"sign-in", event(googlesession.EventSignedIn, ""), true, minuteJSON{SignedIn: 1}},
		{"re-authentication", event(googlesession.EventSignedIn, "again"), false, minuteJSON{}},
		{"use", event(googlesession.EventTouched, ""), false, minuteJSON{}},
		{"refused sign-in", event(googlesession.EventSignInRefused, "token_refused:expired"), true, minuteJSON{Refused: map[string]int{"token_refused": 1}}},
		{"refused request", event(googlesession.EventDenied, "no_session"), true, minuteJSON{Refused: map[string]int{"no_session": 1}}},
		{"sign-out", event(googlesession.EventSignedOut, ""), true, minuteJSON{Ended: 1}},
		{"revoked", event(googlesession.EventRevoked, "limit"), true, minuteJSON{Ended: 1}},
		{"revoked user", googlesession.Event{Kind: googlesession.EventUserRevoked, Count: 3}, true, minuteJSON{Ended: 3}},
		{"revoked user without sessions", googlesession.Event{Kind: googlesession.EventUserRevoked}, false, minuteJSON{}},
		{"disabled user", googlesession.Event{Kind: googlesession.EventAccessChanged, PublicIDs: two}, true, minuteJSON{Ended: 2}},
		{"deleted user", googlesession.Event{Kind: googlesession.EventUserDeleted, PublicIDs: two}, true, minuteJSON{Ended: 2}},
		{"security event", googlesession.Event{Kind: googlesession.EventSecurityReport, Count: 2, PublicIDs: two}, true, minuteJSON{Ended: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOverview()
			tt.event.Time = now
			require.Equal(t, tt.changes, o.observe(tt.event))
			list := o.lastHour(now.Add(3 * time.Minute))
			require.Len(t, list, overviewMinutes)
			tt.want.Time = "2026-01-02T03:04:00.000Z"
			if tt.want.Refused == nil {
				tt.want.Refused = map[string]int{}
			}
			require.Equal(t, tt.want, list[overviewMinutes-4])
			require.Equal(t, minuteJSON{Time: "2026-01-02T03:07:00.000Z", Refused: map[string]int{}}, list[overviewMinutes-1])
		})
	}
}

// The memory of the overview is bounded in minutes and in reasons.
func TestOverviewIsBounded(t *testing.T) {
	o := newOverview()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o.observe(googlesession.Event{Kind: googlesession.EventSignedIn, Time: now.Add(-time.Hour)})
	for n := range 2 * maxReasons {
		o.observe(googlesession.Event{Kind: googlesession.EventDenied, Time: now, Reason: fmt.Sprint("code", n)})
	}
	o.observe(googlesession.Event{Kind: googlesession.EventDenied, Time: now, Reason: "code0"})
	list := o.lastHour(now)
	for _, m := range list {
		require.Zero(t, m.SignedIn, "an event of the hour before")
	}
	last := list[overviewMinutes-1].Refused
	require.Len(t, last, maxReasons+1)
	require.Equal(t, maxReasons, last[otherReason])
	require.Equal(t, 2, last["code0"])
}

func TestOverview(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			ada := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signIn(t, ada, "ada@example.com").status)
			require.Equal(t, http.StatusForbidden, s.get(t, ada, "/api/admin/overview").status)
			require.Equal(t, http.StatusOK, s.signIn(t, newBrowser(t), "ada@example.com").status)
			require.Equal(t, http.StatusNoContent, s.request(t, ada, http.MethodPost, "/api/logout", "").status)
			res := s.get(t, s.admin, "/api/admin/overview")
			require.Equal(t, http.StatusOK, res.status, res.body)
			var got overviewJSON
			require.NoError(t, json.Unmarshal([]byte(res.body), &got))
			require.Equal(t, []int{2, 2}, []int{got.Users, got.Sessions})
			var signedIn, refused, ended, live int
			for _, m := range got.Minutes { // the test may run over the end of a minute
				signedIn, refused, ended = signedIn+m.SignedIn, refused+m.Refused["not_admin"], ended+m.Ended
				if m.Live != nil {
					live = *m.Live
				}
			}
			require.Equal(t, []int{3, 1, 1, 2}, []int{signedIn, refused, ended, live})
		})
	}
}

// Users and sessions are counted once in five seconds, and once a minute without a request.
func TestOverviewCountsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := openApp(t, "-db", "memory")
		sessions := func() int {
			t.Helper()
			totals, err := a.readTotals(t.Context())
			require.NoError(t, err)
			return totals.sessions
		}
		addUser(t, a, "1", "ada@example.com", "Ada", 1)
		require.Equal(t, 1, sessions())
		addUser(t, a, "2", "bob@example.com", "Bob", 2)
		require.Equal(t, 1, sessions())
		time.Sleep(totalsAge) //nolint:forbidigo // synctest
		require.Equal(t, 3, sessions())

		ctx, cancel := context.WithCancel(t.Context())
		go a.sampleTotals(ctx)
		time.Sleep(10 * time.Minute) //nolint:forbidigo // synctest
		cancel()
		synctest.Wait()
		measured := 0
		for _, m := range a.overview.lastHour(time.Now()) {
			if m.Live != nil {
				measured++
			}
		}
		require.InDelta(t, 10, measured, 1)
	})
}
