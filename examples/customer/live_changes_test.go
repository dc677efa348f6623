package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// next returns the name of the next event of the stream.
func (st *stream) next(t *testing.T) string {
	t.Helper()
	for {
		line := st.readLine(t)
		var name string
		if _, err := fmt.Sscanf(line, "event: %s", &name); err == nil {
			return name
		}
	}
}

// A stream reports what changes the user's list of sessions. It reports neither the changes of
// other users, nor the end of its own session as a change.
func TestLiveReportsChanges(t *testing.T) {
	s := newSite(t, "-db", "memory")
	here, there := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signInWith(here, "ada@example.com").status)
	live, other := s.openStream(t, here), s.openStream(t, s.admin)
	otherSession := func() string {
		var list struct {
			Sessions []struct {
				ID      string
				Current bool
			}
		}
		require.NoError(t, json.Unmarshal([]byte(s.get(t, here, "/api/sessions").body), &list))
		require.Len(t, list.Sessions, 2)
		require.True(t, list.Sessions[1].Current)
		return list.Sessions[0].ID
	}
	for _, change := range []struct {
		name string
		make func() int
	}{
		{"sign-in", func() int { return s.signInWith(there, "ada@example.com").status }},
		{"sign-out", func() int { return s.request(t, there, http.MethodPost, "/api/logout", "").status }},
		{"another sign-in", func() int { return s.signInWith(there, "ada@example.com").status }},
		{"end of one session", func() int { return s.request(t, here, http.MethodDelete, "/api/sessions/"+otherSession(), "").status }},
		{"a token", func() int { return s.request(t, here, http.MethodPost, "/api/tokens", `{"label":"backup"}`).status }},
		{"end of all others", func() int { return s.request(t, here, http.MethodDelete, "/api/sessions", "").status }},
	} {
		require.Less(t, change.make(), 300, change.name)
		require.Equal(t, "changed", live.next(t), change.name)
	}
	require.Less(t, s.request(t, here, http.MethodPost, "/api/logout", "").status, 300)
	require.Equal(t, "ended", live.next(t))

	// The stream of the administrator has the administrator's own changes only.
	require.Equal(t, http.StatusOK, s.request(t, s.admin, http.MethodDelete, "/api/sessions", "").status)
	require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), demoAdmin).status)
	require.Equal(t, "changed", other.next(t))
}

// A stream that does not read gets one change for all that it missed.
func TestSessionChangesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c sessionChanges
		session := googlesession.Session{Ref: googlesession.Ref{ID: [32]byte{1}}, User: googlesession.User{ID: "ada"}}
		changed, stop := c.watch(session)
		for range 3 {
			c.report(googlesession.Event{Kind: googlesession.EventUserRevoked, UserID: "ada"})
			c.report(googlesession.Event{Kind: googlesession.EventUserRevoked, UserID: "bob"})
		}
		require.Len(t, changed, 1)
		<-changed
		c.report(googlesession.Event{Kind: googlesession.EventTouched, UserID: "ada"})
		require.Empty(t, changed)
		stop()
		require.Empty(t, c.watches)
	})
}
