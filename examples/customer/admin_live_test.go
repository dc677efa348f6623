package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// nextEvent returns the name and the data of the next event. It skips pings.
func (st *stream) nextEvent(t *testing.T) (name, data string) {
	t.Helper()
	for {
		line := st.readLine(t)
		if text, ok := strings.CutPrefix(line, "event: "); ok {
			name = text
		}
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			data = text
		}
		if line == "" && name != "" {
			return name, data
		}
	}
}

// Administrators see entries of the audit as they happen, with names, and hear that the
// overview has changed.
func TestAdminLive(t *testing.T) {
	s := newSite(t, "-db", "memory")
	live := s.openStreamAt(t, s.admin, "/api/admin/live")
	user := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signInWith(user, "ada@example.com").status)
	var got []string
	counts := 0
	for len(got) < 2 || counts == 0 {
		name, data := live.nextEvent(t)
		if name == "counts" {
			require.Equal(t, "{}", data)
			counts++
			continue
		}
		require.Equal(t, "entry", name)
		var e auditJSON
		require.NoError(t, json.Unmarshal([]byte(data), &e))
		require.Equal(t, "ada@example.com", e.TargetUser.Email)
		entries, _ := s.audit("?person=ada@example.com&action=" + e.Action)
		require.Equal(t, []auditJSON{e}, entries, "the stream has what the list has")
		got = append(got, e.Action)
	}
	require.Equal(t, []string{"user_created", "signed_in"}, got)
}

// The stream of an administrator who is demoted, or whose session ends, ends and says why.
func TestAdminLiveEnds(t *testing.T) {
	const lost = "event: ended\ndata: {\"code\":\"not_admin\"}\n\n"
	for what, tt := range map[string]struct {
		end  func(s *site, id string) answer
		want string
	}{
		"demoted": {func(s *site, id string) answer {
			return s.request(s.t, s.admin, http.MethodPatch, "/api/admin/users/"+id, `{"admin":false}`)
		}, lost},
		"ended": {func(s *site, id string) answer {
			return s.request(s.t, s.admin, http.MethodDelete, "/api/admin/users/"+id+"/sessions", "")
		}, "event: ended\ndata: {\"code\":\"no_session\"}\n\n"},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t, "-db", "memory")
			id := s.demo.google.Subject("ada@example.com")
			ada := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
			s.changeAccess(id, `{"admin":true}`)
			live := s.openStreamAt(t, ada, "/api/admin/live")
			require.Equal(t, http.StatusOK, tt.end(s, id).status)
			text := live.readToEnd()
			require.True(t, strings.HasSuffix(text, tt.want), text)
			require.Empty(t, s.feed.readers, "the stream has left the feed")
			require.Equal(t, http.StatusOK, s.get(t, s.admin, "/api/admin/audit").status)
		})
	}
}

// The event counts comes at most once a second, and the last change is not lost.
func TestAdminLiveCountsRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		browser := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, browser, demoAdmin).status)
		live := b.server.openStreamAt(t, browser, "/api/admin/live")
		synctest.Wait()
		began := time.Now()
		done := make(chan bool)
		go func() {
			defer close(done)
			for time.Since(began) < 5*time.Second {
				b.feed.change()
				time.Sleep(100 * time.Millisecond) //nolint:forbidigo // synctest
			}
		}()
		for i := range 6 {
			name, _ := live.nextEvent(t)
			require.Equal(t, "counts", name)
			require.Equal(t, time.Duration(i)*countsPause, time.Since(began))
		}
		<-done
		require.NoError(t, b.http.Close())
	})
}

// The stream ends when the server stops, and the feed has no reader then.
func TestAdminLiveStopsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		browser := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, browser, demoAdmin).status)
		live := b.server.openStreamAt(t, browser, "/api/admin/live")
		text := make(chan string)
		go func() { text <- live.readToEnd() }()
		require.NoError(t, b.http.Shutdown(t.Context()))
		require.NotContains(t, <-text, "ended")
		require.Empty(t, b.feed.readers)
	})
}

// A reader that is too slow is dropped, and does not delay the others.
func TestFeedDropsSlowReader(t *testing.T) {
	var f feed
	slow, fast := f.join(), f.join()
	for i := range feedBuffer + 1 {
		f.publish(auditEntry{ID: int64(i)})
		require.Equal(t, int64(i), (<-fast.entries).ID)
		f.change()
	}
	for i := range feedBuffer {
		require.Equal(t, int64(i), (<-slow.entries).ID)
	}
	_, open := <-slow.entries
	require.False(t, open)
	require.Len(t, f.readers, 1)
	require.Len(t, fast.changed, 1, "many changes are one")
	f.leave(slow)
	f.leave(fast)
	require.Empty(t, f.readers)
	f.publish(auditEntry{})
	f.change()
}
