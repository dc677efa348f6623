package main

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The demo keeps a bounded number of browsers and of copies, and none for ever.
func TestDemoBrowsersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		user := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, user, "ada@example.com").status)
		var opened, thieves []string
		for range maxDemoBrowsers + 2 {
			opened = append(opened, b.server.openBrowser(t, user, `{}`).ID)
			thieves = append(thieves, b.server.stealCookie(t, user, `{}`))
		}
		synctest.Wait()
		status := func(id, thief string) (int, int) {
			x := b.server.request(t, user, http.MethodPost, "/demo/browsers/"+id+"/send", `{"method":"GET","path":"/api/user"}`)
			y := b.server.request(t, user, http.MethodPost, "/demo/thief/send", `{"id":"`+thief+`"}`)
			return x.status, y.status
		}
		for i, id := range opened {
			want := http.StatusOK
			if i < 2 {
				want = http.StatusNotFound
			}
			ofBrowser, ofThief := status(id, thieves[i])
			require.Equal(t, want, ofBrowser, i)
			require.Equal(t, want, ofThief, i)
		}
		for range 2 { // the visitor's own session must not expire meanwhile
			time.Sleep(demoBrowserLife / 2) //nolint:forbidigo // synctest
			require.Equal(t, http.StatusOK, b.server.get(t, user, "/api/user").status)
		}
		synctest.Wait()
		require.Empty(t, b.demo.browsers.list)
		require.Empty(t, b.demo.browsers.thieves)
		require.NoError(t, b.http.Shutdown(t.Context()))
	})
}

// Browsers inside the program and the streams about them end when the server stops.
func TestDemoBrowsersStopWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		user := b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, user, "ada@example.com").status)
		events := b.server.followBrowser(t, user, b.server.openBrowser(t, user, `{}`).ID)
		text := make(chan string)
		go func() {
			all, _ := io.ReadAll(events.lines)
			text <- string(all)
		}()
		began := time.Now()
		require.NoError(t, b.http.Shutdown(t.Context()))
		require.Less(t, time.Since(began), 2*time.Second)
		require.NotContains(t, <-text, "ended", "the session has not ended")
		synctest.Wait()
		require.Empty(t, b.demo.browsers.list)
	})
}

// A browser that reconnects to the stream of events gets those that it has missed.
func TestDemoEventsGoOn(t *testing.T) {
	s := newSite(t, "-db", "memory")
	b := s.openBrowser(t, s.admin, `{}`)
	s.followBrowser(t, s.admin, b.ID).until(t, "request", "/api/live")
	s.sendFrom(t, s.admin, b.ID, "GET", "/api/customer", "")
	for header, want := range map[string]string{"": "/api/login", "Last-Event-ID: 2": "/api/sessions", "Last-Event-ID: 4": "/api/customer", "Last-Event-ID: x": "/api/login"} {
		e, ok := s.followBrowser(t, s.admin, b.ID, optionalHeader(header)...).next(t)
		require.True(t, ok)
		require.Equal(t, want, e.Path, header)
	}
	for range maxDemoEvents {
		s.sendFrom(t, s.admin, b.ID, "GET", "/api/user", "")
	}
	e, ok := s.followBrowser(t, s.admin, b.ID).next(t)
	require.True(t, ok)
	require.Equal(t, "/api/user", e.Path, "the oldest events are dropped")
}
